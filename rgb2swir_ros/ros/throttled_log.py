"""Throttled logging of problems: each kind at once, then at most once a minute."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any

from rgb2swir_ros.errors import UserError

EVERY_NS = 60 * 10**9


class ThrottledLog:
    """Logs each kind of problem at most once a minute. Thread-safe."""

    def __init__(self, logger: Any, now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._logger, self._now_ns = logger, now_ns
        self._lock = threading.Lock()
        self._logged: dict[Hashable, int] = {}

    def warn(self, kind: Hashable, text: str) -> None:
        """Log a warning, unless one of this kind was logged less than a minute ago.

        :param kind: texts of one kind are throttled together.
        """
        if self._due(kind):
            self._logger.warning(text)

    def error(self, kind: Hashable, text: str) -> None:
        """Log an error as ``warn`` logs a warning."""
        # a separate line of code: rclpy raises if one line logs with two severities
        if self._due(kind):
            self._logger.error(text)

    def _due(self, kind: Hashable) -> bool:
        now = self._now_ns()
        with self._lock:
            last = self._logged.get(kind)
            if last is not None and now - last < EVERY_NS:
                return False
            self._logged[kind] = now
        return True


def one_line(error: BaseException, what: str) -> str:
    """Return an error as one line.

    :param what: what failed; omitted for a `UserError`, whose text is complete.
    """
    text = ' '.join(str(error).split())
    return text if isinstance(error, UserError) else f'{what}: {type(error).__name__}: {text}'
