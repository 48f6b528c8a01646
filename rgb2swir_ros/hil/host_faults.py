"""Begin and end the faults of the machine at their times."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from rgb2swir_ros.hil.faults.host import EngineCrash, EngineHang, HostFault
from rgb2swir_ros.hil.injection import Injector
from rgb2swir_ros.hil.watchdog import CRASH, HANG

KINDS: dict[type[HostFault], str] = {EngineCrash: CRASH, EngineHang: HANG}


class HostFaults:
    """The faults of the machine that are going on."""

    def __init__(self, injector: Injector, engine_pid: Callable[[], int | None],
                 happened: dict[str, int]) -> None:
        """Keep where they are listed.

        :param engine_pid: the engine process, if there is one.
        :param happened: gets the monotonic time of a crash or a stall that is made here.
        """
        self._injector, self._engine_pid, self._happened = injector, engine_pid, happened
        self._begun: dict[str, tuple[HostFault, Any]] = {}
        self._done: set[str] = set()

    def __len__(self) -> int:
        return len(self._begun)

    def update(self, time_ns: int) -> None:
        """Begin and end what is due at a time since the first frame."""
        for planned in self._injector.of_host():
            fault = planned.fault
            assert isinstance(fault, HostFault)
            active = planned.start_ns <= time_ns < planned.end_ns
            if active and planned.name not in self._done:
                self._done.add(planned.name)
                if type(fault) in KINDS:
                    self._happened[KINDS[type(fault)]] = time.monotonic_ns()
                begun = fault.begin(self._engine_pid(), planned.intensity_at(time_ns))
                self._begun[planned.name] = fault, begun
            elif not active and planned.name in self._begun:
                self._end(planned.name)

    def end(self) -> None:
        """End all of them."""
        for name in list(self._begun):
            self._end(name)

    def _end(self, name: str) -> None:
        fault, begun = self._begun.pop(name)
        fault.end(begun)
