"""What the node's console says of troubles: each kind once, then now and then."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any

from rgb2swir_ros.errors import UserError

EVERY_NS = 60 * 10**9


class Console:
    """Says a trouble when it first comes, and again at most once a minute. Safe under threads."""

    def __init__(self, logger: Any, now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._logger, self._now_ns = logger, now_ns
        self._lock = threading.Lock()
        self._said: dict[Hashable, int] = {}

    def warn(self, kind: Hashable, text: str) -> None:
        """Warn, unless that was done less than a minute ago.

        :param kind: texts of one kind are throttled together.
        """
        if self._due(kind):
            self._logger.warning(text)

    def error(self, kind: Hashable, text: str) -> None:
        """Log an error as ``warn`` logs a warning."""
        # rclpy raises where one line of code logs with two severities
        if self._due(kind):
            self._logger.error(text)

    def _due(self, kind: Hashable) -> bool:
        now = self._now_ns()
        with self._lock:
            last = self._said.get(kind)
            if last is not None and now - last < EVERY_NS:
                return False
            self._said[kind] = now
        return True


def one_line(error: BaseException, what: str) -> str:
    """Return an error as one line.

    :param what: what failed; left out where the error is a user's mistake, whose text says all.
    """
    text = ' '.join(str(error).split())
    return text if isinstance(error, UserError) else f'{what}: {type(error).__name__}: {text}'
