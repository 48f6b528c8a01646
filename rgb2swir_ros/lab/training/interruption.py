"""Stop a training between two steps on a signal, so that a checkpoint can be written."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Context manager that records Ctrl-C and SIGTERM instead of letting them end the process."""

    def __init__(self, *, ignore_repeated: bool) -> None:
        """Begin without a request.

        :param ignore_repeated: whether a second Ctrl-C is ignored rather than raised at once.
            ``torchrun`` forwards signals that the terminal has already sent to its processes.
        """
        self.ignore_repeated = ignore_repeated
        self.requested = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interruption:
        """Install the handlers, in the main thread only: other threads receive no signals."""
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        """Restore the previous handlers."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self.requested and number == signal.SIGINT and not self.ignore_repeated:
            raise KeyboardInterrupt
        self.requested = True
