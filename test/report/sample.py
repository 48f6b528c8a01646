"""A report with one of everything, with texts that would break a page that does not escape."""

from typing import Any

import numpy as np

from rgb2swir_ros.report.model import (
    Check,
    Column,
    Event,
    Facts,
    Gallery,
    Histogram,
    Phase,
    Picture,
    PictureRow,
    Report,
    Scatter,
    Section,
    Series,
    Table,
    Timeline,
    TimePlot,
    Value,
    Verdict,
)

HOSTILE = '<script>alert("1")</script> & \'x\' \x00 drive_2026'


def sample_report(**changes: Any) -> Report:
    rng = np.random.default_rng(0)
    time = np.arange(3000) / 15
    latency = 30 + rng.standard_normal(len(time))
    latency[1234] = 99
    grey = np.tile(np.linspace(0, 255, 320, dtype=np.uint8), (180, 1))
    colour = np.stack([grey, grey[:, ::-1], np.roll(grey, 40, 1)], -1)
    table = Table('Against true SWIR', [
        Column('name', 'measure'),
        Column('swir', 'translated', 'dB', note='of square-root radiance'),
        Column('frames', 'frames')], [
        {'name': 'PSNR', 'swir': Value(21.234, 20.4, 22.01), 'frames': 3000},
        {'name': HOSTILE, 'swir': Value(float('nan')), 'frames': np.int64(0)},
        {'name': 'one without an interval', 'swir': 0.000012345}], 'A note.')
    sections = [
        Section('Judgement', [table, Scatter('One against the other', [
            Series('frames', rng.random(50), rng.random(50))], 'distance', 'PSNR, dB')],
            ['A paragraph.']),
        Section('Over time', [
            TimePlot('Latency', [Series('total', time, latency),
                                 Series('engine', time, latency / 2)],
                     'ms', phases=[Phase('overload', 50, 80)], events=[Event('killed $a_', 120.)],
                     limits={'limit': 50}),
            Timeline('What happened', [
                ('phase', [Phase('nominal', 0, 50), Phase('overload $a_', 50, 80)]),
                (HOSTILE, [Phase('', 60, 65)])], events=[Event('killed', 120.)]),
            Histogram('Latency, all frames', {'total': latency}, 'ms', limits={'limit': 50})]),
        Section('Frames', [Gallery('Worst', [PictureRow(f'Worst {HOSTILE}', [
            Picture('source', colour, 'the colour frame'),
            Picture('swir', grey, 'the translated frame')])])])]
    entries: dict[str, Any] = {
        'name': 'sample', 'title': f'Replay of {HOSTILE}', 'summary': f'3000 frames. {HOSTILE}',
        'created': '2026-01-02T03:04:05+00:00', 'seconds': 1234.5, 'sections': sections,
        'checks': [
            Check('psnr_db', Verdict.PASS, Value(21.2, 20.4, 22.), 'at least 20', 'dB'),
            Check('latency_p99_ms', Verdict.FAIL, 72.3, 'at most 50', 'ms'),
            Check('map', Verdict.INCONCLUSIVE, None, 'at least 0.5', '', HOSTILE),
            Check('recovery', Verdict.ERROR, None, 'at most 5', 's', 'the engine never started')],
        'facts': [Facts('Versions', {'package': '0.1.0', 'input': HOSTILE, 'sha256': '9f' * 32})]}
    return Report(**(entries | changes))
