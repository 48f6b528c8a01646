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


def pytest_report_header() -> str:
    """Say which of the libraries that differ between machines the tests run with."""
    import cv2
    import numpy as np
    return f'OpenCV {cv2.__version__}, NumPy {np.__version__}'
