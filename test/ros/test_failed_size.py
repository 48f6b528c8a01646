"""Diagnostics of an engine that has failed for one camera's size and works for another's."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed')

from rgb2swir_ros.engines.status import EngineStatus
from rgb2swir_ros.ros.diagnostics import ERROR, OK, WARN, CameraReport, engine_status
from rgb2swir_ros.ros.mailbox import Mailbox
from rgb2swir_ros.ros.parameters import check
from rgb2swir_ros.ros.timing import Window

SETTINGS = check({'size': '32x16'})
STATUS = EngineStatus('ready', '1 engine(s) ready', engines={(16, 32): {'backend': 'eager'}},
                      failed={(16, 16): 'no converter'})


def camera(size) -> SimpleNamespace:
    """Return what the report uses of a camera that receives frames and has subscribers."""
    window = Window()
    return SimpleNamespace(
        name='front', mailbox=Mailbox(), lost=0, counts=Counter(), refusals={}, refusal='',
        arrivals=window, departures=window, ages=window, source_size=size,
        last_arrival_ns=10**30, listening_since_ns=0, transport='raw',
        input=SimpleNamespace(name='/front/image_raw'),
        topics=SimpleNamespace(swir=SimpleNamespace(name='/front/swir/image_raw')),
        outputs=SimpleNamespace(has_subscribers=lambda: True, other_publishers=lambda: '',
                                incompatible_qos=0))


def report(size):
    """Return the status of a camera of this size."""
    return CameraReport(camera(size), '/translator').status(SETTINGS, STATUS, advice='',
                                                            active=True)


def test_the_camera_of_the_failed_size_says_so_and_no_other() -> None:
    status = report((64, 64))
    assert (status.level, status.message) == (ERROR, 'the engine for 16x16 failed: no converter')
    assert report((32, 64)).level == OK


def test_so_does_the_engine() -> None:
    status = engine_status(SETTINGS, STATUS, '/translator')
    assert status.level == WARN
    assert {pair.key: pair.value for pair in status.values}['16x16 failure'] == 'no converter'
