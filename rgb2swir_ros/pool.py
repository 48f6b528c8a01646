"""A process pool for independent jobs that survives the death of a worker.

When a worker dies, `multiprocessing.Pool` waits for ever for its job, and
`concurrent.futures.ProcessPoolExecutor` fails every job and names none. Here each worker holds one
job at a time, so the parent knows which job failed. The workers are processes of
`rgb2swir_ros.processes`: those of multiprocessing look for modules in the current folder first.
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
STOP_S = 10.0  # a worker that ends no sooner, as in a long C call, is killed


@dataclass(frozen=True)
class UnitResult(Generic[Job]):
    """Result of one unit of work: the function's ``value``, or the reason of its ``failure``."""

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
    """Yield the result of each job, in order of completion.

    :param function: called as ``function(job)`` in a fresh process, so it and the jobs must be
        picklable. An exception becomes the job's failure.
    :param workers: number of processes, at least 1.
    :raises UserError: the first that a job raises: it would stop all other jobs too (disk full).
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
                    value, failure, is_user_error = worker.pipe.recv()
                except (EOFError, ConnectionError):
                    running.remove(worker)
                    yield UnitResult(worker.job, failure='its worker process died '
                                     f'({_exit_reason(worker.process.wait())})')
                    continue
                job = worker.job
                if is_user_error:
                    raise UserError(failure)
                if not _send_next(worker, left):
                    running.remove(worker)
                    _stop([worker])
                yield UnitResult(job, value, failure)
    finally:
        _stop(running)


def _start_worker(function: Callable[[Any], Any]) -> _Worker:
    ours, theirs = Pipe()
    with theirs:  # closed here: else reading from a dead worker would block
        process = subprocess.Popen(
            python_command(__name__, str(theirs.fileno()), parent_death_signal=True),
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
    with suppress(ConnectionError):  # the worker has died; the next read reports it
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
    """Run jobs until the parent closes the pipe; SIGTERM runs ``finally`` blocks first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # runs `finally` blocks
    os.environ['OMP_NUM_THREADS'] = '1'
    import cv2
    cv2.setNumThreads(1)
    try:
        _serve(pipe)
    finally:  # the parent may terminate it while it ends, where SystemExit has no place to go
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _serve(pipe: Connection[Any, Any]) -> None:
    with suppress(EOFError, ConnectionError):
        sys.path += [entry for entry in pipe.recv() if entry not in sys.path]
        function = pipe.recv()
        while True:
            job = pipe.recv()
            try:
                reply = (function(job), '', False)
            except UserError as error:
                reply = (None, str(error), True)
            except Exception as error:
                place = traceback.extract_tb(error.__traceback__)[-1]
                reply = (None, f'{type(error).__name__}: {error} '
                         f'({Path(place.filename).name}:{place.lineno})', False)
            pipe.send(reply)


if __name__ == '__main__':
    _worker_loop(Connection(int(sys.argv[1])))
