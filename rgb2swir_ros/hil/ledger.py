"""The ledger of a run: every frame and what became of it."""

from __future__ import annotations

import threading
from collections import Counter

from rgb2swir_ros.hil.frame import HilFrame
from rgb2swir_ros.hil.result import REFUSED, FrameRecord


class Ledger:
    """Collects the records of frames. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: list[FrameRecord] = []
        self._counts: dict[str, Counter[str]] = {}

    def add(self, record: FrameRecord) -> None:
        """Add one."""
        with self._lock:
            self._records.append(record)
            self._counts.setdefault(record.camera, Counter())[record.outcome] += 1

    def lost(self, frame: HilFrame, outcome: str, due_ns: int = 0) -> None:
        """Add a frame that was not sent."""
        self.add(FrameRecord(frame.camera, frame.index, frame.time_ns, outcome, due_ns=due_ns,
                             faults=frame.faults))

    def refused(self, camera: str, index: int, time_ns: int, reason: str) -> None:
        """Add a frame of the source that could not be read."""
        self.add(FrameRecord(camera, index, time_ns, f'{REFUSED}{reason}'))

    def counts(self, camera: str) -> dict[str, int]:
        """Return how many frames of a camera had each outcome."""
        with self._lock:
            return dict(self._counts.get(camera, {}))

    def records(self) -> list[FrameRecord]:
        """Return all of them, sorted by camera, source index and due time."""
        with self._lock:
            return sorted(self._records, key=lambda one: (
                one.camera, one.time_ns, one.index, one.due_ns))
