"""The end of a process whose main thread hangs, for whatever started it to start it anew."""

from __future__ import annotations

import contextlib
import faulthandler
import math
import os
import sys
import time
from types import TracebackType
from typing import IO, Any

HANG_S = 60.0  # limit of the bench's node, and the default of the translator's
LEAST_S = 10.0  # a transition waits for the engine's end: seconds
REARM_S = 1.0


class HangWatch:
    """Ends the process when `step` has not been called for too long.

    A middleware can block for ever in the call that removes a subscription, and rclpy holds
    Python's lock meanwhile: no Python thread runs any more, no signal is handled, nothing is
    logged. Every version of Fast DDS can (eProsima/Fast-DDS issue 6502: another participant leaves
    while its lease is being checked). `faulthandler` waits outside Python: it writes
    ``Timeout (0:01:00)!`` and the stack of each thread to stderr, and ends the process with code
    1. It does so, too, when a process goes on that was stopped for longer (Ctrl-Z, a debugger,
    ``docker pause``).

    Use it as a context manager: what is in it counts, the end in good order included.
    """

    def __init__(self, timeout_s: float = HANG_S) -> None:
        """Store the limit.

        :param timeout_s: 0: never end the process.
        """
        self._timeout_s = timeout_s
        self._armed_at = -math.inf
        self._silent: IO[Any] | None = None

    def __enter__(self) -> HangWatch:
        """Begin to count."""
        self.step()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        """Count no longer."""
        if self._timeout_s:
            faulthandler.cancel_dump_traceback_later()
        if self._silent is not None:
            self._silent.close()

    def limit(self, timeout_s: float) -> None:
        """Change the limit and begin to count anew; 0: never end the process."""
        if self._timeout_s:
            faulthandler.cancel_dump_traceback_later()
        self._timeout_s, self._armed_at = timeout_s, -math.inf
        self.step()

    def step(self) -> None:
        """Say that the main thread gets on; cheap enough for every callback."""
        now = time.monotonic()
        if self._timeout_s and now - self._armed_at >= min(REARM_S, self._timeout_s / 10):
            self._armed_at = now
            faulthandler.dump_traceback_later(self._timeout_s, exit=True, file=self._output())

    def _output(self) -> IO[Any]:
        """Return stderr, or a file that is read by nobody where there is none."""
        with contextlib.suppress(AttributeError, OSError, ValueError):
            sys.stderr.fileno()
            return sys.stderr
        if self._silent is None:
            self._silent = open(os.devnull, 'w')  # noqa: SIM115 - closed when the watch ends
        return self._silent
