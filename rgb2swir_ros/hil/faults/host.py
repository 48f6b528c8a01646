"""Faults of the machine: the engine process dies or stops, the processor is busy."""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass
from typing import Any

from rgb2swir_ros.checked import within
from rgb2swir_ros.child_process import ChildProcess
from rgb2swir_ros.hil.faults.base import HOST, Context, Fault
from rgb2swir_ros.hil.frame import HilFrame


@dataclass(frozen=True)
class HostFault(Fault):
    """A fault that begins and ends, and changes no frame by itself."""

    points = (HOST,)

    def begin(self, engine_pid: int | None, intensity: float) -> Any:
        """Begin.

        :param engine_pid: the engine process; None while there is none.
        :return: what `end` is given.
        """
        raise NotImplementedError

    def end(self, begun: Any) -> None:
        """End what `begin` has begun, as far as it has not ended by itself."""

    def apply(self, frame: HilFrame, context: Context) -> list[HilFrame]:
        """Return the frame as it is."""
        return [frame]


@dataclass(frozen=True)
class EngineCrash(HostFault):
    """The engine process is killed, once, at the start."""

    kind = 'engine_crash'

    def begin(self, engine_pid: int | None, intensity: float) -> None:
        """Kill it."""
        _send(engine_pid, signal.SIGKILL)


@dataclass(frozen=True)
class EngineHang(HostFault):
    """The engine process is stopped (SIGSTOP), once, at the start; whatever replaces it runs.

    It goes on at the end, unless the watchdog has replaced it: the fault must last longer than
    ``watchdog: hang_ms`` to be one.
    """

    kind = 'engine_hang'

    def begin(self, engine_pid: int | None, intensity: float) -> int | None:
        """Stop it."""
        _send(engine_pid, signal.SIGSTOP)
        return engine_pid

    def end(self, begun: int | None) -> None:
        """Let it go on, if nobody has killed it."""
        _send(begun, signal.SIGCONT)


@dataclass(frozen=True)
class CpuLoad(HostFault):
    """So many processes compute as hard as they can.

    :param processes: how many at full intensity.
    """

    processes: int = within(1, 1024, 2)

    kind = 'cpu_load'

    def begin(self, engine_pid: int | None, intensity: float) -> list[ChildProcess]:
        """Start them."""
        return [ChildProcess('rgb2swir_ros.hil.busy', environment=os.environ, takes_input=True)
                for _ in range(max(1, round(self.processes * intensity)))]

    def end(self, begun: list[ChildProcess]) -> None:
        """End them."""
        for process in begun:
            process.end()


def _send(pid: int | None, number: int) -> None:
    if pid is not None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


KINDS: tuple[type[Fault], ...] = (EngineCrash, EngineHang, CpuLoad)
