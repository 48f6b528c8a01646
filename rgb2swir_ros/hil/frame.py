"""A frame on its way through the bench."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class HilFrame:
    """One frame of one camera, from its source to its message.

    :param camera: the camera's name.
    :param index: the source's frame number, from 0; it goes on where footage starts again.
    :param time_ns: nanoseconds since the first frame: the stamp is t0 + ``time_ns``. Draws and
        faults go by it.
    :param pixels: RGB as uint8 (H, W, 3); radiance as float32 (H, W), 0 to 1; of a message uint8
        or uint16 (H, W).
    :param draw_ns: the time that the sensor's noise is drawn from; ``time_ns`` unless the picture
        is an older one.
    :param delay_ns: how much later than due the frame leaves.
    :param stamp_shift_ns: by how much the stamp that it carries is wrong.
    :param info: whether its CameraInfo is sent.
    :param fields: fields of its Image message that are wrong, by name: ``height``, ``width``,
        ``encoding``, ``step``; ``data`` is how many bytes of data are kept.
    :param faults: names of the faults that have changed it.
    """

    camera: str
    index: int
    time_ns: int
    pixels: np.ndarray
    draw_ns: int
    delay_ns: int = 0
    stamp_shift_ns: int = 0
    info: bool = True
    fields: dict[str, Any] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
