"""The sizes that engines are requested for, and the state of each. Has no process and no lock.

A faulty size fails alone: if a process dies while it builds or runs an engine, that counts as a
failed attempt of the engine's size. After a few attempts the size has failed, not the process.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from rgb2swir_ros.engines.channel import Size
from rgb2swir_ros.sizes import format_size

ATTEMPTS = 3
FIRST_PAUSE_S = 1.0
# A size that is not requested or used for longer is dropped
LEASE_S = 60.0
# The node requests each camera's size once a second: older requests may make room for a new size
STALE_S = 5.0
LARGEST = 16  # sizes at a time: an engine takes some hundred megabytes


@dataclass
class _SizeState:
    """The state of one size."""

    wanted_at: float
    failed_attempts: int = 0
    failure: str = ''
    retry_at: float | None = None


class Ledger:
    """The requested sizes, in the order of their first request."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start empty.

        :param clock: a monotonic clock in seconds.
        """
        self._clock = clock
        self._sizes: dict[Size, _SizeState] = {}
        self._rejected: dict[Size, float] = {}

    def __contains__(self, size: Size) -> bool:
        """Return whether this size has been requested: its engine is pending, ready or failed."""
        return size in self._sizes

    def request(self, size: Size) -> bool:
        """Request a size; return whether its engine must be built.

        If there are `LARGEST` others, the request is rejected, which `failures` reports.
        """
        if size in self._sizes:
            self.use(size)
            return False
        if len(self._sizes) >= LARGEST:
            if len(self._rejected) < LARGEST:
                self._rejected[size] = self._clock()
            return False
        self._rejected.pop(size, None)
        self._sizes[size] = _SizeState(self._clock())
        return True

    def use(self, size: Size) -> None:
        """Record that a size is still needed."""
        if state := self._sizes.get(size):
            state.wanted_at = self._clock()

    def failures(self) -> dict[Size, str]:
        """Return the reason for each size that has failed or was rejected."""
        full = (f'{LARGEST} other sizes have engines, the most at a time: have the cameras send '
                'fewer sizes')
        return {**{size: state.failure for size, state in self._sizes.items() if state.failure},
                **dict.fromkeys(self._rejected, full)}

    def standing(self) -> list[Size]:
        """Return the sizes that have not failed, those with the fewest failed attempts first."""
        sizes = [size for size, state in self._sizes.items() if not state.failure]
        return sorted(sizes, key=lambda size: self._sizes[size].failed_attempts)

    def fail(self, size: Size, reason: str) -> None:
        """Mark a size as failed."""
        if state := self._sizes.get(size):
            state.failure, state.retry_at = reason, None

    def stumble(self, size: Size, reason: str) -> bool:
        """Record a failed attempt, to be repeated later; return whether the size has failed."""
        state = self._sizes.get(size)
        if state is None or state.failure:
            return False
        state.failed_attempts += 1
        if state.failed_attempts >= ATTEMPTS:
            self.fail(size, f'{state.failed_attempts} times in a row, the last time: {reason}')
            return True
        state.retry_at = self._clock() + FIRST_PAUSE_S * 2 ** (state.failed_attempts - 1)
        return False

    def succeed(self, size: Size) -> None:
        """Record that an engine of this size has translated a frame."""
        if state := self._sizes.get(size):
            state.failed_attempts, state.retry_at = 0, None

    def due(self) -> list[Size]:
        """Return the sizes that are due for another attempt, each once."""
        now = self._clock()
        sizes = [size for size, state in self._sizes.items()
                 if state.retry_at is not None and state.retry_at <= now]
        for size in sizes:
            self._sizes[size].retry_at = None
        return sizes

    def forget_unwanted(self, room_for: Size | None = None) -> list[Size]:
        """Drop and return the sizes that are not needed any more.

        Those are the sizes whose lease is over and, if ``room_for`` needs room, the least
        recently needed one, unless that was within `STALE_S`.
        """
        now = self._clock()
        self._rejected = {size: at for size, at in self._rejected.items()
                             if now - at <= LEASE_S}
        oldest = sorted(self._sizes, key=lambda size: self._sizes[size].wanted_at)
        over = len(self._sizes) + (room_for not in (None, *self._sizes)) - LARGEST
        dropped = [size for rank, size in enumerate(oldest)
                   if now - self._sizes[size].wanted_at > (STALE_S if rank < over else LEASE_S)]
        for size in dropped:
            del self._sizes[size]
        return dropped

    def clear_failures(self) -> None:
        """Reset the failures and attempts of every size."""
        now = self._clock()
        self._sizes = {size: _SizeState(now) for size in self._sizes}
        self._rejected = {}

    def __str__(self) -> str:
        """Return the failures in one line; empty if there are none."""
        return '; '.join(f'{format_size(size)} failed: {reason}'
                         for size, reason in self.failures().items())
