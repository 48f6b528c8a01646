"""The plan of a scenario as a table, for a person."""

from __future__ import annotations

from rgb2swir_ros.hil.faults import HOST
from rgb2swir_ros.hil.scenario import Scenario
from rgb2swir_ros.hil.sections import PlannedFault, SourceSection
from rgb2swir_ros.sizes import format_size


def plan(scenario: Scenario) -> str:
    """Return what will happen and when, as text of several lines."""
    pacing, watchdog, sensor = scenario.pacing, scenario.watchdog, scenario.sensor
    rate = f'{pacing.rate_hz:g} Hz' if pacing.rate_hz else 'the recorded times'
    size = format_size(sensor.output_size) if sensor.output_size else 'as translated'
    rows = [
        ('scenario', scenario.name), ('about', scenario.description),
        ('seed', str(scenario.seed)), ('duration', f'{scenario.duration_ns / 1e9:g} s'),
        *((f'camera {camera}', _source(source)) for camera, source in scenario.sources.items()),
        ('translator', f'{scenario.translator.model}, {scenario.translator.size}, '
                       f'{scenario.translator.backend}'),
        ('sensor', f'{scenario.sensor_name}: {sensor.encoding}, {size} ({sensor.geometry}), '
                   f'{sensor.bits if sensor.encoding == "mono16" else 8} bits'),
        ('time', f'{pacing.clock} clock, stamps of the {pacing.clock_name} clock'),
        ('pacing', f'{rate}, leaves at stamp + {pacing.latency_ms:g} ms'),
        ('safe state', watchdog.safe_state + (
            f' to {_source(watchdog.failover)}' if watchdog.failover else '')),
    ]
    if scenario.monitor.topic:
        rows.append(('responses', f'{scenario.monitor.topic} '
                                  f'{scenario.monitor.responder or "(from outside)"}'))
    wide = max(len(name) for name, _ in rows)
    lines = [f'{name:<{wide}}  {text}' for name, text in rows if text]
    lines += ['', *_table(['from s', 'to s', 'what', 'camera', 'where', 'intensity'],
                          _timetable(scenario))]
    if scenario.thresholds:
        lines += ['', *_table(['threshold', 'measure', 'limit', 'phase', 'camera'], [
            [one.name, one.measure, f'<= {one.at_most:g}' if one.at_most is not None
             else f'>= {one.at_least:g}', one.phase or 'all', one.camera or 'all']
            for one in scenario.thresholds])]
    return '\n'.join(lines) + '\n'


def _timetable(scenario: Scenario) -> list[list[str]]:
    rows = []
    for phase in scenario.phases:
        rows.append([_s(phase.start_ns), _s(phase.end_ns), f'phase {phase.name}', '', '', ''])
        rows += [_fault_row(fault) for fault in scenario.faults if fault.phase == phase.name]
    return rows


def _fault_row(fault: PlannedFault) -> list[str]:
    first, last = fault.intensity
    return [_s(fault.start_ns), _s(fault.end_ns), f'  {fault.name} ({fault.kind})',
            '' if fault.point == HOST else fault.camera or 'all', fault.point,
            f'{first:g}' if first == last else f'{first:g} to {last:g}']


def _source(section: SourceSection) -> str:
    text = ' '.join(word for word in (section.kind, section.path, section.topic) if word)
    return text if section.loop or section.kind == 'topic' else f'{text}, once'


def _s(time_ns: int) -> str:
    return f'{time_ns / 1e9:g}'


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    return [' | '.join(f'{cell:<{width}}' for cell, width in zip(row, widths, strict=True)
                       ).rstrip() for row in [head, ['-' * width for width in widths], *rows]]
