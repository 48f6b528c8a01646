"""How long the frames of a replay took, from the timing that was recorded with them.

The names of the figures are those of NVIDIA's ros2_benchmark, as in ``rgb2swir bench node``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rgb2swir_ros.replay.run_record import RunRecord
from rgb2swir_ros.report.model import Column, Histogram, Section, Table

TOTAL = 'total_ms'
QUANTILES = (50, 95, 99)

Stages = dict[str, list[float]]


def latency_figures(stages: Mapping[str, Sequence[float]],
                    records: Sequence[RunRecord]) -> dict[str, float]:
    """Return figures of the time in the translator, and of the frames, by ros2_benchmark's names.

    :param stages: the milliseconds of each stage, a value a frame.
    """
    figures: dict[str, float] = {}
    total = np.array(stages.get(TOTAL, []))
    if len(total):
        figures |= {'mean_latency_ms': float(total.mean()), 'max_latency_ms': float(total.max()),
                    **{f'p{q}_latency_ms': float(np.percentile(total, q)) for q in QUANTILES}}
    seconds = sum(record.wall_s.get('total', 0.) for record in records)
    if seconds > 0:
        figures['mean_frame_rate'] = sum(record.frames for record in records) / seconds
    figures['missed'] = float(sum(_missed(record) for record in records))
    return figures


def _missed(record: RunRecord) -> int:
    """Return how many frames of the source have no SWIR frame in the replay's bag."""
    if record.live:  # dropped, refused or lost on the way: all that was sent and not recorded
        return sum(counts['sent by the camera'] - counts['recorded']
                   for counts in record.live['frames'].values())
    return sum(sum(camera.refused.values()) for camera in record.cameras)


def timing_section(stages: Mapping[str, Sequence[float]],
                   records: Mapping[str, RunRecord]) -> Section:
    """Return tables of times and, of replays through the node, of the frames' fates.

    :param records: by the name of the recording.
    """
    items: list[Any] = []
    if stages.get(TOTAL):
        items.append(Histogram('Time in the translator', {'total': stages[TOTAL]}, 'ms'))
    if stages:
        columns = [Column('stage', 'stage'), Column('mean', 'mean', 'ms'),
                   *(Column(f'p{q}', f'p{q}', 'ms') for q in QUANTILES),
                   Column('max', 'largest', 'ms'), Column('frames', 'frames')]
        items.append(Table('Time by stage', columns, [
            {'stage': name.removesuffix('_ms'), 'mean': float(np.mean(values)),
             **{f'p{q}': float(np.percentile(values, q)) for q in QUANTILES},
             'max': float(np.max(values)), 'frames': len(values)}
            for name, values in stages.items()]))
    live = {name: record.live for name, record in records.items() if record.live}
    fates = list(dict.fromkeys(fate.strip() for one in live.values()
                               for counts in one['frames'].values() for fate in counts))
    if fates:
        items.append(Table('Frames through the node, by fate', [
            Column('recording', 'recording'), Column('camera', 'camera'),
            *(Column(fate, fate) for fate in fates)], [
            {'recording': name, 'camera': camera,
             **{fate.strip(): count for fate, count in counts.items()}}
            for name, one in live.items() for camera, counts in one['frames'].items()]))
        ways = [{'recording': name, 'camera': camera, 'stage': stage.removesuffix('_ms'), **ms}
                for name, one in live.items() for camera, found in one['latency_ms'].items()
                for stage, ms in found.items() if stage.startswith('player')]
        items.append(Table('From player to recorder', [
            Column('recording', 'recording'), Column('camera', 'camera'),
            *(Column(q, q, 'ms') for q in ('p50', 'p95', 'p99', 'max'))], ways))
    return Section('Times', items)
