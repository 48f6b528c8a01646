"""What all tests share."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Let tests interrupt the processes that they start.

    A job in a shell's background begins with SIGINT ignored, and its children inherit that; they
    do not inherit a handler.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
