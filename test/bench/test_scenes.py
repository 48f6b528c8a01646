"""The renderer's bench: one row of figures from a real data set."""

from __future__ import annotations

import pytest

from rgb2swir_ros.bench.scenes import measure
from rgb2swir_ros.cli.main import main


def test_frames_are_counted_and_the_rate_follows(capsys):
    result = measure(3, 2, (48, 64), 1, shown=False)
    assert result['frames'] == 4  # whole scenes
    assert result['frames_per_second'] == pytest.approx(4 / result['seconds'])
    assert result['minutes_for_2000'] == pytest.approx(2000 / 60 / result['frames_per_second'])
    assert capsys.readouterr().err == ''


def test_nothing_to_render_is_refused(capsys):
    assert main(['bench', 'scenes', '--count', '0']) == 2
    assert '--count 0' in capsys.readouterr().err
