"""What all tests share."""

from __future__ import annotations

import os
import signal

import pytest

if 'PYTEST_XDIST_WORKER' in os.environ:
    # One core a worker: with a thread a core in each of them, torch and NumPy would spin for
    # cores that the other workers have. The libraries read this when they load.
    os.environ.setdefault('OMP_NUM_THREADS', '1')


def pytest_configure() -> None:
    """Let tests interrupt the processes that they start.

    A job in a shell's background begins with SIGINT ignored, and its children inherit that; they
    do not inherit a handler.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files of slow tests: the worker that took one last would end alone."""
    slow = {item.path for item in items if item.get_closest_marker('slow')}
    items.sort(key=lambda item: item.path not in slow)


def pytest_report_header() -> str:
    """Say which of the libraries that differ between machines the tests run with."""
    import cv2
    import numpy as np
    return f'OpenCV {cv2.__version__}, NumPy {np.__version__}'
