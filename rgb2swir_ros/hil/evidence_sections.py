"""The chapters of a bench's report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rgb2swir_ros.hil.figures import Figures
from rgb2swir_ros.hil.judging import Load
from rgb2swir_ros.hil.result import LOST, SENT, FrameRecord
from rgb2swir_ros.report.model import (
    Cell,
    Column,
    Event,
    Histogram,
    Item,
    Phase,
    Section,
    Series,
    Table,
    Timeline,
    TimePlot,
)

NS = 1e9


def sections(figures: Figures, load: Load) -> list[Section]:
    """Return what happened, the time of frames, faults, and what became of every frame."""
    made = [Section('What happened', [_timeline(figures), _phases(figures)]),
            Section('Faults and recoveries', [
                item for item in (_faults(figures), _incidents(figures)) if item is not None])]
    if not figures.scenario.stepped:
        made.append(Section('Time', _time(figures, load)))
    made.append(Section('Every frame', [_outcomes(figures)], [
        'Each frame that a source gave has one outcome, and so has each of its copies.']))
    return [one for one in made if one.items]


def _timeline(figures: Figures) -> Timeline:
    run, scenario = figures.run, figures.scenario
    end = scenario.duration_ns / NS
    rows: list[tuple[str, Sequence[Phase]]] = [('phase', [
        Phase(phase.name, phase.start_ns / NS, phase.end_ns / NS) for phase in scenario.phases])]
    for fault in sorted(run.faults, key=lambda one: one.start_ns):
        name = fault.name if not fault.camera else f'{fault.name} ({fault.camera})'
        low, high = fault.intensity
        text = f'{low:g} to {high:g}' if low != high else '' if low == 1 else f'{low:g}'
        rows.append((name, [Phase(text, fault.start_ns / NS, fault.end_ns / NS)]))
    safe: dict[str, list[Phase]] = {}
    for one in run.incidents:
        start = (one.safe_ns - run.monotonic_t0_ns) / NS
        stop = (one.recovered_ns - run.monotonic_t0_ns) / NS if one.recovered_ns else end
        safe.setdefault(one.camera or 'all', []).append(Phase('', start, stop))
    rows += [(f'safe state, {camera}', spans) for camera, spans in safe.items()]
    return Timeline('Phases, faults and safe states', rows, events=[
        Event(one.kind, (one.detected_ns - run.monotonic_t0_ns) / NS) for one in run.incidents
        if not one.camera])


def _phases(figures: Figures) -> Table:
    measures = {'frames_due': 'due', 'delivered_share': 'delivered', 'missed': 'missed',
                'late': 'late', 'dropped': 'dropped', 'pacing_error_ms_p99': 'pacing error, p99',
                'pacing_error_ms_max': 'largest', 'jitter_ms_p99': 'jitter, p99',
                'arrival_ms_p50': 'arrival, p50', 'arrival_ms_p99': 'p99',
                'response_ms_p50': 'response, p50', 'response_ms_p99': 'p99',
                'unanswered': 'unanswered'}
    rows: list[Mapping[str, Cell]] = []
    names = [phase.name for phase in figures.scenario.phases]
    for name in [*names, ''] if len(names) > 1 else ['']:
        rows.append({'phase': name or 'the whole run',
                     **{one: figures.value(one, name) for one in measures}})
    whole = {'frames_due', 'missed', 'late', 'dropped', 'unanswered'}
    columns = [Column('phase', 'phase')]
    for one, title in measures.items():
        if any(row[one] is not None for row in rows):
            unit = 'ms' if '_ms_' in one else 'share' if one == 'delivered_share' else 'frames'
            columns.append(Column(one, title, unit, digits=3))
    shown = [{key: _whole(value) if key in whole else value for key, value in row.items()}
             for row in rows]
    return Table('Phases', columns, shown, 'Delivered: left in time, of the frames due that no '
                 'fault had lost. Arrival: at a process outside, after the stamp.')


def _faults(figures: Figures) -> Table | None:
    run = figures.run
    if not run.faults:
        return None
    found = {(one.fault.name, one.camera): one for one in figures.recoveries}
    rows: list[Mapping[str, Cell]] = []
    for fault in sorted(run.faults, key=lambda one: one.start_ns):
        hit = [frame for frame in run.frames if fault.name in frame.faults
               or frame.outcome == LOST + fault.name]
        back = [one for (name, _), one in found.items() if name == fault.name]
        frames = [one.frames for one in back if one.counts_frames]
        incident = next((one.incident for one in back if one.incident), None)
        text = 'lasts to the end' if not back else ''
        if frames:
            text = ', '.join('not before the end' if one is None else f'frame {one}'
                             for one in frames)
        elif back:
            seconds = None if incident is None else incident.recovery_s
            text = 'not before the end' if seconds is None else f'{seconds:.2f} s'
        rows.append({'name': fault.name, 'kind': fault.kind, 'point': fault.point,
                     'camera': fault.camera or 'all', 'start': fault.start_ns / NS,
                     'end': fault.end_ns / NS, 'hit': len(hit), 'back': text,
                     'origin': fault.origin})
    return Table('Faults', [
        Column('name', 'fault'), Column('kind', 'kind'), Column('point', 'point'),
        Column('camera', 'camera'), Column('start', 'from', 's', 4), Column('end', 'to', 's', 4),
        Column('hit', 'hit', 'frames', note='frames that it changed or lost'),
        Column('back', 'whole again', note='the first whole frame after its end, counted from 1; '
               'of the engine the time from detection to the next frame'),
        Column('origin', 'given by')], rows)


def _incidents(figures: Figures) -> Table | None:
    run = figures.run
    if not run.incidents:
        return None
    rows: list[Mapping[str, Cell]] = [{
        'kind': one.kind, 'camera': one.camera or 'all',
        'at': (one.detected_ns - run.monotonic_t0_ns) / NS,
        'found': one.detection_ms if one.happened_ns else None, 'back': one.recovery_s,
        'detail': one.detail} for one in run.incidents]
    return Table('What the watchdog found', [
        Column('kind', 'what'), Column('camera', 'camera'), Column('at', 'found at', 's', 4),
        Column('found', 'detection time', 'ms', note='from the moment that it happened; of '
               'silence from the end of the time that is allowed'),
        Column('back', 'recovery', 's', note='from detection to the next frame of the camera; '
               'empty: none before the end'), Column('detail', 'detail')], rows)


def _time(figures: Figures, load: Load) -> list[Item]:
    run, scenario = figures.run, figures.scenario
    phases = [Phase(phase.name, phase.start_ns / NS, phase.end_ns / NS)
              for phase in scenario.phases] if len(scenario.phases) > 1 else []
    sent = sorted((frame for frame in run.frames if frame.outcome in SENT),
                  key=lambda one: one.left_ns)
    items: list[Item] = []
    if sent:
        items.append(TimePlot(
            'Pacing error', [Series('leaving time - due time', _times(sent), [
                (frame.left_ns - frame.due_ns) / 1e6 for frame in sent])], 'ms', phases=phases,
            limits={'tolerance': run.tolerance_ns / 1e6}))
    if figures.arrived:
        ages = [figures.age_ms(frame, arrival.monotonic_ns)
                for frame, arrival in figures.arrived]
        series = [Series('arrival', _times([frame for frame, _ in figures.arrived]), ages)]
        answered = [(frame, age) for frame, age in figures.answers if not math.isnan(age)]
        if answered:
            series.append(Series('response', _times([frame for frame, _ in answered]),
                                 [age for _, age in answered]))
        items += [TimePlot('Age at an outside process', series, 'ms', phases=phases,
                           limits={'latency': run.latency_ns / 1e6}),
                  Histogram('Age at an outside process, all frames',
                            {one.name: one.y for one in series}, 'ms')]
    inside = [(at, idle) for at, idle in load if run.monotonic_t0_ns
              and 0 <= at - run.monotonic_t0_ns <= scenario.duration_ns]
    if inside:
        items.append(TimePlot('Processors', [Series('busy', [
            (at - run.monotonic_t0_ns) / NS for at, _ in inside], [
            100 * (1 - idle) for _, idle in inside])], '%', phases=phases))
    return items


def _times(frames: Sequence[FrameRecord]) -> list[float]:
    return [frame.time_ns / NS for frame in frames]


def _outcomes(figures: Figures) -> Table:
    cameras = list(figures.run.topics)
    counts = {camera: figures.run.counts(camera) for camera in cameras}
    rows: list[Mapping[str, Cell]] = [
        {'outcome': outcome, **{camera: counts[camera][outcome] for camera in cameras}}
        for outcome in sorted({one for of in counts.values() for one in of})]
    rows.append({'outcome': 'arrived outside', **{camera: sum(
        frame.camera == camera for frame, _ in figures.arrived) for camera in cameras}})
    return Table('Outcomes', [Column('outcome', 'outcome'),
                              *(Column(camera, camera, 'frames') for camera in cameras)], rows)


def _whole(value: Cell) -> Cell:
    return int(value) if isinstance(value, float) and math.isfinite(value) else value
