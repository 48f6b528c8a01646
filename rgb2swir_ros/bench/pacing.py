"""How exactly the bench keeps a fixed latency: ``rgb2swir bench pacing``."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from rgb2swir_ros.files import write_picture
from rgb2swir_ros.hil.conduct import Records, run_bench
from rgb2swir_ros.hil.figures import Figures
from rgb2swir_ros.hil.judging import saturation
from rgb2swir_ros.hil.result import SENT
from rgb2swir_ros.hil.scenario import Scenario, load_scenario
from rgb2swir_ros.imaging.resize import resize
from rgb2swir_ros.replay.drive import DriveSource
from rgb2swir_ros.replay.frames import decode
from rgb2swir_ros.ros.transport import local_environment
from rgb2swir_ros.sizes import parse_size

TARGET_P99_MS = 3.0
PICTURES = 30


@dataclass(frozen=True)
class PacingSettings:
    """What is measured.

    :param size: of the frames, WIDTHxHEIGHT.
    :param frames: of each run.
    :param hog: so many processes compute as hard as they can during the whole run.
    :param domain_id: ROS domain of the measurement.
    """

    model: str
    size: str
    backend: str
    rate_hz: float
    latency_ms: float
    frames: int
    hog: int
    domain_id: int


def measure(settings: PacingSettings, say: Callable[[str], None]) -> dict[str, Any]:
    """Run the bench once and return its figures.

    The pacing error is |leaving time - due time| of the frames that left, as the bench's node
    itself measures around ``publish``; arrival is what a subscriber in a process of its own sees,
    and counts the frames by their stamps without knowing what the node has counted.

    :param say: told of each line that the node logs.
    """
    with tempfile.TemporaryDirectory(prefix='rgb2swir_pacing_') as folder:
        path = Path(folder) / 'pacing.yaml'
        path.write_text(yaml.safe_dump(_scenario(settings)))
        write_pictures(Path(folder) / 'pictures', parse_size(settings.size))
        scenario = load_scenario(path)
        records = run_bench(
            scenario, Path(folder) / 'out', rendered=None, transport='local', overwrite=False,
            say=say, environment=local_environment(domain_id=settings.domain_id))
    return summarise(scenario, records)


def summarise(scenario: Scenario, records: Records) -> dict[str, Any]:
    """Return the figures of a run."""
    run = records.run
    figures = Figures(scenario, run, records.observation, records.responses)
    due = {frame.index for frame in run.frames}
    sent = [frame for frame in run.frames if frame.outcome in SENT]
    # the subscriber's own count knows nothing of the record: stamps that came, of as many as the
    # rate gives in the time
    given = round(scenario.duration_ns / 1e9 * scenario.pacing.rate_hz)
    seen = len({arrival.stamp_ns for arrival in records.observation.arrivals})
    after_due = [(arrival.monotonic_ns - frame.due_ns) / 1e6 for frame, arrival in figures.arrived]
    return {
        'frames': len(due), **dict(run.counts()),
        'bench_misses': len(due) - len(sent), 'subscriber_misses': given - seen,
        'pacing_error_ms': _spread(figures.pacing_errors_ms(lambda _: True)),
        'arrival_after_stamp_ms': _spread(figures.arrival_ages_ms(lambda _: True)),
        'arrival_after_due_ms': _spread(after_due), 'jitter_ms': _spread(
            figures.jitters_ms(lambda _: True)),
        'overload': [*run.overload, *saturation(run, records.load)], 'error': run.error}


def _scenario(settings: PacingSettings) -> dict[str, Any]:
    seconds = settings.frames / settings.rate_hz
    faults = [{'kind': 'cpu_load', 'processes': settings.hog}] if settings.hog else []
    return {
        'name': 'pacing', 'duration_s': seconds, 'source': {'kind': 'folder', 'path': 'pictures'},
        'translator': {'model': settings.model, 'size': settings.size,
                       'backend': settings.backend},
        'sensor': {'preset': 'ideal', 'output_size': settings.size},
        'pacing': {'latency_ms': settings.latency_ms, 'rate_hz': settings.rate_hz},
        'phases': [{'name': 'all', 'faults': faults}]}


def write_pictures(folder: Path, size: tuple[int, int]) -> None:
    """Write pictures of the package's drive, cut to the shape of (height, width) and scaled."""
    folder.mkdir()
    height, width = size
    for number, frame in enumerate(itertools.islice(DriveSource().frames(), PICTURES)):
        rgb = decode(frame)
        scale = min(rgb.shape[0] / height, rgb.shape[1] / width)
        rows, columns = round(height * scale), round(width * scale)
        top, left = (rgb.shape[0] - rows) // 2, (rgb.shape[1] - columns) // 2
        cut = resize(np.ascontiguousarray(rgb[top:top + rows, left:left + columns]), size)
        write_picture(folder / f'{number:03d}.png', cut)


def _spread(values: Sequence[float]) -> dict[str, float] | None:
    if not values:
        return None
    found = np.percentile(values, (50, 99, 100))
    return {name: round(float(value), 3)
            for name, value in zip(('p50', 'p99', 'max'), found, strict=True)}


def table(report: dict[str, Any]) -> str:
    """Return the figures for people."""
    lines = [f"{report['size']} at {report['rate_hz']:g} Hz, latency {report['latency_ms']:g} ms, "
             f"{report['frames']} frames a run, {report['hog']} processes beside it"]
    for number, run in enumerate(report['runs'], 1):
        lines.append(f"run {number}: {run['frames']} frames due, misses {run['bench_misses']}, "
                     f"of the subscriber {run['subscriber_misses']}")
        for key, name in (('pacing_error_ms', '|leaving - due|'),
                          ('arrival_after_due_ms', 'arrival - due'),
                          ('arrival_after_stamp_ms', 'arrival - stamp'), ('jitter_ms', 'jitter')):
            spread = run[key]
            text = 'nothing left' if spread is None else '  '.join(
                f'{one} {value:.3f} ms' for one, value in spread.items())
            lines.append(f'  {name:<18} {text}')
        lines += [f'  not to be judged by: {text}' for text in run['overload']]
        lines += [f"  error: {run['error']}"] if run['error'] else []
    empty = any(run['pacing_error_ms'] is None for run in report['runs'])
    met = 'yes' if report['target_met'] else 'nothing left in a run' if empty else 'no'
    lines.append(f"p99 of |leaving - due| at most {report['target_p99_ms']:g} ms: {met}; "
                 f"counts equal: {'yes' if report['counts_equal'] else 'no'}")
    return '\n'.join(lines)


def report_of(settings: PacingSettings, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the runs with what was set and what comes of them."""
    worst = [run['pacing_error_ms']['p99'] if run['pacing_error_ms'] else float('inf')
             for run in runs]
    return {
        'model': settings.model, 'size': settings.size, 'rate_hz': settings.rate_hz,
        'latency_ms': settings.latency_ms, 'frames': settings.frames, 'hog': settings.hog,
        'runs': runs, 'target_p99_ms': TARGET_P99_MS,
        'target_met': all(p99 <= TARGET_P99_MS for p99 in worst),
        'counts_equal': all(run['bench_misses'] == run['subscriber_misses'] and not run['error']
                            for run in runs)}
