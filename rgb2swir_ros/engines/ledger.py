"""Which sizes an engine is wanted for, and what became of each. No process and no lock in here.

One bad size fails alone: a process that dies while it builds or runs an engine is held against
that size, and after a few times the size is given up, not the process.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from rgb2swir_ros.engines.channel import Size
from rgb2swir_ros.sizes import format_size

ATTEMPTS = 3
FIRST_PAUSE_S = 1.0
# A size that nobody has asked for or used for so long belongs to no camera any more
LEASE_S = 60.0
# The node asks for each camera's size once a second: what is older may make room for a new one
STALE_S = 5.0
LARGEST = 16  # sizes at a time: an engine takes some hundred megabytes


@dataclass
class _Page:
    """What is known of one size."""

    wanted_at: float
    stumbles: int = 0
    failure: str = ''
    retry_at: float | None = None


class Ledger:
    """The sizes that are wanted, in the order in which they were first asked for."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with none.

        :param clock: seconds, never going back.
        """
        self._clock = clock
        self._pages: dict[Size, _Page] = {}
        self._turned_away: dict[Size, float] = {}

    def __contains__(self, size: Size) -> bool:
        """Say whether there is, or is to be, an engine of this size, or was until it failed."""
        return size in self._pages

    def ask(self, size: Size) -> bool:
        """Note that a size is wanted now; return whether an engine is to be made for it.

        Where there are `LARGEST` others, it is turned away, which `failures` tells.
        """
        if size in self._pages:
            self.use(size)
            return False
        if len(self._pages) >= LARGEST:
            if len(self._turned_away) < LARGEST:
                self._turned_away[size] = self._clock()
            return False
        self._turned_away.pop(size, None)
        self._pages[size] = _Page(self._clock())
        return True

    def use(self, size: Size) -> None:
        """Note that a size is still wanted."""
        if page := self._pages.get(size):
            page.wanted_at = self._clock()

    def failures(self) -> dict[Size, str]:
        """Return why each size that is given up is."""
        full = (f'{LARGEST} other sizes have engines, the most at a time: have the cameras send '
                'fewer sizes')
        return {**{size: page.failure for size, page in self._pages.items() if page.failure},
                **dict.fromkeys(self._turned_away, full)}

    def standing(self) -> list[Size]:
        """Return the sizes that are not given up; those that have never stumbled come first."""
        sizes = [size for size, page in self._pages.items() if not page.failure]
        return sorted(sizes, key=lambda size: self._pages[size].stumbles)

    def fail(self, size: Size, reason: str) -> None:
        """Give a size up."""
        if page := self._pages.get(size):
            page.failure, page.retry_at = reason, None

    def stumble(self, size: Size, reason: str) -> bool:
        """Note that a size went wrong in a way that may pass; return whether it is given up."""
        page = self._pages.get(size)
        if page is None or page.failure:
            return False
        page.stumbles += 1
        if page.stumbles >= ATTEMPTS:
            self.fail(size, f'{page.stumbles} times in a row, the last time: {reason}')
            return True
        page.retry_at = self._clock() + FIRST_PAUSE_S * 2 ** (page.stumbles - 1)
        return False

    def succeed(self, size: Size) -> None:
        """Note that an engine of this size has translated a frame."""
        if page := self._pages.get(size):
            page.stumbles, page.retry_at = 0, None

    def due(self) -> list[Size]:
        """Return the sizes whose pause after a stumble is over, once."""
        now = self._clock()
        sizes = [size for size, page in self._pages.items()
                 if page.retry_at is not None and page.retry_at <= now]
        for size in sizes:
            self._pages[size].retry_at = None
        return sizes

    def forget_unwanted(self, room_for: Size | None = None) -> list[Size]:
        """Drop and return the sizes that are wanted no longer.

        Those are all whose lease is over and, where another one needs room, the one that was
        wanted longest ago, unless that was just now.
        """
        now = self._clock()
        self._turned_away = {size: at for size, at in self._turned_away.items()
                             if now - at <= LEASE_S}
        oldest = sorted(self._pages, key=lambda size: self._pages[size].wanted_at)
        over = len(self._pages) + (room_for not in (None, *self._pages)) - LARGEST
        dropped = [size for rank, size in enumerate(oldest)
                   if now - self._pages[size].wanted_at > (STALE_S if rank < over else LEASE_S)]
        for size in dropped:
            del self._pages[size]
        return dropped

    def clear_failures(self) -> None:
        """Give every size another chance."""
        now = self._clock()
        self._pages = {size: _Page(now) for size in self._pages}
        self._turned_away = {}

    def __str__(self) -> str:
        """Return what failed in one line; empty if nothing did."""
        return '; '.join(f'{format_size(size)} failed: {reason}'
                         for size, reason in self.failures().items())
