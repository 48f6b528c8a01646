"""Runs made up of known figures: what a bench of such a scenario would have recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from rgb2swir_ros.hil.conduct import Records
from rgb2swir_ros.hil.result import (
    LEFT,
    SENT,
    Arrival,
    FaultRecord,
    FrameRecord,
    HilRun,
    Observation,
    Responses,
)
from rgb2swir_ros.hil.scenario import Scenario, load_scenario

ZERO, T0 = 5_000 * 10**9, 1_700_000_000 * 10**9
MS = 10**6


def scenario(folder: Path, **entries: Any) -> Scenario:
    """Return a checked scenario: 6 s at 10 Hz with a latency of 100 ms, unless said otherwise."""
    path = folder / 'made.yaml'
    path.write_text(yaml.safe_dump({
        'name': 'made', 'duration_s': 6, 'pacing': {'rate_hz': 10, 'latency_ms': 100},
        'phases': [{'name': 'first', 'start_s': 0}, {'name': 'second', 'start_s': 3}],
        **entries}))
    return load_scenario(path)


def records(made: Scenario, frame: Callable[[FrameRecord], FrameRecord] = lambda one: one,
            **changes: Any) -> Records:
    """Return what is recorded of a run: each frame leaves 0.5 ms after it is due, and arrives.

    :param frame: changes a frame before it is sent.
    :param changes: of the run.
    """
    cameras = made.cameras
    period, latency = made.pacing.period_ns, made.pacing.latency_ns
    frames = []
    for camera in cameras:
        for index in range(made.duration_ns // period):
            time, due = index * period, ZERO + index * period + latency
            one = frame(FrameRecord(camera, index, time, LEFT, due, due + MS // 2, T0 + time,
                                    f'{index:016x}'))
            if one.outcome not in SENT:
                one = replace(one, left_ns=0, stamp_ns=0, digest='')
            frames.append(one)
    faults = [FaultRecord(one.name, one.kind, one.point, one.camera, one.start_ns, one.end_ns,
                          one.intensity, one.recovery_frames, one.phase) for one in made.faults]
    run = HilRun(
        made.name, made.seed, made.pacing.clock, made.pacing.clock_name, T0, ZERO, latency, period,
        3 * MS, made.duration_ns, frames, faults,
        topics={camera: f'/{camera}/swir/image_raw' for camera in cameras})
    arrivals = [Arrival(one.camera, one.stamp_ns, 0, one.left_ns + MS, one.digest,
                        (64, 80, 'mono8', 80, 64 * 80)) for one in frames if one.outcome in SENT]
    for name, value in changes.items():
        setattr(run, name, value)
    return Records(run, Observation(arrivals), Responses(),
                   [(ZERO + second * 10**9, .6) for second in range(1, 7)])
