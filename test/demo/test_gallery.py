"""RGB and SWIR stand side by side, the right frames together."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from rgb2swir_ros.demo.footage import Footage
from rgb2swir_ros.demo.gallery import GAP, inside, write_gallery
from rgb2swir_ros.demo.report import plot
from rgb2swir_ros.imaging.raw import to_fields
from rgb2swir_ros.replay.bag_writer import BagWriter
from rgb2swir_ros.replay.frames import FootageError, decode
from rgb2swir_ros.replay.video import VideoSource

from ..replay.footage import START, image, picture, write_bag

TOPIC = '/camera/swir/image_raw'


def test_recorded_frames_meet_their_sources(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'in', [('/i', image(picture(n, (96, 128)), START + n * 10**8))
                                      for n in range(6)])
    recorded = [0, 2, 3, 5]
    with BagWriter(tmp_path / 'swir') as writer:
        for n in recorded:
            writer.write_image(TOPIC, START + n * 10**8, 'c',
                               to_fields(np.full((48, 64), 40 * n, np.uint8), 'mono8'))
    footage = Footage(bag, 60)
    assert write_gallery(tmp_path, footage, tmp_path / 'swir', TOPIC, recorded, 10) == 4
    frames = list(VideoSource(tmp_path / 'swir.mp4').frames())
    assert [frame.stamp_ns for frame in frames] == [n * 10**8 for n in recorded]
    for n, frame in zip(recorded, frames, strict=True):
        rgb = decode(frame).astype(int)
        assert rgb.shape == (48, 2 * 64 + GAP, 3)
        source = cv2.resize(picture(n, (96, 128)), (64, 48), interpolation=cv2.INTER_AREA)
        assert np.abs(rgb[:, :60] - source[:, :60]).mean() < 6
        assert abs(rgb[:, 64 + GAP + 4:].mean() - 40 * n) < 3
    sheet = cv2.imread(str(tmp_path / 'side_by_side.png'))
    assert sheet.shape == (3 * 48 + 2 * GAP, 2 * 64 + GAP, 3)
    assert [round(float(sheet[y + 40, -10:].mean())) for y in (0, 52, 104)] == [0, 120, 200]


def test_nothing_to_pair_is_said(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'in', [('/i', image(picture(0), START))])
    with BagWriter(tmp_path / 'swir') as writer:
        writer.write_image(TOPIC, START, 'c', to_fields(np.zeros((48, 64), np.uint8), 'mono8'))
    with pytest.raises(FootageError, match='no recorded frame'):
        write_gallery(tmp_path, Footage(bag, 60), tmp_path / 'swir', TOPIC, [7], 10)
    assert not (tmp_path / 'swir.mp4').exists()


def test_other_sizes_are_fitted_in() -> None:
    white = np.full((100, 50, 3), 255, np.uint8)
    fitted = inside(white, (40, 60))
    assert fitted.shape == (40, 60, 3)
    assert (fitted[:, :20] == 255).all()
    assert (fitted[:, 20:] == 0).all()


def test_plot_is_a_picture(tmp_path: Path) -> None:
    pytest.importorskip('matplotlib')
    assert plot(tmp_path / 'latency.png', {'inference_ms': [30, 31], 'total_ms': [33, 34]},
                [(0, 40.0), (3, 41.0)])
    drawn = cv2.imread(str(tmp_path / 'latency.png'))
    assert drawn.shape[1] > 800
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) > 10
