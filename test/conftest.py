"""What all tests share."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

if 'PYTEST_XDIST_WORKER' in os.environ:
    # One core a worker: with a thread a core in each of them, torch and NumPy would spin for
    # cores that the other workers have. The libraries read this when they load.
    os.environ.setdefault('OMP_NUM_THREADS', '1')
    os.environ.setdefault('OMP_WAIT_POLICY', 'passive')  # what waits in spite of that sleeps

# Before each compilation torch compiles a file that does nothing and loads it in a process of its
# own, to see whether the compiler knows the processor; what the tests compile shows that as well
os.environ.setdefault('TORCHINDUCTOR_VEC_ISA_OK', '1')


def pytest_configure() -> None:
    """Let tests interrupt the processes that they start, and hang up on them.

    A job in a shell's background begins with SIGINT ignored, one under ``nohup`` with SIGHUP, and
    its children inherit that; they do not inherit a handler.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)


# Names of other machines that were looked up; a file, since a library may ask in a fork
LOOKED_UP = tempfile.TemporaryFile('a+')  # noqa: SIM115 - as long as the process
HERE = {None, '', 'localhost', 'ip6-localhost', '127.0.0.1', '::1', '0.0.0.0', '::'}
_getaddrinfo = socket.getaddrinfo


def _noted(host: Any, *arguments: Any, **named: Any) -> Any:
    name = host.decode() if isinstance(host, bytes) else host
    if name not in {*HERE, socket.gethostname()}:
        LOOKED_UP.write(f'{name}\n')
        LOOKED_UP.flush()
        raise socket.gaierror(socket.EAI_NONAME, f'the tests look up no other machine: {name}')
    return _getaddrinfo(host, *arguments, **named)


socket.getaddrinfo = _noted


@pytest.fixture(autouse=True)
def _nothing_leaves_this_machine() -> Iterator[None]:
    """Fail a test in which a library, such as OpenVINO's telemetry, wants to reach another."""
    before = os.fstat(LOOKED_UP.fileno()).st_size
    yield
    if os.fstat(LOOKED_UP.fileno()).st_size > before:
        LOOKED_UP.seek(before)
        pytest.fail(f'looked up: {sorted(set(LOOKED_UP.read().split()))}')


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the live and the slow files: the worker that took one last would end alone."""
    live = {item.path for item in items if item.get_closest_marker('ros')}
    slow = {item.path for item in items if item.get_closest_marker('slow')}
    items.sort(key=lambda item: (item.path not in live, item.path not in slow))


# Compilers and exports make millions of objects: collections at Python's threshold (2,000 objects
# or fewer) take a twentieth of the time of these tests
gc.set_threshold(20_000, 20, 50)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Leave what is loaded by now, a million objects, out of later collections of garbage."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each file to one worker, and those over real ROS 2 to two workers.

    Live tests wait more than they compute, so three workers keep two cores busy; but three live
    graphs at once would miss their deadlines.
    """
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group(super()._split_scope(nodeid), config.rootpath)

    return Scheduling(config, log)


@cache
def group(file: str, root: Path) -> str:
    """Return the name of a test file's group: the two of live tests take about as long."""
    if 'pytest.mark.ros' not in (root / file).read_text():
        return file
    return 'live nodes' if Path(file).parent.name in ('ros', 'demo') else 'live benches'


@pytest.fixture(autouse=True)
def _one_core_a_test() -> None:
    """Take back the threads that a verb of an earlier test in this worker has asked torch for."""
    if 'PYTEST_XDIST_WORKER' in os.environ and (torch := sys.modules.get('torch')):
        torch.set_num_threads(1)


def pytest_report_header() -> str:
    """Say which of the libraries that differ between machines the tests run with."""
    import cv2
    import numpy as np
    return f'OpenCV {cv2.__version__}, NumPy {np.__version__}'
