"""The path of a frame through the bench, without threads, clocks and ROS."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rgb2swir_ros.hil.faults import MESSAGE, RADIANCE, RGB
from rgb2swir_ros.hil.frame import HilFrame
from rgb2swir_ros.hil.injection import Injector
from rgb2swir_ros.hil.ledger import Ledger
from rgb2swir_ros.hil.result import LOST
from rgb2swir_ros.hil.source import SourceFrame
from rgb2swir_ros.imaging.fit import CameraInfoFields, PixelTransform, follow_camera_info
from rgb2swir_ros.imaging.sensor import VirtualSensor
from rgb2swir_ros.luma import DISPLAY_GAMMA, REC601


@dataclass(frozen=True)
class Job:
    """A frame on its way to the engine.

    :param source_size: (height, width) of the picture as it was recorded.
    :param info: the camera's CameraInfo, duck-typed, or None.
    :param due_ns: when it must leave.
    :param failover: whether it is a picture of the failover source, which needs no engine.
    """

    frame: HilFrame
    source_size: tuple[int, int]
    info: Any
    due_ns: int
    failover: bool = False


@dataclass(frozen=True)
class Outgoing:
    """A frame that is ready to leave, once."""

    frame: HilFrame
    info: CameraInfoFields | None
    due_ns: int
    failover: bool = False


class Pipeline:
    """From a source's frame to what leaves; frames that are lost are noted in the ledger."""

    def __init__(self, injector: Injector, sensor: VirtualSensor, ledger: Ledger) -> None:
        """Keep the parts."""
        self._injector, self._sensor, self._ledger = injector, sensor, ledger
        self._lock = threading.Lock()
        self.counts: dict[str, Counter[str]] = {}

    def admit(self, camera: str, given: SourceFrame, due_ns: int) -> list[Job]:
        """Return what comes out of the camera: the faults before the translation are applied."""
        if given.rgb is None:
            self._ledger.refused(camera, given.index, given.time_ns, given.refusal)
            return []
        frame = HilFrame(camera, given.index, given.time_ns, given.rgb, draw_ns=given.time_ns)
        frames, lost_by = self._injector.apply(frame, RGB)
        if not frames:
            self._ledger.lost(frame, LOST + lost_by, due_ns)
        return [Job(one, given.source_size, given.info, due_ns) for one in frames]

    def drop(self, job: Job, outcome: str) -> None:
        """Note a frame that does not go on.

        :param outcome: one of `rgb2swir_ros.hil.result`.
        """
        self._ledger.lost(job.frame, outcome, job.due_ns)

    def develop(self, job: Job, radiance: np.ndarray) -> list[Outgoing]:
        """Return what leaves: the faults in the sensor and of the message are applied.

        :param radiance: float32 (H, W), of the engine or the failover source.
        """
        frames = [replace(job.frame, pixels=radiance)]
        if not job.failover:  # which has another sensor
            frames = self._passed(frames, RADIANCE, job)
        out = []
        for frame in frames:
            swir = self._sensor(frame.pixels, frame.camera, frame.draw_ns)
            info = self._info(job, frame.pixels.shape, swir.shape)
            for made in self._passed([replace(frame, pixels=swir)], MESSAGE, job):
                out.append(Outgoing(made, info if made.info else None,
                                    job.due_ns + made.delay_ns, job.failover))
        return out

    def _passed(self, frames: list[HilFrame], point: str, job: Job) -> list[HilFrame]:
        passed = []
        for frame in frames:
            made, lost_by = self._injector.apply(frame, point)
            if not made:
                self._ledger.lost(frame, LOST + lost_by, job.due_ns)
            passed += made
        return passed

    def _info(self, job: Job, engine_size: tuple[int, ...],
              size: tuple[int, ...]) -> CameraInfoFields | None:
        target = (engine_size[0], engine_size[1])
        transform = PixelTransform.resize(job.source_size, target).then(
            self._sensor.transform(target))
        with self._lock:
            counts = self.counts.setdefault(job.frame.camera, Counter())
        return follow_camera_info(job.info, job.source_size, (size[0], size[1]), transform,
                                  counts)


def failover_job(camera: str, frames: Iterator[SourceFrame], time_ns: int, due_ns: int) -> Job:
    """Return the next frame of the failover source in the place of the camera's own.

    :param frames: that source, without an end; pictures that cannot be read are passed over.
    :param time_ns: of the frame that it stands for.
    """
    given = next(one for one in frames if one.rgb is not None)
    assert given.rgb is not None
    frame = HilFrame(camera, -1, time_ns, given.rgb, draw_ns=time_ns)
    return Job(frame, given.source_size, given.info, due_ns, failover=True)


def failover_radiance(rgb: np.ndarray) -> np.ndarray:
    """Return radiance, float32 (H, W), of a picture that shows a SWIR camera's mono8.

    :param rgb: uint8 (H, W, 3).
    """
    grey = rgb.astype(np.float32) @ np.array(REC601, np.float32) / np.float32(255)
    return np.clip(grey, 0, 1) ** np.float32(DISPLAY_GAMMA)
