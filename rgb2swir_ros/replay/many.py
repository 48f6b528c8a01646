"""Replay many bags: one after the other, on processes of this machine, or on a Ray cluster.

Each bag is a job of its own, so the result does not depend on where it ran. A bag that fails, or
whose process dies, never keeps the others from being replayed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.pool import map_unordered
from rgb2swir_ros.replay.replay_bag import BagReplay
from rgb2swir_ros.replay.replay_options import ReplayOptions
from rgb2swir_ros.replay.run_record import RunRecord
from rgb2swir_ros.replay.storage.metadata import read_metadata
from rgb2swir_ros.replay.storage.recording import STORAGES, is_recording, storages

LOCAL = 'local'  # in place of a Ray cluster's address: one on this machine, for this run


@dataclass(frozen=True)
class BagJob:
    """A bag and the folder of its results; both absolute."""

    source: Path
    target: Path
    options: ReplayOptions
    overwrite: bool = False
    opener: Callable[..., Any] | None = None


@dataclass(frozen=True)
class BagResult:
    """What became of a bag: the record of its run, or why there is none."""

    source: Path
    target: Path
    run: RunRecord | None = None
    failure: str = ''

    @property
    def failures(self) -> list[str]:
        """Return everything that was lost, a line each."""
        return self.run.failures if self.run is not None else [self.failure]


def list_bags(paths: Sequence[Path], out: Path) -> list[tuple[Path, Path]]:
    """Return each bag and the folder of its results, in the order of the paths.

    A folder that is no bag stands for the bags in it. What is no bag at all stays in the list, so
    that it is named when it is read. Of two bags of one name the later gets a number: ``name_2``.
    """
    found = list(dict.fromkeys(bag for path in paths for bag in _bags_in(path.absolute())))
    taken: set[str] = set()
    listed = []
    for bag in found:
        name = stem = _bag_name(bag)
        number = 1
        while name in taken:
            number += 1
            name = f'{stem}_{number}'
        taken.add(name)
        listed.append((bag, out.absolute() / name))
    return listed


def _bags_in(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
    elif is_recording(path):
        several = read_metadata(path) is None and len(storages(path)) > 1
        yield from storages(path) if several else [path]
    else:
        inside = [bag for folder in sorted(p for p in path.iterdir() if p.is_dir())
                  if not folder.is_symlink() and _holds_bags(folder) for bag in _bags_in(folder)]
        yield from inside or [path]


def _holds_bags(folder: Path) -> bool:
    return is_recording(folder) or any(
        not inner.is_symlink() and _holds_bags(inner) for inner in folder.iterdir()
        if inner.is_dir())


def _bag_name(path: Path) -> str:
    for suffix in sorted(STORAGES, key=len, reverse=True):
        if path.name.lower().endswith(suffix) and not path.is_dir():
            return path.name[:-len(suffix)] or path.name
    return path.name


def replay_job(job: BagJob) -> BagResult:
    """Replay one bag in this process; no error leaves it but an interrupt."""
    try:
        run = BagReplay(job.source, job.target, job.options, overwrite=job.overwrite,
                        opener=job.opener).run()
    except UserError as error:
        return BagResult(job.source, job.target, failure=str(error))
    except Exception as error:  # whatever a library meets in a bag must not end the others
        return BagResult(job.source, job.target, failure=f'{type(error).__name__}: {error}')
    return BagResult(job.source, job.target, run)


def replay_on_processes(jobs: Sequence[BagJob], workers: int) -> Iterator[BagResult]:
    """Yield each bag's result, in the order of completion.

    :param workers: processes, at least 1.
    """
    for unit in map_unordered(replay_job, jobs, workers):
        yield unit.value or BagResult(unit.job.source, unit.job.target, failure=unit.failure)


def replay_on_ray(jobs: Sequence[BagJob], address: str) -> Iterator[BagResult]:
    """Yield each bag's result, in the order of completion.

    The paths must mean the same on every machine of the cluster, and the package must be installed
    on each.

    :param address: of an existing cluster (``auto``, ``ray://HOST:10001``, ``HOST:6379``), or
        ``local``.
    :raises UserError: if Ray is not installed or there is no such cluster.
    """
    os.environ['RAY_USAGE_STATS_ENABLED'] = '0'
    try:
        import ray
    except ImportError as error:
        raise UserError(f"--ray needs Ray, which cannot be imported ({error}): pip install "
                        "'rgb2swir_ros[fleet]'") from error
    threads = max(job.options.translation.threads for job in jobs)
    try:
        ray.init(address=None if address == LOCAL else address, log_to_driver=False,
                 configure_logging=False, include_dashboard=False if address == LOCAL else None)
    except Exception as error:  # ConnectionError, ValueError, and what its processes raise
        raise UserError(f"no Ray cluster at '{address}': {str(error).splitlines()[0]}") from error
    try:
        remote = ray.remote(num_cpus=threads, max_retries=0)(replay_job)
        running = {remote.remote(job): job for job in jobs}
        while running:
            (ready,), _ = ray.wait(list(running), num_returns=1)
            job = running.pop(ready)
            try:
                yield ray.get(ready)
            except Exception as error:  # the worker died, or its machine is gone
                lines = str(error).strip().splitlines() or ['no reason given']
                # an error of the worker's Python comes with its traceback, the error last
                line = lines[-1] if isinstance(error, ray.exceptions.RayTaskError) else lines[0]
                yield BagResult(job.source, job.target, failure=f'its Ray worker failed: {line}')
    finally:
        ray.shutdown()
