"""The offline translator's own account of time."""

from __future__ import annotations

import time

import pytest

from rgb2swir_ros.replay import offline
from rgb2swir_ros.replay.offline import OfflineTranslator, Options

from . import footage


def test_importing_the_libraries_belongs_to_opening(monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch takes seconds, which are not the latency of the first frame."""
    def imported() -> footage.FakeOpener:
        time.sleep(.2)
        return footage.FakeOpener()

    monkeypatch.setattr(offline, '_import_opener', imported)
    translator = OfflineTranslator(Options(box=(48, 64)))
    translator.radiance(footage.picture(0))
    assert translator.opening_s >= .2
    opened = translator.opening_s
    translator.radiance(footage.picture(1))
    assert translator.opening_s == opened
