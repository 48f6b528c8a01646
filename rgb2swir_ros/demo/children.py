"""The demo's processes: start them, read their events, end them all."""

from __future__ import annotations

import contextlib
import queue
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rgb2swir_ros.child_process import ChildProcess
from rgb2swir_ros.demo.wire import USER_ERROR, parse
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.marks import GROWING, fingerprint, record

POLITE_S = 5.0


class ChildError(UserError):
    """A process ended unexpectedly; the text has the last lines that it printed."""


class DemoProcess(ChildProcess):
    """A process whose standard output has events, and whose other lines go to a log file."""

    def __init__(self, name: str, module: str, arguments: Sequence[str],
                 environment: Mapping[str, str], log: Path) -> None:
        """Start a module; the process ends with this one, however this one ends."""
        self.name = name
        self.log = log
        self.events: queue.Queue[dict[str, Any]] = queue.Queue()
        record(log, GROWING)
        self._log = log.open('x')
        super().__init__(module, *arguments, environment=environment, takes_input=True,
                         on_output=self._take, on_error=self._note)

    def check(self) -> None:
        """Raise ChildError if it has ended."""
        code = self.wait(0)
        if code is None:
            return
        if (code == USER_ERROR and self.last_lines
                and self.last_lines[-1].startswith(f'{self.name}: ')):
            raise ChildError(self.last_lines[-1])  # its one line that states the error
        raise ChildError(self.last_words(f'the {self.name} ended with exit code {code}'))

    def last_words(self, what: str) -> str:
        """Return a text with its last lines, also if the disk has no space for its log."""
        lines = '\n'.join(f'  | {line}' for line in self.last_lines) or '  | (it said nothing)'
        return f'{what}; the end of {self.log}:\n{lines}'

    def interrupt(self) -> None:
        """Send SIGINT, as ``ros2 launch`` does."""
        self.signal(signal.SIGINT)

    def end(self, patience_s: float | None = None) -> int | None:
        """End it, by SIGINT first, so that it can end its own children; complete its log."""
        code = super().end(POLITE_S if patience_s is None else patience_s)
        with contextlib.suppress(OSError):  # the disk is full: it keeps the mark of a growing log
            self._log.close()
            record(self.log, fingerprint(self.log))
        return code

    def _take(self, line: str) -> None:
        """Handle a line of its standard output: an event, or the output of a library."""
        event = parse(line)
        if event is not None:
            self.events.put(event)
        else:
            self._note(line)

    def _note(self, line: str) -> None:
        """Write a line to the log, if the disk has space for it."""
        with contextlib.suppress(OSError, ValueError):
            self._log.write(f'{line}\n')
            self._log.flush()


class Children:
    """All processes of a demo, as a context manager that ends them."""

    def __init__(self) -> None:
        """Start without a process."""
        self._all: list[DemoProcess] = []

    def start(self, *words: Any) -> DemoProcess:
        """Start a child; the arguments are those of :class:`DemoProcess`."""
        child = DemoProcess(*words)
        self._all.append(child)
        return child

    def await_event(self, child: DemoProcess, name: str, seconds: float) -> dict[str, Any]:
        """Return the child's next event of a name; other events before it are dropped.

        :raises ChildError: if any child ends first, or the time limit passes.
        """
        deadline = time.monotonic() + seconds
        while True:
            event = self.next_event(child, 0.2)
            if event is not None and event['event'] == name:
                return event
            if time.monotonic() > deadline:
                raise ChildError(child.last_words(
                    f"the {child.name} has not said '{name}' within {seconds:.0f} s"))

    def next_event(self, child: DemoProcess, seconds: float) -> dict[str, Any] | None:
        """Return the child's next event, or None if there is none in time.

        :raises ChildError: if any child has ended.
        """
        try:
            return child.events.get(timeout=seconds)
        except queue.Empty:
            for other in self._all:
                other.check()
            return None

    def forget(self, child: DemoProcess) -> None:
        """Drop a child that has ended as expected."""
        child.end()
        self._all.remove(child)

    def __enter__(self) -> Children:
        return self

    def __exit__(self, *_: object) -> None:
        for child in reversed(self._all):
            child.end()
