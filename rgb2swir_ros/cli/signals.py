"""Signals that end a verb which runs processes of its own."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType


@contextlib.contextmanager
def ended_as_by_ctrl_c() -> Iterator[None]:
    """Make SIGTERM, and SIGHUP of a closed terminal, end a block as Ctrl-C does.

    So it ends its processes, which would leave 128 MB of shared memory each. A SIGHUP that is
    ignored (``nohup``) stays so.
    """
    numbers = [signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, _interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
