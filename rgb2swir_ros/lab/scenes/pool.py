"""Do independent jobs in several processes, and lose none when one of these dies.

Neither `multiprocessing.Pool` (waits for ever for a dead worker's job) nor
`concurrent.futures.ProcessPoolExecutor` (fails every job, names none) says which job killed its
worker. Here each worker holds one job at a time, so the parent knows. The workers are processes of
`rgb2swir_ros.processes`: multiprocessing's own look for modules in the current folder first.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from typing import Any, Generic, TypeVar

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.processes import python_command

Job = TypeVar('Job')
STOP_S = 10.0  # what a worker in the middle of a long C call gets before it is killed


@dataclass(frozen=True)
class UnitResult(Generic[Job]):
    """What became of a job: the function's ``value``, or else the ``failure`` in words."""

    job: Job
    value: Any = None
    failure: str = ''


@dataclass
class _Worker:
    process: subprocess.Popen[bytes]
    pipe: Connection[Any, Any]
    job: Any


def map_unordered(function: Callable[[Job], Any], jobs: Iterable[Job],
                  workers: int) -> Generator[UnitResult[Job], None, None]:
    """Yield each job's outcome, in the order in which they end.

    :param function: called as ``function(job)`` in a fresh process, so it and the jobs must be
        picklable. What it raises becomes the job's failure.
    :param workers: processes at a time, at least 1.
    :raises UserError: the first one that a job raises: no other job would fare better (disk full).
    """
    left = deque(jobs)
    running: list[_Worker] = []
    try:
        while left or running:
            while left and len(running) < workers:
                running.append(_start_worker(function))
                _send_next(running[-1], left)
            ready = wait([worker.pipe for worker in running])
            for worker in [worker for worker in running if worker.pipe in ready]:
                try:
                    value, failure, mendable = worker.pipe.recv()
                except (EOFError, ConnectionError):
                    running.remove(worker)
                    yield UnitResult(worker.job, failure='its worker process died '
                                     f'({_exit_reason(worker.process.wait())})')
                    continue
                job = worker.job
                if mendable:
                    raise UserError(failure)
                if not _send_next(worker, left):
                    running.remove(worker)
                    _stop([worker])
                yield UnitResult(job, value, failure)
    finally:
        _stop(running)


def _start_worker(function: Callable[[Any], Any]) -> _Worker:
    ours, theirs = Pipe()
    with theirs:  # closed here, or a dead worker's pipe would never end
        process = subprocess.Popen(
            python_command(__name__, str(theirs.fileno()), leashed=True),
            pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
    worker = _Worker(process, ours, None)
    with suppress(ConnectionError):
        ours.send([entry for entry in sys.path if entry])
        ours.send(function)
    return worker


def _send_next(worker: _Worker, left: deque[Any]) -> bool:
    if not left:
        return False
    worker.job = left.popleft()
    with suppress(ConnectionError):  # it died just now: reading from it will tell
        worker.pipe.send(worker.job)
    return True


def _stop(running: list[_Worker]) -> None:
    for worker in running:
        worker.pipe.close()
        worker.process.terminate()
    for worker in running:
        try:
            worker.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            worker.process.kill()
            worker.process.wait()


def _exit_reason(code: int | None) -> str:
    if code is not None and code < 0:
        with suppress(ValueError):
            name = signal.Signals(-code).name
            return f'{name}: out of memory?' if name == 'SIGKILL' else name
    return f'exit code {code}'


def _worker_loop(pipe: Connection[Any, Any]) -> None:
    """Live as a worker: ends with the parent, and leaves no half-written file when told to."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the parent decides
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that `finally` blocks run
    os.environ['OMP_NUM_THREADS'] = '1'
    import cv2
    cv2.setNumThreads(1)
    with suppress(EOFError, ConnectionError):
        sys.path += [entry for entry in pipe.recv() if entry not in sys.path]
        function = pipe.recv()
        while True:
            job = pipe.recv()
            try:
                answer = (function(job), '', False)
            except UserError as error:
                answer = (None, str(error), True)
            except Exception as error:
                place = traceback.extract_tb(error.__traceback__)[-1]
                answer = (None, f'{type(error).__name__}: {error} '
                          f'({Path(place.filename).name}:{place.lineno})', False)
            pipe.send(answer)


if __name__ == '__main__':
    _worker_loop(Connection(int(sys.argv[1])))
