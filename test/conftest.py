"""What all tests share."""

from __future__ import annotations

import os
import signal
from pathlib import Path

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


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each file to one worker, those over real ROS 2 to two, and begin with the longest.

    Live tests wait more than they compute, so three workers keep two cores busy; but three live
    graphs at once would miss their deadlines. The worker that took a slow file last would end
    alone.
    """
    live = {item.path for item in items if item.get_closest_marker('ros')}
    slow = {item.path for item in items if item.get_closest_marker('slow')}
    for item in items:
        item.add_marker(pytest.mark.xdist_group(
            _live_group(item.path) if item.path in live else item.nodeid.split('::')[0]))
    items.sort(key=lambda item: (item.path not in live, item.path not in slow))


def _live_group(path: Path) -> str:
    """Return one of two groups that take about as long."""
    return 'live node' if path.parent.name in ('ros', 'demo') else 'live benches'


def pytest_report_header() -> str:
    """Say which of the libraries that differ between machines the tests run with."""
    import cv2
    import numpy as np
    return f'OpenCV {cv2.__version__}, NumPy {np.__version__}'
