"""The report on pairs: a table, and a sheet of source, truth, each row and its difference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.files import write_picture
from rgb2swir_ros.lab.evaluation.intervals import Figure
from rgb2swir_ros.lab.evaluation.pairs.boxes import MARGIN
from rgb2swir_ros.lab.evaluation.pairs.evaluation import SheetRow
from rgb2swir_ros.lab.evaluation.pairs.frechet import MIN_FRAMES
from rgb2swir_ros.lab.evaluation.pairs.measures import Mask, Plane
from rgb2swir_ros.lab.evaluation.pairs.summary import RowSummary, Summary
from rgb2swir_ros.luma import DISPLAY_GAMMA

MEASURE_TITLES = {
    'whole': 'rank correlation', 'below': '  below the horizon', 'coarse': 'coarse',
    'coarse_below': '  below the horizon', 'edges': 'edges', 'psnr': 'PSNR, dB', 'ssim': 'SSIM',
    'boxes': 'marked pairs', 'hard': '  grey-scale wrong'}
CELL = 22         # characters of a figure with its interval
LABEL = 20
TILE_WIDTH = 320  # pixels of a picture on the sheet
HEAD = 30
NOTES = f"""rank correlation: Spearman's, of brightness; coarse: of what is coarser than 1/32 of
the width; edges: gradients, best match within 8 pixels; PSNR and SSIM: of square roots, after one
monotone curve a scene; marked pairs: in order by {MARGIN} in linear light, and those of them that
grey-scale gets wrong. Gradient, grey-scale, and colour and row (a linear function, fitted on
frames that are not judged here) know no material."""


def pairs_table(result: Summary, first: str) -> str:
    """Return the table for the terminal.

    :param first: the row that the others are compared with.
    """
    lines = [f'{result.frames} frames of {_counted(result.scenes, "scene")}; {result.intervals}']
    lines += _section('', result.rows, lambda row: row.figures)
    counts = {name: row for name, row in result.rows.items() if row.boxes[1]}
    if counts:
        lines += [_line('pairs in order', [f'{r.boxes[0]} of {r.boxes[1]}'
                                           for r in counts.values()], counts),
                  _line('  grey-scale wrong', [f'{r.hard[0]} of {r.hard[1]}'
                                               for r in counts.values()], counts)]
    if any(np.isfinite(row.frechet) for row in result.rows.values()):
        lines.append(_line('Frechet distance', [f'{row.frechet:.3f}'
                                                for row in result.rows.values()], result.rows))
    others = {name: row for name, row in result.rows.items() if name != first}
    lines += ['', *_section(f'minus {first}'[:LABEL], others, lambda row: row.minus_first)]
    lines += ['', NOTES]
    if result.frames < MIN_FRAMES:
        lines.append(f'No Frechet distance: it needs {MIN_FRAMES} frames.')
    return '\n'.join(lines) + '\n'


def _section(title: str, rows: dict[str, RowSummary],
             figures: Callable[[RowSummary], dict[str, Figure]]) -> list[str]:
    lines = [_line(title, [name[-CELL:] for name in rows], rows)]
    known = next(iter(rows.values()), None)
    for key, text in MEASURE_TITLES.items():
        if known is not None and key in figures(known):
            lines.append(_line(text, [str(figures(row)[key]) for row in rows.values()], rows))
    return lines


def _line(title: str, cells: Sequence[str], rows: dict[str, RowSummary]) -> str:
    wide = [max(CELL, len(name[-CELL:])) for name in rows]
    return f'{title:<{LABEL}}' + '  '.join(
        f'{cell:<{w}}' for cell, w in zip(cells, wide, strict=True)).rstrip()


def _counted(count: int, what: str) -> str:
    return f'{count} {what}' + 's' * (count != 1)


def write_sheet(target: Path, rows: Sequence[SheetRow]) -> None:
    """Write a picture: a row a frame, with source, truth, each row and its difference.

    In differences, red is too bright and blue too dark; full colour is half of the truth's scale
    of square-root radiance. Masked pixels are black.
    """
    names = list(rows[0].made)
    titles = ['RGB', 'true SWIR', *(t for name in names for t in (name, f'{name}: difference'))]
    picture = [_tiles(row, names) for row in rows]
    head = np.zeros((HEAD, picture[0].shape[1], 3), np.uint8)
    for k, title in enumerate(titles):
        cv2.putText(head, title[-34:], (8 + TILE_WIDTH * k, 20), cv2.FONT_HERSHEY_SIMPLEX, .5,
                    (255, 255, 255), 1, cv2.LINE_AA)
    wide = picture[0].shape[1]
    write_picture(target, np.vstack([head, *(p for p in picture if p.shape[1] == wide)]))


def _tiles(row: SheetRow, names: Sequence[str]) -> NDArray[np.uint8]:
    tiles = [row.rgb, _grey(row.truth, row.mask)]
    for name in names:
        tiles += [_grey(row.made[name], row.mask),
                  difference(row.made[name], row.truth, row.mask)]
    height = round(TILE_WIDTH * row.truth.shape[0] / row.truth.shape[1])
    picture = np.hstack([cv2.resize(tile, (TILE_WIDTH, height), interpolation=cv2.INTER_AREA)
                         for tile in tiles]).astype(np.uint8, copy=False)
    cv2.putText(picture, row.name[-44:], (6, height - 6), cv2.FONT_HERSHEY_SIMPLEX, .35,
                (255, 255, 255), 1, cv2.LINE_AA)
    return picture


def _grey(plane: Plane, mask: Mask) -> NDArray[np.uint8]:
    """Return square-root radiance as a display value in three channels."""
    value = (255 * np.power(np.clip(plane, 0, 1), 2 / DISPLAY_GAMMA) * mask + .5).astype(np.uint8)
    return np.repeat(value[..., None], 3, axis=2)


def difference(made: Plane, truth: Plane, mask: Mask) -> NDArray[np.uint8]:
    """Return RGB (H, W, 3) of a signed difference: white none, red too bright, blue too dark."""
    off = np.clip(2 * (made - truth), -1, 1)
    red, blue = 1 - np.maximum(-off, 0), 1 - np.maximum(off, 0)
    shown = np.stack([red, np.minimum(red, blue), blue], axis=2) * mask[..., None]
    return np.asarray((255 * shown + .5).astype(np.uint8))
