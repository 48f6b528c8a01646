"""Progress on stderr: a bar on a terminal if rich is installed, else lines."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from typing import Any

ON_TERMINAL_S, IN_LOG_S = 1.0, 30.0  # between two lines of a terminal without rich, of a log


class ProgressDisplay:
    """Counts completed items; a context manager."""

    def __init__(self, total: int | None = None, what: str = 'frames', *,
                 in_log: bool = True, shown: bool = True) -> None:
        """Start at zero.

        :param total: number of items; None if it is not known.
        :param what: the name of the items.
        :param in_log: whether lines are printed if stderr is not a terminal.
        :param shown: whether anything but `log` is printed.
        """
        self.total, self.what, self.done = total, what, 0
        self._first = 0  # completed before this run
        self._started = self._said = time.monotonic()
        self._terminal = sys.stderr.isatty() and shown
        self._shown = shown and (in_log or self._terminal)
        self._bar: Any = _rich_bar() if self._terminal else None
        self._task: Any = None

    def __enter__(self) -> ProgressDisplay:
        """Show the bar."""
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task(self.what, total=self.total, name='')
        return self

    def __exit__(self, *_: object) -> None:
        """End the bar or its line."""
        if self._bar is not None:
            self._bar.stop()
        elif self._terminal:
            print(file=sys.stderr)

    def advance(self, count: int = 1, name: str = '') -> None:
        """Add to the count; the bar shows the name of the last item."""
        self.reach(self.done + count, name)

    def begin_at(self, done: int, total: int) -> None:
        """Start at the count of an earlier run."""
        self.total, self._first, self._started = total, done, time.monotonic()
        self.reach(done)

    def reach(self, done: int, name: str = '') -> None:
        """Set the count and show it."""
        self.done = done
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=self.total, name=name)
            return
        if not self._shown:
            return
        now = time.monotonic()
        pause = ON_TERMINAL_S if self._terminal else IN_LOG_S
        if now - self._said < pause and done != self.total:
            return
        self._said = now
        start, end = ('\r', '\x1b[K') if self._terminal else ('', '\n')
        print(start + self._text(now), end=end, file=sys.stderr, flush=True)

    def log(self, line: str) -> None:
        """Print a permanent line above the bar."""
        if self._bar is not None:
            self._bar.console.print(line, markup=False, highlight=False)
        else:
            print(('\r\x1b[K' if self._terminal else '') + line, file=sys.stderr, flush=True)

    def _text(self, now: float) -> str:
        text = f'{self.done}/{"?" if self.total is None else self.total} {self.what}'
        made, seconds = self.done - self._first, max(now - self._started, 1e-3)
        if not made:
            return text
        text += f'  {made / seconds:.1f} {self.what}/s'
        if self.total is None:
            return text
        return f'{text}, {(self.total - self.done) * seconds / made:.0f} s left'


def _rich_bar() -> Any:
    """Return rich's bar, or None if rich is not installed."""
    try:
        from rich.console import Console
        from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    except ImportError:
        return None
    return Progress(*Progress.get_default_columns()[:2], MofNCompleteColumn(),
                    TimeRemainingColumn(), TextColumn('{task.fields[name]}', markup=False),
                    console=Console(stderr=True))


def timed_log(unit: str = 's') -> Callable[[str], None]:
    """Return a function that prints a line with the time since now: ``[  1.5 s] text``.

    A terminal that was closed does not end the work.

    :param unit: ``s`` or ``min``.
    """
    started, seconds = time.monotonic(), {'s': 1, 'min': 60}[unit]

    def log(line: str) -> None:
        with contextlib.suppress(OSError):
            print(f'[{(time.monotonic() - started) / seconds:5.1f} {unit}] {line}',
                  file=sys.stderr, flush=True)

    return log
