"""The renderer's bench: one row of figures from a real data set."""

from __future__ import annotations

import argparse

import pytest

from rgb2swir_ros.bench import scenes
from rgb2swir_ros.errors import UserError


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    scenes.configure(parser)
    return parser.parse_args(words)


def test_frames_are_counted_and_the_rate_follows():
    result = scenes.measure(arguments('--count', '3', '--looks', '2', '--size', '64x48',
                                      '--workers', '1', '--json'))
    assert result['frames'] == 4  # whole scenes
    assert result['frames_per_second'] == pytest.approx(4 / result['seconds'])
    assert result['minutes_for_2000'] == pytest.approx(2000 / 60 / result['frames_per_second'])


def test_nothing_to_render_is_refused():
    with pytest.raises(UserError, match='--count 0'):
        scenes.run(arguments('--count', '0'))
