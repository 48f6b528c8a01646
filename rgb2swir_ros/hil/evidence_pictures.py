"""Pictures of a run's report: one of each phase and of each fault, as the observer recorded it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.hil.figures import Figures
from rgb2swir_ros.hil.result import FrameRecord
from rgb2swir_ros.luma import DISPLAY_GAMMA
from rgb2swir_ros.replay.bag import CameraBag
from rgb2swir_ros.replay.frames import FootageError
from rgb2swir_ros.report.model import Gallery, Picture, PictureRow

MOST = 12


def gallery(figures: Figures, bag: Path) -> Gallery | None:
    """Return pictures from the bag; None if there are none."""
    wanted = _wanted(figures)
    if not wanted or not bag.is_dir():
        return None
    by_stamp: dict[tuple[str, int], list[str]] = {}
    for caption, frame in wanted.items():
        topic = figures.run.topics[frame.camera]
        by_stamp.setdefault((topic, frame.stamp_ns), []).append(caption)
    found: dict[str, NDArray[np.uint8]] = {}
    try:
        for image in CameraBag(bag, sorted({topic for topic, _ in by_stamp})).frames():
            for caption in by_stamp.get((image.topic, image.stamp_ns), []):
                if caption not in found and (pixels := _pixels(image, figures.run.sensor)
                                             ) is not None:
                    found[caption] = pixels
    except FootageError:
        pass  # a fault may have made messages that no reader takes: the rest is shown
    rows = [Picture(caption, found[caption], f'the SWIR frame: {caption}') for caption in wanted
            if caption in found]
    if not rows:
        return None
    return Gallery('One frame of each phase and of each fault', [
        PictureRow(f'{first + 1} to {min(first + 3, len(rows))} of {len(rows)}',
                   rows[first:first + 3]) for first in range(0, len(rows), 3)])


def _wanted(figures: Figures) -> dict[str, FrameRecord]:
    """Return frames by caption: the last clean one of a phase, the last one that a fault hit."""
    wanted: dict[str, FrameRecord] = {}
    camera = figures.scenario.cameras[0]
    sent = sorted((frame for frame, _ in figures.arrived if frame.camera == camera),
                  key=lambda one: one.time_ns)
    for phase in figures.scenario.phases:
        clean = [frame for frame in sent if phase.start_ns <= frame.time_ns < phase.end_ns
                 and not frame.faults]
        if clean:
            wanted[f'phase {phase.name}, {clean[-1].time_ns / 1e9:.1f} s'] = clean[-1]
    for fault in figures.run.faults:
        hit = [frame for frame in sent if fault.name in frame.faults]
        if hit:
            also = ' + '.join(hit[-1].faults)
            wanted[f'{also}, {hit[-1].time_ns / 1e9:.1f} s'] = hit[-1]
    return dict(list(wanted.items())[:MOST])


def _pixels(frame: Any, sensor: dict[str, Any]) -> NDArray[np.uint8] | None:
    """Return uint8 (H, W) of a recorded frame for the eye; None if its fields are wrong."""
    image = frame.content
    kind = {'mono8': np.uint8, 'mono16': np.uint16}.get(image.encoding)
    if kind is None:
        return None
    size = np.dtype(kind).itemsize
    if image.step % size or len(image.data) != image.step * image.height:
        return None
    data = np.frombuffer(image.data, kind).reshape(image.height, image.step // size)
    if bool(image.is_bigendian) != (sys.byteorder == 'big'):
        data = data.byteswap()
    pixels = data[:, :image.width]
    if kind is np.uint8:
        return np.ascontiguousarray(pixels)
    full = float(((1 << int(sensor.get('bits', 16))) - 1) << int(sensor.get('left_shift', 0)))
    value = np.clip(pixels / full, 0, 1) ** (1 / DISPLAY_GAMMA)
    return np.asarray(np.rint(255 * value), np.uint8)
