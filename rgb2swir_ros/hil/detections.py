"""A detector as the responder of a bench: what a system under test would answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.imaging.errors import ImageError
from rgb2swir_ros.imaging.raw import to_rgb
from rgb2swir_ros.luma import DISPLAY_GAMMA


class Found(Protocol):
    """The detections of one frame."""

    @property
    def boxes(self) -> NDArray[Any]:
        """(N, 4), left, top, right, bottom in pixels."""

    @property
    def scores(self) -> NDArray[Any]:
        """(N,) in [0, 1]."""

    @property
    def labels(self) -> NDArray[Any]:
        """(N,) indices into the classes."""


class Model(Protocol):
    """A detector of objects in display values.

    :ivar classes: their names.
    """

    classes: tuple[str, ...]

    def detect(self, display_values: Sequence[NDArray[np.float32]]) -> Sequence[Found]:
        """Return the detections of frames, each (H, W) float32 in [0, 1]."""


class DetectionResponder:
    """Answers with what a detector finds.

    The messages are ``vision_msgs/Detection2DArray``, where that package is; elsewhere a
    ``diagnostic_msgs/DiagnosticArray`` with a status for each object.
    """

    def __init__(self, model: Model, bits: int = 12) -> None:
        """Keep the detector.

        :param bits: of ``mono16`` values, 8 to 16.
        :raises UserError: if it is no such number.
        """
        if not isinstance(bits, int) or isinstance(bits, bool) or not 8 <= bits <= 16:
            raise UserError(f"the responder's option 'bits' is {bits!r}, but must be a whole "
                            'number from 8 to 16')
        self._white = float((1 << bits) - 1)
        self._model = model
        self.message = _message()

    def respond(self, image: Any) -> Any:
        """Return the detections; None of a message that is no picture."""
        try:
            values = self.display_values(image)
        except ImageError:
            return None
        found = self._model.detect([values])[0]
        objects = _objects(found, self._model.classes)
        if self.message.__name__ == 'Detection2DArray':
            return self.message(detections=_as_vision(objects, image.header))
        return self.message(status=_as_diagnostics(objects))

    def display_values(self, image: Any) -> NDArray[np.float32]:
        """Return display values, float32 (H, W) in [0, 1], of a SWIR image.

        ``mono8`` shows them as they are; ``mono16`` holds linear light.
        """
        if image.encoding != 'mono16':
            return to_rgb(image)[..., 0].astype(np.float32) / np.float32(255)
        if image.step * image.height != len(image.data) or image.step < 2 * image.width:
            raise ImageError('wrong_length', 'size and data do not agree')
        order = '>u2' if image.is_bigendian else '<u2'
        rows = np.frombuffer(image.data, np.uint8).reshape(image.height, image.step)
        light = np.ascontiguousarray(rows[:, :2 * image.width]).view(order) / self._white
        return np.asarray(np.clip(light, 0, 1) ** (1 / DISPLAY_GAMMA), np.float32)


def _message() -> Any:
    try:
        from vision_msgs.msg import Detection2DArray
    except ImportError:
        from diagnostic_msgs.msg import DiagnosticArray
        return DiagnosticArray
    return Detection2DArray


Object = tuple[str, float, list[float]]  # class, score, and left, top, right, bottom


def _objects(found: Found, classes: Sequence[str]) -> list[Object]:
    """Return class, score and box of each object."""
    return [(classes[int(label)], float(score), [float(edge) for edge in box])
            for box, score, label in zip(found.boxes, found.scores, found.labels, strict=True)]


def _as_vision(objects: Sequence[Object], header: Any) -> list[Any]:
    """Return vision_msgs/Detection2D (version 4, from Humble on), each with the frame's header."""
    from vision_msgs.msg import Detection2D, ObjectHypothesisWithPose
    detections = []
    for name, score, (left, top, right, bottom) in objects:
        one, guess = Detection2D(header=header), ObjectHypothesisWithPose()
        guess.hypothesis.class_id, guess.hypothesis.score = name, score
        one.results = [guess]
        one.bbox.center.position.x, one.bbox.center.position.y = (
            (left + right) / 2, (top + bottom) / 2)
        one.bbox.size_x, one.bbox.size_y = right - left, bottom - top
        detections.append(one)
    return detections


def _as_diagnostics(objects: Sequence[Object]) -> list[Any]:
    from diagnostic_msgs.msg import DiagnosticStatus

    from rgb2swir_ros.ros.messages import key_values
    return [DiagnosticStatus(
        level=DiagnosticStatus.OK, name=f'detection {number}', message=name,
        values=key_values({'class': name, 'score': score, **dict(zip(
            ('left', 'top', 'right', 'bottom'), box, strict=True))}))
        for number, (name, score, box) in enumerate(objects)]
