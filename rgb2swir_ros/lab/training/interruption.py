"""Ends a training between two steps when it is asked to, so that nothing of it is lost."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Notes Ctrl-C and SIGTERM while it is entered, in place of what else they would do."""

    def __init__(self, *, patient: bool) -> None:
        """Note nothing yet.

        :param patient: whether a second Ctrl-C is noted, too, and does not end the process at
            once; ``torchrun`` passes on to its processes what the terminal has sent them already.
        """
        self.patient = patient
        self.asked = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interruption:
        """Begin; outside of the main thread, where no signal arrives, nothing is noted."""
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        """Let signals do what they did before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self.asked and number == signal.SIGINT and not self.patient:
            raise KeyboardInterrupt
        self.asked = True
