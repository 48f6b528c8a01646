"""The evidence of a run: ``junit.xml``, ``report.json`` and ``report.html`` beside its records."""

from __future__ import annotations

import hashlib
import math
import os
import platform
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.hil.conduct import Records
from rgb2swir_ros.hil.evidence_pictures import gallery
from rgb2swir_ros.hil.evidence_sections import sections
from rgb2swir_ros.hil.figures import Figures
from rgb2swir_ros.hil.judging import judge
from rgb2swir_ros.hil.result import HilRun
from rgb2swir_ros.hil.scenario import Scenario
from rgb2swir_ros.hil.sections import WITH_PATH, SourceSection
from rgb2swir_ros.hil.source import footage_path
from rgb2swir_ros.hil.verdict import RULE, Check, HilResult
from rgb2swir_ros.model_files import model_hash
from rgb2swir_ros.report.data import write_report_json
from rgb2swir_ros.report.html import write_html
from rgb2swir_ros.report.junit import write_junit
from rgb2swir_ros.report.model import Check as ReportCheck
from rgb2swir_ros.report.model import Facts, Report, Section, Verdict
from rgb2swir_ros.resources import model_directory

BLOCK = 2**20
COUNTED = ('frames', 'events')  # units of whole numbers
SHOWN = 3  # checks that are named as those which decided
OVERLOADED = ' Such a run says nothing of the system under test.'
MOST_BYTES = 4 * 2**30  # of footage that is hashed: reading more would take longer than a run
PACKAGES = ('rgb2swir_ros', 'ros-rclpy', 'ros-rmw-fastrtps-cpp', 'torch', 'openvino',
            'rosbags', 'mcap')


def require_report() -> None:
    """Raise UserError unless the report's libraries are there: before a run, not after it."""
    missing = [name for name in ('jinja2', 'matplotlib', 'rosbags') if find_spec(name) is None]
    if missing:
        raise UserError(f"the evidence needs {' and '.join(missing)}: pip install "
                        "'rgb2swir_ros[replay,report]'")


def write_evidence(scenario: Scenario, records: Records, output: Path) -> HilResult:
    """Judge a run and write its evidence.

    :param output: the folder that has the records and ``bag/``.
    :raises UserError: if a library for the report is missing or a file cannot be written.
    """
    figures = Figures(scenario, records.run, records.observation, records.responses)
    result = HilResult(records.run, records.observation, records.responses)
    judge(figures, result, records.load)
    report = make_report(figures, result, records.load, output)
    write_junit(output / 'junit.xml', report)
    write_report_json(output / 'report.json', report)
    write_html(output / 'report.html', report)
    return result


def make_report(figures: Figures, result: HilResult, load: list[tuple[int, float]],
                output: Path) -> Report:
    """Return the report of a judged run."""
    scenario, run = figures.scenario, result.run
    counts = run.counts()
    told = ', '.join(f'{count} {outcome}' for outcome, count in counts.most_common(4))
    parts = sections(figures, load)
    if pictures := gallery(figures, output / 'bag'):
        parts.append(Section('Frames', [pictures], [
            'As recorded outside, brightened for the eye (gamma 2.2).']))
    stamped = datetime.fromtimestamp(run.t0_ns / 1e9, timezone.utc) if (
        run.t0_ns and not scenario.stepped) else datetime.now(timezone.utc)
    return Report(
        name=f'hil.{scenario.name}', title=f'Hardware in the loop: {scenario.name}',
        summary=f'{scenario.description or scenario.name}: {run.duration_ns / 1e9:g} s on the '
                f'{run.clock} clock, seed {run.seed}, latency {run.latency_ns / 1e6:g} ms. '
                f'Frames: {told or "none"}. Verdict: {result.verdict}{_why(result)}.'
                + _of_the_bench(result),
        created=stamped.isoformat(timespec='seconds'), seconds=run.duration_ns / 1e9,
        checks=[_shown(check) for check in result.checks], sections=parts,
        facts=[_versions(), _hashes(scenario, output), _bench(run)],
        verdict=result.verdict)


def text_table(result: HilResult) -> str:
    """Return the checks and the verdict for a terminal."""
    lines = []
    for check in result.checks:
        one = _shown(check)
        measured = '' if check.value is None else f'{check.value:.4g} {check.unit}'.strip()
        limit = f'({one.limit})' if one.limit else ''
        lines.append(' '.join(f'{check.verdict:<12} {check.name:<32} {measured:<14} {limit} '
                              f'{one.message}'.split(' ')).rstrip())
    return '\n'.join([*lines, f'verdict: {result.verdict}{_why(result)}'])


def _of_the_bench(result: HilResult) -> str:
    """Return what an inconclusive run means, if the bench is the reason."""
    bench = any(name.startswith(f'{RULE}.') for name in result.decided_by)
    return OVERLOADED if bench and result.verdict is Verdict.INCONCLUSIVE else ''


def _why(result: HilResult) -> str:
    """Return by which checks a verdict came about, as the end of a line."""
    names = result.decided_by
    more = f' and {len(names) - SHOWN} more' if len(names) > SHOWN else ''
    return f", by {', '.join(names[:SHOWN])}{more}" if names else ''


def _shown(check: Check) -> ReportCheck:
    """Return a check as a report has it."""
    limit = ''
    if check.limit is not None:
        limit = f"{'at least' if check.lower else 'at most'} {check.limit:g}"
    value: float | int | None = check.value
    if value is not None and check.unit in COUNTED and math.isfinite(value):
        value = int(value)
    return ReportCheck(check.name, check.verdict, value, limit, check.unit, check.text)


def _versions() -> Facts:
    entries: dict[str, str] = {}
    for name in PACKAGES:
        try:
            entries[name] = version(name)
        except PackageNotFoundError:  # ROS of a system is none of Python's packages
            continue
    return Facts('Versions', {
        **entries, 'Python': platform.python_version(), 'OpenCV': cv2.__version__,
        'NumPy': np.__version__,
        'ROS distribution': os.environ.get('ROS_DISTRO') or 'ROS_DISTRO is not set',
        'RMW': os.environ.get('RMW_IMPLEMENTATION') or 'the default',
        'system': platform.platform(), 'processors': os.cpu_count() or 0})


def _hashes(scenario: Scenario, output: Path) -> Facts:
    entries = {f'scenario {scenario.path.name}': sha256(scenario.path)}
    try:
        folder = model_directory(scenario.translator.model)
        entries[f'model {scenario.translator.model}'] = model_hash(folder)
    except UserError as error:
        entries[f'model {scenario.translator.model}'] = str(error)
    for camera, section in scenario.sources.items():
        entries |= _footage_hash(f'source of {camera}', section, scenario, output)
    if scenario.watchdog.failover:
        entries |= _footage_hash('failover source', scenario.watchdog.failover, scenario, output)
    records = [output / name for name in ('run.json', 'observation.json', 'responses.json')]
    for path in [*sorted((output / 'bag').glob('*')), *records]:
        if path.is_file():
            entries[path.relative_to(output).as_posix()] = sha256(path)
    return Facts('SHA-256', entries)


def _footage_hash(name: str, section: SourceSection, scenario: Scenario,
                  output: Path) -> dict[str, str]:
    """Return the hash of a source's files by its name; nothing of one that has no files."""
    if section.kind in WITH_PATH:
        return {name: sha256_of_all(footage_path(section, scenario.path.absolute().parent))}
    return {name: sha256_of_all(output / 'rendered')} if section.kind == 'rendered' else {}


def _bench(run: HilRun) -> Facts:
    entries: dict[str, str | int | float | bool] = {
        'stamps are of the clock': run.clock_name, 'first stamp, ns': run.t0_ns,
        'pacing thread has real-time priority': run.realtime}
    for name, value in run.engine.items():
        if isinstance(value, dict):
            entries |= {f'engine {name}: {key}': ', '.join(
                f'{part} {figure:g}' for part, figure in one.items()) if isinstance(one, dict)
                else str(one) for key, one in value.items()}
        else:
            entries[f'engine: {name}'] = value
    entries |= {f'sensor: {key}': value for key, value in run.sensor.items()}
    entries |= {f'topic of {camera}': topic for camera, topic in run.topics.items()}
    return Facts('Bench', entries)


def sha256_of_all(path: Path) -> str:
    """Return a file's SHA-256, or that of a folder; words if there is too much to read.

    A folder's is that of what ``sha256sum`` prints of its files, in order of their names.
    """
    if not path.is_dir():
        return sha256(path) if _size(path) <= MOST_BYTES else _too_much(path)
    if _size(path) > MOST_BYTES:
        return _too_much(path)
    files = sorted(one.relative_to(path).as_posix() for one in path.rglob('*') if one.is_file())
    lines = ''.join(f'{sha256(path / name)}  {name}\n' for name in files)
    return hashlib.sha256(lines.encode()).hexdigest()


def _size(path: Path) -> int:
    files = path.rglob('*') if path.is_dir() else [path]
    return sum(one.stat().st_size for one in files if one.is_file())


def _too_much(path: Path) -> str:
    return f'not computed of {_size(path) / 1e9:.1f} GB'


def sha256(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal digits; words if it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open('rb') as file:
            while block := file.read(BLOCK):
                digest.update(block)
    except OSError as error:
        return f'cannot be read: {error.strerror}'
    return digest.hexdigest()
