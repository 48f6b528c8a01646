"""The rate at which frames are rendered and written: ``rgb2swir bench scenes``."""

from __future__ import annotations

import math
import tempfile
import time
from pathlib import Path
from typing import Any

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.scenes.dataset import DatasetSpec, write_dataset
from rgb2swir_ros.lab.scenes.written import display_on
from rgb2swir_ros.progress import ProgressDisplay
from rgb2swir_ros.sizes import format_size

SERIES = 2000  # frames whose time is predicted


def measure(count: int, looks: int, size: tuple[int, int], workers: int, *,
            shown: bool = True) -> dict[str, Any]:
    """Time the writing of a data set; the start of the workers counts.

    :param count: frames, rounded up to whole scenes.
    :param looks: frames a scene.
    :param size: (height, width).
    :param shown: whether progress is shown on stderr.
    :raises UserError: if a scene could not be rendered.
    """
    with tempfile.TemporaryDirectory() as folder, ProgressDisplay(shown=shown) as display:
        spec = DatasetSpec(folder=Path(folder), seed=0, size=size, looks=looks,
                           scenes=math.ceil(count / looks))
        start = time.monotonic()
        index = write_dataset(spec, workers, display_on(display), '')
        seconds = time.monotonic() - start
    if index['skipped']:
        raise UserError(f"{len(index['skipped'])} scenes failed: {index['skipped'][0]}")
    rate = index['frames'] / seconds
    return {'size': format_size(size), 'frames': index['frames'], 'looks': looks,
            'workers': workers, 'seconds': seconds, 'frames_per_second': rate,
            'minutes_for_2000': SERIES / rate / 60}
