"""The clock that stamps are taken from, and whether it can be trusted."""

from __future__ import annotations

import ctypes
import time

TIME_ERROR = 5  # linux/timex.h: the clock is not synchronised
JUMP_NS = 20_000_000
# Reads of two clocks count as one instant if so little lies between them, and so often is tried.
INSTANT_NS = 50_000
TRIES = 10
TIMEX_BYTES = 208 + 64  # sizeof(struct timex) on 64-bit Linux, and room to spare


def clock_problem(name: str) -> str:
    """Return what is wrong with a clock before a run; empty if nothing is known to be.

    :param name: ``system``, ``ptp`` or ``sim``.
    """
    if name != 'ptp':
        return ''
    buffer = (ctypes.c_char * TIMEX_BYTES)()  # modes = 0: only read
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(buffer))
    except (OSError, AttributeError):
        return 'time: ptp cannot be checked on this system'
    if state in (-1, TIME_ERROR):
        return ('the clock is said to be disciplined by PTP, but the kernel calls it '
                'unsynchronised: start phc2sys (or chrony, or ptp4l with software stamps), or '
                'name the clock: time: system')
    return ''


def read_clocks() -> tuple[int, int]:
    """Return the system's clock and the monotonic one at one instant, in ns.

    A thread may lose the processor between its reads, for tens of milliseconds on a busy machine.
    So the system's clock is read between two reads of the monotonic one, again where they lie
    apart, and the closest reads count.
    """
    closest = None
    for _ in range(TRIES):
        before, wall, after = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
        if closest is None or after - before < closest[0]:
            closest = after - before, wall, (before + after) // 2
        if closest[0] <= INSTANT_NS:
            break
    assert closest is not None
    return closest[1], closest[2]


class ClockGuard:
    """Compares the system's clock with the monotonic one, which nobody sets."""

    def __init__(self) -> None:
        self._offset = self._read()

    @staticmethod
    def _read() -> int:
        wall, monotonic = read_clocks()
        return wall - monotonic

    def jump(self) -> str:
        """Return by how much the system's clock has jumped since the last call, or nothing."""
        offset = self._read()
        jumped, self._offset = offset - self._offset, offset
        if abs(jumped) < JUMP_NS:
            return ''
        return f"the system's clock jumped by {jumped / 1e6:+.0f} ms"


def impossible_age(age_ns: int, most_ns: int, future_ns: int = JUMP_NS) -> str:
    """Return why a frame cannot be of this age; empty if it can.

    :param age_ns: now - its stamp, of one clock.
    :param most_ns: older ones are impossible.
    :param future_ns: tolerance for stamps from the future.
    """
    if age_ns < -future_ns:
        return f'a stamp lies {-age_ns / 1e6:.0f} ms in the future: the clocks do not agree'
    if age_ns > most_ns:
        return (f'a stamp is {age_ns / 1e9:.1f} s old when it arrives: another clock, or a '
                'recording that is played as if it were live')
    return ''
