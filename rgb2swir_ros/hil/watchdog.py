"""The watchdog: what is wrong, since when, and whether the bench is in its safe state.

It has no clock and no thread of its own: it is told what happens and when, in nanoseconds of any
steady clock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from rgb2swir_ros.hil.result import Incident

SILENCE, CRASH, HANG = 'silence', 'crash', 'hang'


class Watchdog:
    """Watches the input of each camera and the engine. Thread-safe."""

    def __init__(self, cameras: Sequence[str], silence_ns: int,
                 on_incident: Callable[[Incident], None] = lambda _: None) -> None:
        """Begin with everything well; an input is watched from its first frame on.

        :param silence_ns: an input without a frame for so long is silent.
        :param on_incident: called with each incident when it is found.
        """
        self._lock = threading.Lock()
        self._silence_ns = silence_ns
        self._last: dict[str, tuple[int, int] | None] = dict.fromkeys(cameras)
        self._open: dict[str, int] = {}  # camera, or '' for the engine: number of its incident
        self._waiting: dict[str, list[int]] = {camera: [] for camera in cameras}
        self._incidents: list[Incident] = []
        self._on_incident = on_incident

    def input(self, camera: str, now_ns: int, time_ns: int) -> None:
        """Note a frame of a camera; it ends a silence.

        :param time_ns: its time since the first frame.
        """
        self.check(now_ns, only=camera)  # a frame after a silence: the silence was one
        with self._lock:
            self._last[camera] = now_ns, time_ns
            number = self._open.pop(camera, None)
            if number is not None:
                self._waiting[camera].append(number)

    def check(self, now_ns: int, *, only: str = '') -> None:
        """Look for inputs that have fallen silent.

        :param only: of this camera; by default of all.
        """
        found = []
        with self._lock:
            for camera, last in self._last.items():
                if only not in ('', camera) or last is None or camera in self._open:
                    continue
                silent_from = last[0] + self._silence_ns
                if now_ns > silent_from:
                    found.append(self._enter(camera, Incident(
                        SILENCE, camera, silent_from, now_ns, now_ns, time_ns=last[1],
                        detail=f'no frame for {(now_ns - last[0]) / 1e6:.0f} ms')))
        for incident in found:
            self._on_incident(incident)

    def next_silence_ns(self) -> int | None:
        """Return when the next input is silent if nothing comes; None if none is watched."""
        with self._lock:
            return min((last[0] + self._silence_ns for camera, last in self._last.items()
                        if last is not None and camera not in self._open), default=None)

    def engine_failed(self, kind: str, happened_ns: int, now_ns: int, detail: str) -> None:
        """Note that the engine has crashed or hung; again for the same one does nothing.

        :param kind: ``crash`` or ``hang``.
        :param happened_ns: when it happened; 0 if nobody knows.
        """
        with self._lock:
            if '' in self._open:
                return
            newest = max((last[1] for last in self._last.values() if last), default=0)
            incident = self._enter('', Incident(kind, '', happened_ns, now_ns, now_ns,
                                                time_ns=newest, detail=detail))
        self._on_incident(incident)

    def engine_back(self) -> None:
        """Note that there is an engine again."""
        with self._lock:
            number = self._open.pop('', None)
            if number is not None:
                for waiting in self._waiting.values():
                    waiting.append(number)

    def sent(self, camera: str, now_ns: int) -> None:
        """Note that a frame of a camera that is none of the failover source has left."""
        with self._lock:
            numbers, self._waiting[camera] = self._waiting[camera], []
            for number in numbers:
                if not self._incidents[number].recovered_ns:
                    self._incidents[number] = replace(self._incidents[number],
                                                      recovered_ns=now_ns)

    def safe(self, camera: str) -> bool:
        """Return whether a camera is in its safe state."""
        with self._lock:
            return camera in self._open or '' in self._open

    def engine_is_down(self) -> bool:
        """Return whether the engine has failed and is not back."""
        with self._lock:
            return '' in self._open

    def stop(self, camera: str) -> None:
        """Watch a camera's input no longer: its footage is over."""
        with self._lock:
            self._last[camera] = None

    def incidents(self) -> list[Incident]:
        """Return all that was found, in order."""
        with self._lock:
            return list(self._incidents)

    def _enter(self, key: str, incident: Incident) -> Incident:
        self._open[key] = len(self._incidents)
        self._incidents.append(incident)
        return incident
