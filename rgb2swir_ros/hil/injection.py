"""Apply the faults that are due to the frames that pass."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.hil.fault_entries import named_apart
from rgb2swir_ros.hil.faults import HOST, Context
from rgb2swir_ros.hil.frame import HilFrame
from rgb2swir_ros.hil.result import FaultRecord
from rgb2swir_ros.hil.sections import PlannedFault


class FaultFailed(UserError):
    """A fault, as that of another package, does not work."""


class Injector:
    """The faults of a run: those of the scenario, and those that are given meanwhile.

    Thread-safe, as long as the frames of one camera pass a point in one thread.
    """

    def __init__(self, faults: Sequence[PlannedFault], seed: int, period_ns: int) -> None:
        """Take the scenario's faults.

        :param period_ns: nominal time between two frames.
        """
        self._seed, self._period_ns = seed, period_ns
        self._lock = threading.Lock()
        self._faults: tuple[PlannedFault, ...] = tuple(faults)
        self._origins = dict.fromkeys((fault.name for fault in faults), 'scenario')
        self._memories: dict[tuple[str, str], dict[str, Any]] = {}

    def add(self, faults: Sequence[PlannedFault], origin: str) -> list[str]:
        """Add faults.

        :param origin: ``parameter`` or ``service``.
        :return: their names, each once in the run.
        """
        with self._lock:
            added = named_apart(faults, [fault.name for fault in self._faults])
            self._faults += added
            self._origins |= dict.fromkeys((fault.name for fault in added), origin)
        return [fault.name for fault in added]

    def end(self, time_ns: int, *, origins: Sequence[str] = ()) -> list[str]:
        """End the faults that are active at a time, and return their names.

        :param origins: only those of such an origin; by default all.
        """
        ended = []
        with self._lock:
            for fault in self._faults:
                wanted = not origins or self._origins[fault.name] in origins
                if wanted and fault.start_ns <= time_ns < fault.end_ns:
                    ended.append(fault.name)
            self._faults = tuple(replace(fault, end_ns=time_ns) if fault.name in ended else fault
                                 for fault in self._faults)
        return ended

    def active(self, time_ns: int) -> list[PlannedFault]:
        """Return the faults that are active at a time, of all cameras."""
        return [fault for fault in self._faults if fault.start_ns <= time_ns < fault.end_ns]

    def of_host(self) -> list[PlannedFault]:
        """Return the faults of the machine."""
        return [fault for fault in self._faults if fault.point == HOST]

    def apply(self, frame: HilFrame, point: str) -> tuple[list[HilFrame], str]:
        """Pass a frame through the faults of a point, in order of their start.

        :return: what becomes of it, and the name of the fault that lost it, if any has.
        """
        frames = [frame]
        for fault in self._faults:
            if fault.point != point or fault.camera not in ('', frame.camera):
                continue
            memory = self._memories.setdefault((fault.name, frame.camera), {})
            context = Context(
                name=fault.name, seed=self._seed, camera=frame.camera, time_ns=frame.time_ns,
                intensity=fault.intensity_at(frame.time_ns), start_ns=fault.start_ns,
                period_ns=self._period_ns, point=point, memory=memory)
            if frame.time_ns < fault.start_ns:
                fault.fault.watch(frames[0], context)
            elif frame.time_ns < fault.end_ns:
                frames = [made for one in frames for made in self._hit(fault, one, context)]
                if not frames:
                    return [], fault.name
        return frames, ''

    def records(self, duration_ns: int) -> list[FaultRecord]:
        """Return every fault that was active before the run's end."""
        return [FaultRecord(
            name=fault.name, kind=fault.kind, point=fault.point, camera=fault.camera,
            start_ns=fault.start_ns, end_ns=min(fault.end_ns, duration_ns),
            intensity=fault.intensity, recovery_frames=fault.recovery_frames, phase=fault.phase,
            origin=self._origins[fault.name])
            for fault in self._faults if fault.start_ns < min(fault.end_ns, duration_ns)]

    @staticmethod
    def _hit(fault: PlannedFault, frame: HilFrame, context: Context) -> list[HilFrame]:
        """Apply one fault, and note its name in the frames that it has changed.

        :raises FaultFailed: naming the fault, if it fails or returns no list of frames.
        """
        try:
            changed = fault.fault.apply(frame, context)
        except Exception as error:  # whatever a fault of another package does
            raise FaultFailed(f"{_told(fault)} failed on frame {frame.index} of {frame.camera}: "
                              f'{type(error).__name__}: {error}') from error
        if not isinstance(changed, list) or not all(isinstance(one, HilFrame) for one in changed):
            raise FaultFailed(f'{_told(fault)} returned {type(changed).__name__}, and not a list '
                              'of HilFrame')
        return [made if made is frame else replace(made, faults=(*made.faults, fault.name))
                for made in _told_apart(changed)]


def _told(fault: PlannedFault) -> str:
    return f"the fault '{fault.name}'" + (
        '' if fault.name == fault.kind else f" of the kind '{fault.kind}'")


def _told_apart(frames: list[HilFrame]) -> list[HilFrame]:
    """Return the frames; of one that occurs again a copy, which counts as changed."""
    seen: list[int] = []
    apart = []
    for frame in frames:
        apart.append(replace(frame) if id(frame) in seen else frame)
        seen.append(id(frame))
    return apart
