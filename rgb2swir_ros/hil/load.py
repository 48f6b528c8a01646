"""How busy the processors are while a bench runs."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import TracebackType

STAT = Path('/proc/stat')
EVERY_S = 1.0
# fields of the line "cpu" of proc(5): user nice system idle iowait irq softirq steal ...
IDLE = (3, 4)
FIELDS = 8  # guest time is part of user time


class LoadMeter:
    """Samples the share of idle processor time, once a second, within a block.

    :ivar samples: (monotonic time of a second's end, share of idle time in it from 0 to 1).
    """

    def __init__(self) -> None:
        self.samples: list[tuple[int, float]] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name='load', daemon=True)

    def __enter__(self) -> LoadMeter:
        if STAT.is_file():
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._ending.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        before = processor_times(STAT.read_text())
        while not self._ending.wait(EVERY_S):
            now = processor_times(STAT.read_text())
            total = now[1] - before[1]
            if total > 0:
                self.samples.append((time.monotonic_ns(), (now[0] - before[0]) / total))
            before = now


def processor_times(text: str) -> tuple[int, int]:
    """Return idle and all time of all processors since the start, in ticks.

    :param text: of ``/proc/stat``.
    """
    times = [int(word) for word in text.split('\n', 1)[0].split()[1:FIELDS + 1]]
    return sum(times[k] for k in IDLE), sum(times)
