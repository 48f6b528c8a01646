"""``docs/ablation.md``: the tables of the ablation, from ``ablation.json`` alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rgb2swir_ros.lab.ablation.summary import RATIO
from rgb2swir_ros.report.markdown import markdown_table

SCATTER, SHEET = 'images/ablation.png', 'images/ablation.jpg'
DETECTION = {'map': 'all', 'small': 'small', 'medium': 'medium', 'large': 'large',
             'contrast': 'otherwise in SWIR'}
PIXELS = {'psnr': 'PSNR, dB', 'ssim': 'SSIM', 'edges': 'edges', 'frechet': 'Frechet distance',
          'fid': 'FID', 'order': 'materials in order', 'stops': 'error, stops',
          'still': 'still', 'moving': 'moving', 'real_rank': 'real pairs, ranks',
          'real_coarse': 'real pairs, coarse ranks', 'real_edges': 'real pairs, edges',
          'gigaflop': 'GFLOP', 'milliseconds': 'ms',
          'minutes': 'training, min'}
DIGITS = {'psnr': 2, 'gigaflop': 1, 'milliseconds': 1, 'minutes': 0, 'fid': 1}


def page(summary: Mapping[str, Any]) -> str:
    """Return the page as Markdown."""
    rows, true = summary['rows'], summary['true']
    title = {row['row']: row['title'] for row in rows}
    lines = [
        '# Ablation', '',
        f"Every row was trained on the same pairs in the same order, in {summary['share']:g} of "
        f"the presets' steps{_batches(summary)}, and judged on the same {summary['frames']} "
        f"frames of {true['scenes']} scenes that no training saw ({summary['machine']}). The "
        'figures here are those of [ablation.json](ablation.json); this makes them, and goes on '
        'where it was stopped:', '', '```', summary['command'], '```', '',
        *_joined(summary, title), *_concluded(summary), '## Detection', '',
        f"mAP over that in the true SWIR frames, by the detector `{summary['detector']}`"
        + (f", for which boxes thinner than {summary['min_side']:g} pixels neither count nor harm"
           if summary['min_side'] else '')
        + f". True SWIR: {_objects(true)}. *Otherwise in SWIR*: the "
        f"{true['contrast_objects']} objects whose radiance over that of their surroundings "
        'differs from that in grey-scale by a factor of two or more. In brackets 95 % intervals '
        'from resampled scenes, the same ones in every row.', '',
        *markdown_table(['row', *DETECTION.values()], [
            {'row': row['title'], **{name: figure_text(row['map'].get(key, {}).get('to_true'))
                                     for key, name in DETECTION.items()}} for row in rows]), '',
        *_compared(summary['compared'], title), *_pixels(rows), *_scatter(summary),
        *transfer_section(summary.get('transfer', ())),
        '## Pictures', '',
        'One row a model, RGB and truth first; the same frames in each.', '', f'![]({SHEET})', '']
    return '\n'.join(lines)


def _batches(summary: Mapping[str, Any]) -> str:
    share = summary.get('batch_share', 1)
    return '' if share == 1 else f' with {share:g} of their batches'


def _joined(summary: Mapping[str, Any], title: Mapping[str, str]) -> list[str]:
    names = summary.get('joined')
    if not names:
        return []
    return [f"{len(names)} of the {len(title)} rows were trained and judged by earlier runs of "
            'it with the same settings, on the same frames, and joined with `--join`: '
            + '; '.join(title[name] for name in names)
            + '. Rows of two runs are not compared with each other below.', '']


def _concluded(summary: Mapping[str, Any]) -> list[str]:
    text = summary.get('concluded')
    return ['## What is concluded', '', text.strip(), ''] if text else []


def _objects(true: Mapping[str, Any]) -> str:
    figures = ', '.join(f'{name} {text}' for key, name in DETECTION.items()
                        if (text := figure_text(true['map'].get(key))))
    return f"mAP {figures}; {true['objects']} objects"


def _compared(compared: Sequence[Mapping[str, Any]], title: Mapping[str, str]) -> list[str]:
    if not compared:
        return []
    return ['## Compared', '', *markdown_table(
        ['', 'to', 'all', 'small', 'otherwise in SWIR'], [
            {'': f"{title[one['row']]}, {_kind(one)}", 'to': title[one['to']],
             'all': figure_text(one['map']), 'small': figure_text(one['small']),
             'otherwise in SWIR': figure_text(one.get('contrast'))} for one in compared]), '']


def _kind(one: Mapping[str, Any]) -> str:
    return 'mAP over that of' if one['kind'] == RATIO else 'mAP less that of'


def _pixels(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the table of the other columns, of those that any row has."""
    shown = {key: name for key, name in PIXELS.items()
             if any(row.get(key) is not None for row in rows)}
    return [
        '## Everything else', '',
        'PSNR and SSIM of square-root radiance. *Edges*: agreement with those of true SWIR, 1 is '
        'equal. '
        "*Frechet distance*: of the detector's features to those of true SWIR, not an FID. "
        '*Materials in order*: of pairs of materials in a frame that differ by 1.5, those kept '
        'apart the right way round. *Still*: change from frame to frame over that of the RGB '
        'input; *moving*: warp error over that of true SWIR. *Real pairs*: rank correlation of '
        'brightness with real SWIR frames, of everything and of what is coarser than 1/32 of the '
        'width, and agreement of edges.', '',
        *markdown_table(['row', *shown.values()], [
            {'row': row['title'], **{name: _cell(key, row.get(key))
                                     for key, name in shown.items()}} for row in rows]), '']


def _scatter(summary: Mapping[str, Any]) -> list[str]:
    correlation = summary['frechet_and_map']
    text = '' if correlation is None else (
        f"Spearman's rank correlation of the two over the rows: {correlation:.2f} (-1 would be "
        'one order).')
    return ['## Frechet distance and detection', '', *([text, ''] if text else []),
            f'![Frechet distance and mAP of each row]({SCATTER})', '']


def transfer_section(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the section on detectors trained on translations; none without their figures.

    :param runs: the figures of each run of ``evaluate transfer``.
    :raises KeyError: like ``TypeError`` and ``IndexError``, if these are no such figures.
    """
    if not runs:
        return []
    return [
        '## Translations as training data', '',
        "Detectors trained on each source's pictures of the same scenes with the same labels; all "
        'tested on the same true SWIR frames. Scenes are rendered: no set of real pairs has '
        'labels to repeat this on.', '',
        *(line for found in runs for line in _transfer_run(found))]


def detector_seeds(found: Mapping[str, Any]) -> range:
    """Return the seeds of the detectors of a run of ``evaluate transfer``."""
    return range(found['first_seed'], found['first_seed'] + found['seeds'])


def _transfer_run(found: Mapping[str, Any]) -> list[str]:
    last = found['sources'][-1]['name']
    seeds = ' and '.join(map(str, detector_seeds(found)))
    columns = ['trained on', 'mAP', "over true SWIR's", f'less that of {last}', 'small objects',
               'each detector']
    return [
        f"From seed {seeds}, in {found['steps']} steps of {found['batch']} crops:", '',
        '```', found['command'], '```', '',
        *markdown_table(columns, [dict(zip(columns, (
            one['name'], figure_text(one['figures'].get('map')),
            figure_text(one['to_true'].get('map')), figure_text(one['to_last'].get('map')),
            figure_text(one['figures'].get('small')),
            ', '.join(f'{value:.3f}' for value in one['by_seed'])), strict=True))
            for one in found['sources']]), '']


def _cell(key: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return figure_text(value)
    return '' if value is None else f'{value:.{DIGITS.get(key, 3)}f}'


def figure_text(value: Any) -> str:
    """Return a figure with its interval; '' where there is none."""
    if not isinstance(value, Mapping) or value.get('value') is None:
        return ''
    text = f"{value['value']:.3f}"
    low, high = value.get('low'), value.get('high')
    return text if low is None or high is None else f'{text} [{low:.3f}, {high:.3f}]'
