"""One line on stderr that says how far a long measurement is."""

from __future__ import annotations

import sys
import time

SAY_EVERY_S = 1.0


class Progress:
    """Count frames; call it after each."""

    def __init__(self, total: int | None, what: str = 'frames') -> None:
        """Start at none of ``total``; None where only reading tells how many there are."""
        self.total, self.what = total, what
        self.done = 0
        self._started = self._said = time.monotonic()

    def __call__(self) -> None:
        """Count one more; say so at most once a second, and at the end."""
        self.done += 1
        now = time.monotonic()
        if now - self._said < SAY_EVERY_S and self.done != self.total:
            return
        self._said = now
        left = '' if self.total is None else \
            f', {(now - self._started) / self.done * (self.total - self.done):.0f} s left'
        print(f'\r{self.done}/{self.total or "?"} {self.what}{left}   ', end='', file=sys.stderr,
              flush=True)

    def end(self) -> None:
        """End the line."""
        print(file=sys.stderr)
