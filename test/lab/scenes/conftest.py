"""Fixtures of the tests of data sets."""

from pathlib import Path

import pytest


@pytest.fixture
def rectangle_renderer(monkeypatch, tmp_path):
    """Make the renderer `rectangles` known, also to spawned processes; record its calls."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    monkeypatch.setenv('CALLS', str(tmp_path / 'calls'))
