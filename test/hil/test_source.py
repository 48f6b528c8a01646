"""Footage is restamped, fitted, and starts again as if it had no end."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.hil.sections import SourceSection
from rgb2swir_ros.hil.source import Picture, PictureSource, open_pictures, pinhole, restamped


class Made(PictureSource):
    """A source with given times."""

    times = (5_000, 7_000, 10_000)
    laps = 0

    def pictures(self):
        """Yield a picture for each time."""
        self.laps += 1
        for number, at in enumerate(self.times):
            yield Picture(at, np.full((64, 128, 3), number, np.uint8))


def made(times=Made.times, **section) -> Made:
    source = Made(SourceSection(**section), Path())
    source.times = times
    return source


def take(source, count, rate=0.0, box=(32, 64)):
    return list(itertools.islice(restamped(source, box, rate), count))


def test_times_count_from_the_first_frame_and_go_on_when_footage_starts_again():
    source = made()
    got = take(source, 7)
    assert [one.time_ns for one in got] == [0, 2000, 5000, 8000, 10_000, 13_000, 16_000]
    assert [one.index for one in got] == list(range(7))
    assert [int(one.rgb[0, 0, 0]) for one in got] == [0, 1, 2, 0, 1, 2, 0]
    assert {one.rgb.shape for one in got} == {(32, 64, 3)}
    assert {one.source_size for one in got} == {(64, 128)}
    assert source.laps == 1  # small footage is decoded once


def test_a_rate_replaces_the_recorded_times_and_their_faults():
    got = take(made(times=(5, 3, 9)), 4, rate=15.0)
    assert [one.time_ns for one in got] == [0, 66_666_667, 133_333_333, 200_000_000]
    with pytest.raises(UserError, match=r'frame 1 of the source .* needs pacing: rate_hz'):
        take(made(times=(5, 3, 9)), 4)


def test_footage_that_does_not_loop_ends_and_empty_footage_is_refused():
    assert len(take(made(loop=False), 9)) == 3
    with pytest.raises(UserError, match='no frame at all'):
        take(made(times=()), 1)


def test_a_folder_is_read_relative_to_the_scenario_and_a_wrong_kind_is_named(tmp_path):
    for number in range(2):
        (tmp_path / 'pictures').mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / f'pictures/{number}.png'), np.full((40, 60, 3), 9, np.uint8))
    section = SourceSection(kind='folder', path='pictures', focal=.5)
    frame, = take(open_pictures(section, tmp_path), 1)
    assert frame.source_size == (40, 60)
    assert frame.info == pinhole(40, 60, .5)
    with pytest.raises(UserError, match='is a folder, not a video'):
        open_pictures(SourceSection(kind='video', path='pictures'), tmp_path)


def test_the_drive_of_the_package_has_its_camera():
    frame, = take(open_pictures(SourceSection(), Path()), 1, box=(128, 160))
    assert frame.rgb.shape == (90, 160, 3)
    assert frame.info.k[0] == pytest.approx(.85 * 960)
