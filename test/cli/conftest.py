"""Fixtures of the verbs: toy data set and detector of the laboratory's tests, a cheap engine."""

from __future__ import annotations

import pytest

from rgb2swir_ros.demo import run as demo_run
from rgb2swir_ros.live import run as live_run
from rgb2swir_ros.replay import offline
from rgb2swir_ros.replay.offline import OfflineTranslator, Options

from ..lab.conftest import lively, toy
from ..replay import footage

__all__ = ['lively', 'toy']


@pytest.fixture
def without_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put an engine without a network in place of the real one, and ROS where there is none."""
    original = OfflineTranslator.__init__

    def construct(self: OfflineTranslator, options: Options, **rest: object) -> None:
        original(self, options, **{**rest, 'opener': footage.FakeOpener()})

    monkeypatch.setattr(offline.OfflineTranslator, '__init__', construct)
    for room in (demo_run, live_run):
        monkeypatch.setattr(room, 'require_ros', lambda: None)
