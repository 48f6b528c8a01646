"""Problems are logged: each kind at once, then at most once a minute."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed')

from rgb2swir_ros.engines.status import EngineStatus
from rgb2swir_ros.ros import diagnostics
from rgb2swir_ros.ros.diagnostics import CameraReport
from rgb2swir_ros.ros.mailbox import Mailbox
from rgb2swir_ros.ros.parameters import check
from rgb2swir_ros.ros.throttled_log import EVERY_NS, ThrottledLog
from rgb2swir_ros.ros.timing import Window

ENGINE = EngineStatus('ready')


def test_each_kind_is_logged_once_and_again_after_a_minute():
    now, logged = [0], []
    logger = SimpleNamespace(warning=logged.append, error=logged.append)
    throttled = ThrottledLog(logger, lambda: now[0])
    for second in range(200):
        now[0] = second * 10**9
        throttled.warn('a', f'a{second}')
        throttled.error('b', f'b{second}')
    assert EVERY_NS == 60 * 10**9
    assert logged == [f'{kind}{second}' for second in (0, 60, 120, 180) for kind in 'ab']


class Watch:
    """A camera's report with a clock that the test sets."""

    def __init__(self, monkeypatch, **parameters) -> None:
        self.now_ns = 10**12
        monkeypatch.setattr(diagnostics.time, 'monotonic_ns', lambda: self.now_ns)
        self.settings = check(parameters)
        self.subscribed, self.rivals, self.publishers = True, '', 0
        self.camera = SimpleNamespace(
            name='front', mailbox=Mailbox(), counts=Counter(), lost=0, refusal='',
            refusals={}, arrivals=Window(), departures=Window(), ages=Window(),
            novelties=Window(),
            source_size=(16, 32), last_arrival_ns=self.now_ns, listening_since_ns=0,
            input=SimpleNamespace(name='/front/image_raw'), transport='raw',
            topics=SimpleNamespace(swir=SimpleNamespace(name='/front/swir/image_raw')),
            topic=lambda kind: f'/front/{kind}', publishers=lambda _: self.publishers)
        self.camera.outputs = SimpleNamespace(
            has_subscribers=lambda: self.subscribed,
            other_publishers=lambda: self.rivals, incompatible_qos=0)
        self.report = CameraReport(self.camera, '/translator')
        self.status()

    def status(self, seconds: float = 1.0, active: bool = True):
        """Advance the time and return level and message."""
        self.now_ns += int(seconds * 1e9)
        status = self.report.status(self.settings, ENGINE, advice='', active=active)
        return status.level[0], status.message

    def frame(self, outcome: str) -> None:
        self.camera.last_arrival_ns = self.now_ns
        self.camera.mailbox.put(object())
        self.camera.mailbox.take()
        self.camera.mailbox.finish(outcome)


def test_each_reason_of_a_refusal_is_a_kind_of_its_own_with_its_own_text(monkeypatch):
    watch = Watch(monkeypatch)
    watch.camera.refusals = {'unsupported_encoding': 'no 8UC4', 'wrong_length': 'too short'}
    watch.frame('refused_unsupported_encoding')
    watch.frame('refused_unsupported_encoding')
    watch.frame('refused_wrong_length')
    level, text = watch.status()
    assert level == 2
    assert watch.report.warnings == {
        'refused_unsupported_encoding': '2 images refused: no 8UC4',
        'refused_wrong_length': '1 image refused: too short'}
    assert text == '; '.join(watch.report.warnings.values())


def test_a_refusal_is_reported_also_without_subscribers(monkeypatch):
    """An image is received to learn the camera's size: a refused one is a problem, not idling."""
    watch = Watch(monkeypatch)
    watch.subscribed = False
    assert watch.status() == (0, 'idle: no subscribers')
    watch.camera.refusals = {'zero_size': 'no pixels'}
    watch.frame('refused_zero_size')
    assert watch.status() == (2, '1 image refused: no pixels')
    assert 'refused_zero_size' in watch.report.warnings


@pytest.mark.parametrize(('key', 'text_part', 'logged'), [
    ('camera_info_mismatch', 'of another size', True),
    ('future_stamps', 'lie in the future', True),
    ('dropped_late', 'older than max_age_ms', True),
    ('dropped_engine_failed', 'the engine failed', False),  # the worker logs it
    ('lost_events', 'frames lost', False),  # the camera logs it, with the remedy
])
def test_problems_are_logged(monkeypatch, key, text_part, logged):
    watch = Watch(monkeypatch)
    if key.startswith('dropped_'):
        watch.frame(key)
    else:
        watch.frame('translated')
        watch.camera.counts[key] += 1
    level, text = watch.status()
    assert level == 1
    assert text_part in text
    assert (key in watch.report.warnings) == logged


def test_silence_is_logged_after_the_time_that_a_driver_needs_to_start(monkeypatch):
    watch = Watch(monkeypatch)
    assert watch.status(1.5)[0] == 3
    assert watch.report.warnings == {}
    level, text = watch.status(3)
    assert level == 3
    assert 'no publisher of /front/raw or /front/compressed' in text
    assert watch.report.warnings == {'silence': text}
    watch.subscribed = False
    watch.status()
    assert watch.report.warnings == {}
    watch.camera.source_size = None  # still waiting for the camera, to build its engine
    assert watch.status() == (0, 'idle: no subscribers; waiting for the first image or '
                                 'camera_info')
    assert 'no publisher of' in watch.report.warnings['silence']


def test_another_publisher_of_the_output_is_a_warning_also_while_idle(monkeypatch):
    watch = Watch(monkeypatch)
    watch.subscribed, watch.rivals = False, '/front/swir/image_raw by /swir_driver'
    level, text = watch.status()
    assert level == 1
    assert 'another node publishes this output, too: /front/swir/image_raw by /swir_driver' \
        in text
    assert 'other_publishers' in watch.report.warnings


def test_an_inactive_node_warns_about_nothing(monkeypatch):
    watch = Watch(monkeypatch)
    watch.frame('refused_zero_size')
    assert watch.status(active=False) == (3, 'the node is not active')
    assert watch.report.warnings == {}
