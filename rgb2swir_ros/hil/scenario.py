"""A scenario: what a bench run consists of, read from a YAML file and checked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from rgb2swir_ros.checked import Place, build, known_entries, within
from rgb2swir_ros.engines.base import BACKENDS, DEVICES, PRECISIONS
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.hil.fault_entries import (
    LONGEST_S,
    chosen,
    named_apart,
    nanoseconds,
    parse_faults,
    require,
)
from rgb2swir_ros.hil.responders import DETECTOR, responder_kinds
from rgb2swir_ros.hil.sections import (
    NAME,
    STEPPED,
    WITH_PATH,
    MonitorSection,
    PacingSection,
    Phase,
    PlannedFault,
    SourceSection,
    Threshold,
    TranslatorSection,
    WatchdogSection,
)
from rgb2swir_ros.hil.source import footage_path, source_names
from rgb2swir_ros.hil.threshold_entries import parse_thresholds
from rgb2swir_ros.imaging.presets import load_preset, sensor_settings
from rgb2swir_ros.imaging.sensor import SensorSettings
from rgb2swir_ros.resources import model_directory
from rgb2swir_ros.strict_yaml import read_strict_yaml

CAMERA = re.compile(r'/?[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*')


@dataclass(frozen=True)
class _Head:
    """The entries of a file that are no sections."""

    name: str
    description: str = ''
    seed: int = within(0, 2**31 - 1, 0)
    duration_s: float = within(0.1, LONGEST_S, 60.0)
    cameras: tuple[str, ...] = ('camera',)


@dataclass(frozen=True)
class Scenario:
    """A checked scenario.

    :param path: the file that it was read from.
    :param seed: of every draw, together with the camera and the time since the first frame.
    :param sources: of each camera.
    :param sensor: the virtual sensor's settings, the seed among them.
    :param sensor_name: of the preset they are based on.
    :param phases: in order of time, without a gap from 0 to the duration.
    :param faults: in order of their start.
    """

    path: Path
    name: str
    description: str
    seed: int
    duration_ns: int
    cameras: tuple[str, ...]
    sources: dict[str, SourceSection]
    translator: TranslatorSection
    sensor: SensorSettings
    sensor_name: str
    pacing: PacingSection
    watchdog: WatchdogSection
    monitor: MonitorSection
    phases: tuple[Phase, ...]
    faults: tuple[PlannedFault, ...]
    thresholds: tuple[Threshold, ...] = field(default=())

    @property
    def stepped(self) -> bool:
        """Whether it runs on simulated time."""
        return self.pacing.clock == STEPPED

    def phase_at(self, time_ns: int) -> str:
        """Return the name of the phase at a time since the first frame."""
        for phase in self.phases:
            if phase.start_ns <= time_ns < phase.end_ns:
                return phase.name
        return ''


SECTIONS: dict[str, type[Any]] = {
    'translator': TranslatorSection, 'pacing': PacingSection, 'monitor': MonitorSection}
OTHERS = ('source', 'sources', 'sensor', 'watchdog', 'phases', 'thresholds')


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file.

    :raises UserError: naming file, line and value of the first mistake.
    """
    entries = read_strict_yaml(path, 'the scenario', located=True)
    where = Place(str(path))
    head_names = [one.name for one in fields(_Head)]
    known_entries(entries, where, (*head_names, *SECTIONS, *OTHERS))
    head = build(_Head, chosen(entries, head_names), where)
    _check_head(head, where, entries)
    sections = {name: build(kind, entries.get(name, {}), where.entry(entries, name))
                for name, kind in SECTIONS.items()}
    duration_ns = nanoseconds(head.duration_s)
    stepped = sections['pacing'].clock == STEPPED
    _check_translator(sections['translator'], entries, where)
    _check_monitor(sections['monitor'], entries, where)
    sensor_name, sensor = _sensor(entries, where, head.seed)
    phases, faults = _phases(entries, where, head, stepped)
    return Scenario(
        path=path, name=head.name, description=head.description, seed=head.seed,
        duration_ns=duration_ns, cameras=head.cameras, sources=_sources(
            entries, where, head, stepped), sensor=sensor, sensor_name=sensor_name,
        watchdog=_watchdog(entries, where), phases=phases, faults=faults, **sections,
        thresholds=parse_thresholds(
            entries, where, phases=[phase.name for phase in phases], cameras=head.cameras,
            stepped=stepped, loop=bool(sections['monitor'].topic)))


def _phases(entries: Any, where: Place, head: _Head,
            stepped: bool) -> tuple[tuple[Phase, ...], tuple[PlannedFault, ...]]:
    """Return the phases and all their faults.

    A phase ends where the next one begins; the last one with the run.
    """
    given = entries.get('phases', [{'name': 'run', 'start_s': 0}])
    if not isinstance(given, list) or not given:
        raise UserError(f"{where.entry(entries, 'phases')} must be a list of phases")
    heads: list[_PhaseHead] = []
    faults: list[PlannedFault] = []
    starts: list[int] = []
    names: set[str] = set()
    for number, item in enumerate(given):
        here = where.item('phases', number, item)
        known_entries(item, here, ('name', 'start_s', 'faults'))
        phase = build(_PhaseHead, chosen(item, ('name', 'start_s')), here)
        start = nanoseconds(phase.start_s)
        at_least = starts[-1] + 1 if starts else 0
        require(NAME.fullmatch(phase.name) and phase.name not in [one.name for one in heads],
                here, item, 'name', phase.name, 'a word of its own')
        in_order = at_least <= start < nanoseconds(head.duration_s) and (starts or not start)
        require(in_order, here, item, 'start_s', phase.start_s,
                'after the phase before it, within the duration; that of the first phase is 0')
        starts.append(start)
        heads.append(phase)
    ends = [*starts[1:], nanoseconds(head.duration_s)]
    phases = [Phase(one.name, *times) for one, *times in zip(heads, starts, ends, strict=True)]
    for number, (item, made) in enumerate(zip(given, phases, strict=True)):
        here = where.item('phases', number, item).entry(item, 'faults')
        faults += parse_faults(
            item.get('faults', []), here, cameras=head.cameras, start_ns=made.start_ns,
            end_ns=made.end_ns, phase=made.name, stepped=stepped, names=names)
    return tuple(phases), named_apart(sorted(faults, key=lambda fault: fault.start_ns))


@dataclass(frozen=True)
class _PhaseHead:
    name: str
    start_s: float = within(0, LONGEST_S, 0.0)


def _sources(entries: Any, where: Place, head: _Head,
             stepped: bool) -> dict[str, SourceSection]:
    """Return the source of each camera: its own under ``sources``, or the common one."""
    common = _source(entries.get('source', {}), where.entry(entries, 'source'), stepped)
    own = entries.get('sources', {})
    here = where.entry(entries, 'sources')
    known_entries(own, here, head.cameras)
    return {camera: common if camera not in own else _source(
        own[camera], here.entry(own, camera), stepped) for camera in head.cameras}


def _source(entries: Any, here: Place, stepped: bool = False) -> SourceSection:
    section = build(SourceSection, entries, here)
    known = source_names()
    require(section.kind in known, here, entries, 'kind', section.kind,
             f"one of {', '.join(known)}")
    require(not stepped or section.kind != 'topic', here, entries, 'kind', section.kind,
            'footage: a live topic runs on the wall clock')
    if section.kind in WITH_PATH:
        require(_exists(section, Path(here.file).parent), here, entries, 'path',
                section.path, f"the path of a {section.kind}, relative to the scenario's folder: "
                'there is nothing')
    return section


def _exists(section: SourceSection, folder: Path) -> bool:
    try:
        return footage_path(section, folder).exists()
    except (OSError, RuntimeError, ValueError):  # an unknown user after ~, a null character
        return False


def _watchdog(entries: Any, where: Place) -> WatchdogSection:
    given, here = entries.get('watchdog', {}), where.entry(entries, 'watchdog')
    section = build(WatchdogSection, given, here)
    if section.failover is not None:
        failover = _source(given['failover'], here.entry(given, 'failover'))
        require(failover.kind != 'topic', here, given, 'failover', failover.kind, 'footage: a '
                 'live topic may be as silent')
    return section


def _check_translator(section: TranslatorSection, entries: Any, where: Place) -> None:
    given, here = entries.get('translator', {}), where.entry(entries, 'translator')
    for key, known in (('backend', BACKENDS), ('precision', PRECISIONS), ('device', DEVICES)):
        value = getattr(section, key)
        require(value in ('auto', *known), here, given, key, value,
                f"one of auto, {', '.join(known)}")
    try:
        model_directory(section.model)
    except UserError as error:
        raise UserError(f"{here.entry(given, 'model')}: {error}") from None


def _check_monitor(section: MonitorSection, entries: Any, where: Place) -> None:
    given, here = entries.get('monitor', {}), where.entry(entries, 'monitor')
    known = sorted({DETECTOR, *responder_kinds()})
    require(section.responder in ('', *known), here, given, 'responder', section.responder,
            f"one of {', '.join(known)}")
    require(bool(section.topic) or not section.responder, here, given, 'responder',
            section.responder, "together with a 'topic' to answer on")


def _sensor(entries: Any, where: Place, seed: int) -> tuple[str, SensorSettings]:
    """Return the name of the preset and the settings: the preset's, with changes."""
    given, here = entries.get('sensor', {}), where.entry(entries, 'sensor')
    if isinstance(given, str):
        given = {'preset': given}
    if not isinstance(given, dict):
        raise UserError(f'{here} must be the name of a preset or a mapping, not {given!r}')
    name = given.get('preset', 'imx991_low_gain')
    try:
        preset = load_preset(str(name))
    except UserError as error:
        raise UserError(f"{here.entry(given, 'preset')}: {error}") from None
    changes = {key: value for key, value in given.items() if key != 'preset'}
    for key, value in changes.items():
        preset = sensor_settings({key: value}, preset, where=str(here.on(given, key)))
    return str(name), replace(preset, seed=changes.get('seed', seed))


def _check_head(head: _Head, where: Place, entries: Any) -> None:
    require(bool(NAME.fullmatch(head.name)), where, entries, 'name', head.name, 'a word')
    require(bool(head.cameras) and all(CAMERA.fullmatch(name) for name in head.cameras)
             and len(set(head.cameras)) == len(head.cameras), where, entries, 'cameras',
             list(head.cameras), 'names of topics, each once')
