"""The report on temporal consistency: table, plot of the change over time, x-t slices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.files import finished, write_picture
from rgb2swir_ros.lab.evaluation.sequences import FOOTAGE, MOVING, STILL
from rgb2swir_ros.lab.evaluation.temporal import RGB, TRUE, KindResult, Record, TemporalConsistency
from rgb2swir_ros.lab.evaluation.warp import Image
from rgb2swir_ros.report.plots import import_pyplot

HEADINGS = {
    STILL: 'Nothing moves: change from frame to frame, over that of the RGB input',
    MOVING: 'Moving camera, true flow: warp error, over that of the true SWIR frames',
    FOOTAGE: 'Real footage: warp error, over that of the RGB frames. An estimate: the flow is '
             'itself estimated\nfrom the RGB frames, there is no truth, and what SWIR shows and '
             'RGB does not counts as change'}
MOST_SHOWN = 12  # clips in an image
SLICE_WIDTH, SLICE_HEIGHT, CAPTION = 360, 150, 24


def temporal_table(results: Sequence[KindResult]) -> str:
    """Return the table for the terminal."""
    lines: list[str] = []
    for result in results:
        wide = max(len(name) for name in result.rows) + 2
        quiet = result.kind == FOOTAGE
        compared = any(row.to_first is not None for row in result.rows.values())
        heads = [f'{"change":>8}  {"ratio [95 %, clips resampled]":<30}{"gradient":>8}']
        if compared:
            heads.append(f'  {"over the first model":<22}')
        if quiet:
            heads.append(f'  {"in quiet places":<32}')
        lines += [HEADINGS[result.kind],
                  f'{result.clips} clips, {result.steps} steps, {result.seen:.0%} of the pixels '
                  'are seen again'
                  + (f', in {result.quiet_share:.0%} of those the RGB hardly changes'
                     if quiet else ''),
                  f'  {"":<{wide}}{"".join(heads)}'.rstrip()]
        for name, row in result.rows.items():
            cells = [f'{row.change * 255:>8.2f}  {row.ratio!s:<30}{row.gradient:>8.2f}']
            if compared:
                cells.append(f'  {"" if row.to_first is None else str(row.to_first):<22}')
            if quiet:
                cells.append('  ' + _quiet(row))
            lines.append(f'  {name:<{wide}}{"".join(cells)}'.rstrip())
        lines.append('')
    lines.append('change: mean over pixels, in 1/255 of square-root radiance; '
                 'gradient: mean step between\nneighbouring pixels, over that of the same '
                 'reference: a blurred output changes little')
    return '\n'.join(lines) + '\n'


def _quiet(row: TemporalConsistency) -> str:
    return '-' if np.isnan(row.quiet) else f'{row.quiet * 255:.2f}, ratio {row.quiet_ratio}'


def plot_over_time(target: Path, records: Sequence[Record]) -> None:
    """Plot the change of every step, one panel for each clip.

    :raises UserError: if matplotlib is missing.
    """
    pyplot = import_pyplot()
    shown = records[:MOST_SHOWN]
    columns = min(2, len(shown))
    rows = -(-len(shown) // columns)
    figure, axes = pyplot.subplots(rows, columns, figsize=(6.5 * columns, 2.8 * rows),
                                   layout='constrained', squeeze=False)
    for panel, record in zip(axes.flat, shown, strict=False):
        for name, track in record.tracks.items():
            panel.plot(np.array(track.change) * 255, label=name,
                       linestyle='--' if name in (RGB, TRUE) else '-')
        panel.set(title=f'{record.name} ({record.kind})', xlabel='frame',
                  ylabel='change, 1/255 of square-root radiance')
        panel.set_ylim(bottom=0)
        panel.xaxis.get_major_locator().set_params(integer=True)
        panel.grid(alpha=.3)
    for panel in axes.flat[len(shown):]:
        panel.set_axis_off()
    axes.flat[0].legend(fontsize=8)
    with finished(target) as temporary:
        figure.savefig(temporary, dpi=100)
    pyplot.close(figure)


def write_slices(target: Path, records: Sequence[Record]) -> None:
    """Write x-t slices: one row of pixels, with time downwards, of each clip and kind of image.

    Motion appears as slanted lines, flicker as horizontal stripes.
    """
    names = list(dict.fromkeys(name for r in records for name in r.tracks))
    bands = []
    for record in records[:MOST_SHOWN]:
        height = max(SLICE_HEIGHT, len(record.seen) + 1)
        tiles = [_slice(record.tracks[n].rows, height) if n in record.tracks
                 else np.zeros((height, SLICE_WIDTH), np.uint8) for n in names]
        bands += [_caption([f'{record.name[-24:]} ({record.kind}): {n[-20:]}' for n in names]),
                  np.hstack([np.pad(t, ((0, 0), (0, 4))) for t in tiles])]
    write_picture(target, np.vstack(bands))


def _slice(rows: Sequence[Image], height: int) -> NDArray[np.uint8]:
    grey = (np.stack(rows).clip(0, 1) * 255).astype(np.uint8)
    narrow = cv2.resize(grey, (SLICE_WIDTH, len(grey)), interpolation=cv2.INTER_AREA)
    return cv2.resize(narrow, (SLICE_WIDTH, height), interpolation=cv2.INTER_NEAREST
                      ).astype(np.uint8, copy=False)


def _caption(texts: Sequence[str]) -> NDArray[np.uint8]:
    strip = np.zeros((CAPTION, (SLICE_WIDTH + 4) * len(texts)), np.uint8)
    for k, text in enumerate(texts):
        cv2.putText(strip, text, ((SLICE_WIDTH + 4) * k + 4, 17), cv2.FONT_HERSHEY_SIMPLEX, .42,
                    255, 1, cv2.LINE_AA)
    return strip
