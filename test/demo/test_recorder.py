"""Where the demo's recorder puts what it hears."""

from __future__ import annotations

from rgb2swir_ros.demo.recorder import TimeLine


def test_messages_lie_at_their_stamps() -> None:
    line = TimeLine()
    assert [line.place(stamp, 5 * stamp) for stamp in (7, 9)] == [7, 9]


def test_without_usable_stamps_messages_lie_as_they_arrive() -> None:
    line = TimeLine(1_750_000_000_000_000_000)
    assert [line.place(0, arrival) for arrival in (40, 40, 100)] == [
        1_750_000_000_000_000_000, 1_750_000_000_000_000_000, 1_750_000_000_000_000_060]
