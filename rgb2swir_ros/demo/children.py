"""The demo's processes: start, listen, stop in order, and never leave one behind."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rgb2swir_ros.demo.wire import parse
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.marks import GROWING, record
from rgb2swir_ros.processes import python_command

TAIL = 12
USER_ERROR = 2  # the exit code after one line that says what is wrong
POLITE_S = 5.0


class ChildError(UserError):
    """A process ended when it should not have; the text has its last words."""


class Child:
    """A process whose standard output carries events, and whose messages go to a log file.

    It leads a session of its own: a Ctrl-C in the terminal reaches only the demo, which then
    stops its processes in order; and what a child has started can be killed together with it.
    """

    def __init__(self, name: str, module: str, arguments: Sequence[str],
                 environment: Mapping[str, str], log: Path) -> None:
        """Start a module; it ends with this process, however this one ends."""
        self.name = name
        self.log = log
        self.events: queue.Queue[dict[str, Any]] = queue.Queue()
        self._tail: deque[str] = deque(maxlen=TAIL)
        record(log, GROWING)
        self._log = log.open('x')
        self._process = subprocess.Popen(
            python_command(module, *arguments, unbuffered=True, leashed=True),
            env=dict(environment),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            errors='replace', start_new_session=True)
        self._readers = [threading.Thread(target=read, name=f'{name}-{what}', daemon=True)
                         for what, read in (('events', self._read), ('words', self._read_words))]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        """Return the process id, which is the group's too."""
        return self._process.pid

    def tell(self, line: str) -> None:
        """Write a line to its standard input."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError, ValueError):
            self._process.stdin.write(line + '\n')
            self._process.stdin.flush()

    def check(self) -> None:
        """Raise ChildError if it has ended."""
        code = self._process.poll()
        if code is None:
            return
        self._join()
        if code == USER_ERROR and self._tail and self._tail[-1].startswith(f'{self.name}: '):
            raise ChildError(self._tail[-1])  # the one line that says what is wrong
        raise ChildError(self.last_words(f'the {self.name} ended with exit code {code}'))

    def last_words(self, what: str) -> str:
        """Return a text with what it said last, also where the log has no place on the disk."""
        said = '\n'.join(f'  | {line}' for line in self._tail) or '  | (it said nothing)'
        return f'{what}; the end of {self.log}:\n{said}'

    def close_input(self) -> None:
        """Close its standard input: camera and recorder then end by themselves."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError, OSError):
            self._process.stdin.close()

    def wait(self, seconds: float) -> int | None:
        """Return the exit code, None if it still runs after so many seconds."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self._join()
        return code

    def interrupt(self) -> None:
        """Send SIGINT, as ``ros2 launch`` does."""
        self._signal(signal.SIGINT)

    def kill(self) -> None:
        """End it and all that it started; politely first, so that it can end its own children."""
        self.close_input()
        for number, patience in ((signal.SIGTERM, POLITE_S), (signal.SIGKILL, 5.0)):
            if self._process.poll() is None:
                self._signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(patience)
        self._signal(signal.SIGKILL)  # what is left of the group
        self._join()
        with contextlib.suppress(OSError):
            self._log.close()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            event = parse(line)
            if event is not None:
                self.events.put(event)
            else:
                self._note(line)

    def _read_words(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._tail.append(line.rstrip('\n'))
            self._note(line)

    def _note(self, line: str) -> None:
        """Write a line to the log, if the disk has room for it."""
        with contextlib.suppress(OSError, ValueError):
            self._log.write(line)
            self._log.flush()

    def _join(self) -> None:
        for reader in self._readers:
            reader.join(2.0)


class Children:
    """All processes of a demo; leaving the block ends every one of them."""

    def __init__(self) -> None:
        """Start with none."""
        self._all: list[Child] = []

    def start(self, *words: Any) -> Child:
        """Start a child; the arguments are those of :class:`Child`."""
        child = Child(*words)
        self._all.append(child)
        return child

    def await_event(self, child: Child, name: str, seconds: float) -> dict[str, Any]:
        """Return the child's next event of a name; the others before it are dropped.

        :raises ChildError: if any child ends first, or the time is over.
        """
        deadline = time.monotonic() + seconds
        while True:
            event = self.next_event(child, 0.2)
            if event is not None and event['event'] == name:
                return event
            if time.monotonic() > deadline:
                raise ChildError(child.last_words(
                    f"the {child.name} has not said '{name}' within {seconds:.0f} s"))

    def next_event(self, child: Child, seconds: float) -> dict[str, Any] | None:
        """Return the child's next event, None if there is none within some seconds.

        :raises ChildError: if any child has ended.
        """
        try:
            return child.events.get(timeout=seconds)
        except queue.Empty:
            for other in self._all:
                other.check()
            return None

    def forget(self, child: Child) -> None:
        """Take note that a child ended as it should."""
        child.kill()
        self._all.remove(child)

    def __enter__(self) -> Children:
        return self

    def __exit__(self, *_: object) -> None:
        for child in reversed(self._all):
            child.kill()
