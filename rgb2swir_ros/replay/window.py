"""A part of a recording's time, by rosbag2's options."""

from __future__ import annotations

from dataclasses import dataclass

FOREVER = 1 << 63  # nanoseconds; no record time reaches it


@dataclass(frozen=True)
class Window:
    """The record times from ``start_ns``, inclusive, to ``end_ns``, exclusive, in nanoseconds."""

    start_ns: int = -FOREVER
    end_ns: int = FOREVER

    def __contains__(self, log_ns: int | None) -> bool:
        """Return whether a record time lies in the window."""
        return log_ns is not None and self.start_ns <= log_ns < self.end_ns

    def is_past(self, log_ns: int) -> bool:
        """Return whether a record time lies after the window."""
        return log_ns >= self.end_ns


WHOLE = Window()


def window_of(first_ns: int | None, start_offset_s: float = 0.0,
              playback_duration_s: float | None = None) -> Window:
    """Return the window of rosbag2's ``--start-offset`` and ``--playback-duration``.

    :param first_ns: the recording's earliest record time; None if it has no message.
    """
    if first_ns is None or (not start_offset_s and playback_duration_s is None):
        return WHOLE
    start = first_ns + round(start_offset_s * 1e9) if start_offset_s else -FOREVER
    if playback_duration_s is None:
        return Window(start)
    return Window(start, max(start, first_ns) + round(playback_duration_s * 1e9))
