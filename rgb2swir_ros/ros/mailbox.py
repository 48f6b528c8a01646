"""A camera's mailbox: a queue of one frame; the newest wins and every frame is counted."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Generic, TypeVar

Item = TypeVar('Item')


class Mailbox(Generic[Item]):
    """Passes frames from the executor's thread to the worker's.

    At any moment, each received frame is either in hand (in the mailbox or with the worker) or
    counted under exactly one outcome, so ``received`` equals the sum of both.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frame: Item | None = None
        self._with_worker = False
        self._received = 0
        self._outcomes: Counter[str] = Counter()

    def put(self, frame: Item) -> None:
        """Store a frame; one that is still there is counted as ``dropped_overwritten``."""
        with self._lock:
            self._received += 1
            if self._frame is not None:
                self._outcomes['dropped_overwritten'] += 1
            self._frame = frame

    def take(self) -> Item | None:
        """Take the frame, which `finish` must be called for; None if there is none.

        :raises RuntimeError: if the frame taken before was not finished.
        """
        with self._lock:
            if self._with_worker:
                raise RuntimeError('the frame taken before was not finished')
            frame, self._frame = self._frame, None
            self._with_worker = frame is not None
            return frame

    def finish(self, outcome: str) -> None:
        """Count the outcome of the frame that was taken.

        :param outcome: ``translated``, ``dropped_<reason>`` or ``refused_<reason>``.
        :raises RuntimeError: if none was taken.
        """
        with self._lock:
            if not self._with_worker:
                raise RuntimeError(f"no frame was taken that could be '{outcome}'")
            self._with_worker = False
            self._outcomes[outcome] += 1

    def discard(self, outcome: str) -> None:
        """Remove a frame that is still in the mailbox, and count its outcome."""
        with self._lock:
            if self._frame is not None:
                self._frame = None
                self._outcomes[outcome] += 1

    def snapshot(self) -> dict[str, int]:
        """Return ``received``, ``in_hand`` and every outcome as one consistent snapshot."""
        with self._lock:
            in_hand = int(self._frame is not None) + int(self._with_worker)
            return {'received': self._received, 'in_hand': in_hand, **self._outcomes}
