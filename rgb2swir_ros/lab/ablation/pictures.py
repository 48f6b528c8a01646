"""The pictures of the ablation's page: a scatter plot, and a sheet with one row a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.files import finished, write_bytes
from rgb2swir_ros.lab.ablation.judge import SHOWN, Judge
from rgb2swir_ros.lab.scenes.annotations import read_display_value
from rgb2swir_ros.replay.pictures import read_picture
from rgb2swir_ros.report.plots import import_pyplot

TILE, CAPTION, QUALITY = 320, 22, 88  # pixels, pixels, of JPEG
LINE = .035  # of the panel's height: from a name to the next
# by the beginning of a row's name; baselines are grey
COLOURS = {'unet': 'tab:blue', 'student': 'tab:blue', 'teacher': 'tab:cyan', 'dit': 'tab:orange'}


def plot_scatter(target: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Plot mAP over Frechet distance (logarithmic), a point for each row.

    :raises UserError: if matplotlib is missing.
    """
    pyplot = import_pyplot()
    drawing, panel = pyplot.subplots(figsize=(8, 5.5), layout='constrained')
    known = [row for row in rows if None not in (row['frechet'],
                                                 row['map']['map']['to_true']['value'])]
    known.sort(key=lambda row: -_value(row))
    for row in known:
        figure = row['map']['map']['to_true']
        value, low, high = (figure[key] for key in ('value', 'low', 'high'))
        error = None if low is None or high is None else np.array(
            [[max(value - low, 0)], [max(high - value, 0)]])
        panel.errorbar(row['frechet'], value, error, fmt='o', color=_colour(row), markersize=4,
                       linewidth=.6)
    panel.set(xlabel="Frechet distance of the detector's features to true SWIR",
              ylabel='mAP over that in true SWIR', xscale='log')
    panel.xaxis.set_major_formatter('{x:g}')
    panel.xaxis.set_minor_formatter(lambda x, _: f'{x:g}' if f'{x:e}'[0] in '235' else '')
    panel.grid(alpha=.3)
    # names stand in a column beside the panel, each as near to its point's height as there is room
    bottom, top = panel.get_ylim()
    heights = spread_heights([(_value(row) - bottom) / (top - bottom) for row in known])
    for row, height in zip(known, heights, strict=True):
        panel.annotate(row['row'], (row['frechet'], _value(row)), (1.02, height), va='center',
                       textcoords='axes fraction', fontsize=7, color=_colour(row),
                       arrowprops={'arrowstyle': '-', 'linewidth': .4, 'color': _colour(row)})
    with finished(target) as temporary:
        drawing.savefig(temporary, dpi=110)
    pyplot.close(drawing)


def _value(row: Mapping[str, Any]) -> float:
    return float(row['map']['map']['to_true']['value'])


def _colour(row: Mapping[str, Any]) -> str:
    return COLOURS.get(row['row'].split('_')[0], 'tab:grey')


def spread_heights(heights: Sequence[float]) -> list[float]:
    """Return falling heights in [0, 1], moved as little as keeps them `LINE` apart."""
    spread: list[float] = []
    for height in heights:
        spread.append(min(height, spread[-1] - LINE) if spread else height)
    for k in range(len(spread) - 1, -1, -1):  # back up from below the panel
        spread[k] = max(spread[k], spread[k + 1] + LINE if k + 1 < len(spread) else 0)
    return spread


def write_sheet(target: Path, judge: Judge, rows: Sequence[Mapping[str, Any]],
                joined: tuple[Path, Sequence[str]] | None = None) -> None:
    """Write a sheet of the same frames in RGB, in true SWIR and by each row, as JPEG.

    :param joined: an earlier sheet and its rows, for those that are not judged here.
    :raises UserError: if that sheet cannot be read, or is of other rows.
    """
    chosen = sorted({int(k) for k in np.linspace(0, len(judge.frames) - 1, SHOWN)})
    bands = [_band('RGB', [read_picture(judge.pictures[k]) for k in chosen]),
             _band('true SWIR', [_bytes(read_display_value(judge.frames[k].path))
                                 for k in chosen])]
    earlier = read_bands(*joined, bands[0].shape) if joined is not None else {}
    for row in rows:
        if not judge.is_judged(row['row']):
            bands.append(earlier[row['row']])
            continue
        paths = [judge.folder / 'rows' / row['row'] / f'frame_{k:04d}.png' for k in chosen]
        bands.append(_band(row['title'], [read_picture(path) for path in paths]))
    _, data = cv2.imencode('.jpg', np.vstack(bands)[..., ::-1],
                           [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    write_bytes(target, data.tobytes())


def read_bands(sheet: Path, names: Sequence[str],
               shape: tuple[int, ...]) -> dict[str, NDArray[np.uint8]]:
    """Return the bands of a sheet by the names of its rows, uint8 RGB.

    :param shape: of a band.
    :raises UserError: if it cannot be read, or is of other rows.
    """
    pixels = read_picture(sheet)
    count = 2 + len(names)  # RGB and truth come first
    if pixels.shape != (count * shape[0], *shape[1:]):
        raise UserError(f'{sheet} is no sheet of the {len(names)} rows beside it')
    return dict(zip(names, np.split(pixels, count)[2:], strict=True))


def _bytes(display_value: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.rint(255 * display_value).astype(np.uint8)


def _band(title: str, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Return pictures side by side under a caption, uint8 RGB."""
    tiles = []
    for picture in pictures:
        colour = picture if picture.ndim == 3 else cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB)
        height = round(TILE * colour.shape[0] / colour.shape[1])
        tiles.append(cv2.resize(colour, (TILE, height), interpolation=cv2.INTER_AREA))
    row = np.hstack(tiles)
    caption = np.zeros((CAPTION, row.shape[1], 3), np.uint8)
    cv2.putText(caption, title, (4, 16), cv2.FONT_HERSHEY_SIMPLEX, .48, (255, 255, 255), 1,
                cv2.LINE_AA)
    return np.vstack([caption, row]).astype(np.uint8)
