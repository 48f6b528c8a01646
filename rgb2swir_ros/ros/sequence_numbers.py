"""Detection of frames that the middleware lost, by gaps in the publishers' sequence numbers."""

from __future__ import annotations


class SequenceTracker:
    """Counts the gaps in ``MessageInfo.publication_sequence_number``.

    rclpy does not tell which publisher sent a message, so messages of several publishers (two
    cameras on one topic, or a killed driver and its successor) are distinguished by their
    numbers.
    """

    def __init__(self) -> None:
        self.lost = 0
        self._last: list[int] = []  # last number of each publisher, the most recent first
        self._expected_new = 1

    def restart(self) -> None:
        """Reset the publishers for a new subscription. The count stays."""
        self._last = []
        self._expected_new = 1

    def publishers_changed(self, new: int, current: int) -> None:
        """Handle a matched event.

        :param new: number of publishers that were matched since the last event.
        :param current: number of matched publishers, the new ones included.
        """
        # The event does not tell which publisher left: those silent for longest are dropped.
        del self._last[max(current - new, 0):]
        self._expected_new = max(current - len(self._last), 0)

    def see(self, number: int | None) -> int:
        """Return how many messages were lost right before this one, and add them to ``lost``.

        :param number: the sequence number, or None where the middleware gives none (Humble).
        """
        if number is None:
            return 0
        if number - 1 in self._last:
            self._move_to_front(number - 1, number)
            return 0
        below = [last for last in self._last if last < number]
        if self._expected_new or not below:
            # The first message of a publisher: what it sent before the match is not lost.
            self._expected_new = max(self._expected_new - 1, 0)
            self._last.insert(0, number)
            del self._last[8:]
            return 0
        nearest = max(below)
        gap = number - nearest - 1
        self._move_to_front(nearest, number)
        self.lost += gap
        return gap

    def _move_to_front(self, old: int, new: int) -> None:
        self._last.remove(old)
        self._last.insert(0, new)
