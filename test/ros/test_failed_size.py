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
        arrivals=window, departures=window, ages=window, novelties=Window(), source_size=size,
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


def test_a_camera_whose_input_the_model_does_not_know_says_so() -> None:
    """Of frames of the last seconds most must be novel; one alone is no state."""
    import time
    one = camera((32, 64))
    for k, novelty in enumerate((-3., -2., 4.)):
        one.novelties.add(time.monotonic_ns(), k + 1, novelty)
    state = CameraReport(one, '/translator').status(SETTINGS, STATUS, advice='', active=True)
    values = {pair.key: pair.value for pair in state.values}
    assert state.level == OK
    assert (float(values['input_novelty']), values['input_state']) == (-2, 'known')
    assert float(values['input_known_share']) == pytest.approx(2 / 3, abs=1e-3)
    for k in range(4):
        one.novelties.add(time.monotonic_ns(), k + 9, 5.)
    watch = CameraReport(one, '/translator')
    state = watch.status(SETTINGS, STATUS, advice='', active=True)
    assert state.level == WARN
    assert 'unlike what the model has learned from (novelty 5.0, above 0)' in state.message
    assert 'input_novelty' in watch.warnings
    assert {pair.key: pair.value for pair in state.values}['input_state'] == 'unknown to the model'


def test_without_a_novelty_file_nothing_is_said_of_the_input() -> None:
    assert not [pair for pair in report((32, 64)).values if pair.key.startswith('input_')
                and pair.key != 'input_rate']
