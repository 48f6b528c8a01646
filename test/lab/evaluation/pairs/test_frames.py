"""The judged frames of each layout: choice, masks, horizon, scale, and what is refused."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.evaluation.pairs.frames import (
    FrameOptions,
    PairFrames,
    frame_number,
    working_size,
)
from rgb2swir_ros.lab.evaluation.pairs.rig import Rig
from rgb2swir_ros.lab.training.data.files import SwirCoding
from rgb2swir_ros.lab.training.data.folders import PairedFolders

from ...training.data.trees import SIZE, put, rasmd, twins


def judged(path, *, aligned=True, **options):
    return PairFrames(path, FrameOptions(**options), aligned=aligned)


def names(frames):
    return [pair.name for pair in frames.judged]


def test_a_half_of_a_drive_is_chosen_by_the_numbers_of_its_frames(tmp_path):
    """Numbers are those in the names, so that a thinned drive is cut at the same place."""
    root = twins(tmp_path / 'drive', count=8)
    for path in [*root.rglob('0003.*'), *root.rglob('0005.*')]:
        path.unlink()
    frames = judged(root, numbers=(4, 7))
    assert [n[-4:] for n in names(frames)] == ['0004', '0006', '0007']
    assert [p.name[-4:] for p in frames.others] == ['0000', '0001', '0002']
    assert [n[-4:] for n in names(judged(root, every=2))] == ['0000', '0002', '0006']
    assert not judged(root).others


def test_halves_of_several_drives_leave_the_other_halves(tmp_path):
    for drive in ('dry', 'wet'):
        twins(tmp_path / drive, count=4)
    frames = judged(tmp_path, numbers=(2, 3))
    assert names(frames) == [f'{d}/000{k}' for d in ('dry', 'wet') for k in (2, 3)]
    assert [p.name for p in frames.others] == [f'{d}/000{k}' for d in ('dry', 'wet')
                                               for k in (0, 1)]


def test_what_is_fitted_on_is_of_training_scenes_that_judge_nothing(tmp_path):
    frames = judged(rasmd(tmp_path, scenes=30), split='test')
    scenes = {p.scene for p in frames.judged}
    assert frames.others
    assert {p.split for p in frames.others} == {'train'}
    assert not scenes & {p.scene for p in frames.others}
    assert not judged(tmp_path).others
    assert names(judged(tmp_path, split='test', split_seed=1)) != names(frames)
    assert [[f.scene for f in scene] for _, scene in frames.scenes()] == [
        [s] * 3 for s in dict.fromkeys(p.scene for p in frames.judged)]


def test_a_frame_is_read_with_mask_and_horizon(tmp_path):
    root = twins(tmp_path / 'drive', count=2)
    (root / 'set.json').write_text('{"horizon": 0.25}')
    mask = np.full(SIZE, 255, np.uint8)
    mask[20:] = 0
    put(root / 'mask' / '0001.png', mask)
    frames = judged(root, coding=SwirCoding(gamma=1))
    whole, masked = (frames.read(pair) for pair in frames.judged)
    assert whole.mask.all()
    assert (masked.mask == (mask > 0)).all()
    assert (masked.horizon, masked.number) == (8, 1)
    stored = cv2.imread(str(root / 'swir' / '0001.png'), cv2.IMREAD_GRAYSCALE)
    np.testing.assert_allclose(masked.truth, stored / 255, atol=1e-6)
    assert judged(root, horizon=.75).read(frames.judged[0]).horizon == 24


def test_masks_may_lie_elsewhere_and_none_may_be_missing(tmp_path):
    root, masks = twins(tmp_path / 'drive', count=2), tmp_path / 'masks'
    put(masks / '0000.png', np.zeros(SIZE, np.uint8))
    frames = judged(root, masks=masks)
    with pytest.raises(UserError, match='mask leaves no pixel'):
        frames.read(frames.judged[0])
    with pytest.raises(UserError, match=r"masks' has no 0001.png"):
        frames.read(frames.judged[1])
    put(masks / '0001.png', np.zeros((8, 8), np.uint8))
    with pytest.raises(UserError, match='8x8 pixels, its frame 48x32'):
        frames.read(frames.judged[1])


@pytest.mark.parametrize('text', ['{"horizon": 2}', '[]', 'x'])
def test_a_damaged_set_file_is_named(tmp_path, text):
    root = twins(tmp_path, count=1)
    (root / 'set.json').write_text(text)
    frames = judged(root)
    with pytest.raises(UserError, match=r'set\.json. names no horizon'):
        frames.read(frames.judged[0])


def test_two_folders_and_large_frames(tmp_path):
    rgb, swir = (put(tmp_path / n / 'x_1.png', np.full(s, 90, np.uint8)).parent for n, s in
                 (('a', (96, 1280, 3)), ('b', (96, 1280))))
    frame = next(judged(PairedFolders(rgb, swir)).scenes())[1]
    assert next(frame).truth.shape == (48, 640)
    assert working_size((96, 320)) == (96, 320)


def test_frames_of_two_sizes_need_a_homography(tmp_path):
    rgb, swir = (tmp_path / 'data_1_town' / 'source_images' / n for n in ('rgb', 'swir'))
    for k in range(3):
        put(rgb / f'rgb_image_{k:06d}.jpg', np.full((96, 128, 3), 90, np.uint8))
        picture = np.zeros((48, 64), np.uint8)
        picture[:, 32:] = 200
        put(swir / f'swir_image_{k:06d}.png', picture)
    with pytest.raises(UserError, match=r'raw frames, rgb_image_.* give --homography FILE'):
        judged(tmp_path)
    with pytest.raises(UserError, match='give --homography FILE, or --align'):
        judged(PairedFolders(*(_renamed(f) for f in (rgb, swir))))
    raw = tmp_path / 'raw'
    for k in range(3):
        put(raw / 'data_1_town' / 'rgb' / f'rgb_image_{k:06d}.jpg',
            np.full((96, 128, 3), 90, np.uint8))
        put(raw / 'data_1_town' / 'swir' / f'swir_image_{k:06d}.png', picture)
    frames = judged(raw, aligned=False, coding=SwirCoding(gamma=1))
    shift = np.array([[1., 0, 4], [0, 1, 0], [0, 0, 1]])
    frames.rig = Rig(shift @ np.diag([2., 2, 1]), (96, 128), (48, 64))
    frame = frames.read(frames.judged[2])
    assert frame.scene == 'data_1_town'
    assert frame.truth[50, 64] == 0
    assert frame.truth[50, 72] == pytest.approx(200 / 255, abs=1e-3)
    assert not frame.mask[:, :4].any()
    assert frame.mask[10:80, 10:120].all()


def _renamed(folder: Path) -> Path:
    for path in folder.iterdir():
        path.rename(path.with_name(path.name.split('_')[-1]))
    return folder


def test_nothing_chosen_is_said(tmp_path):
    with pytest.raises(UserError, match=r'none of the 3 pairs .* --split all --frames 7-9'):
        judged(twins(tmp_path, count=3), numbers=(7, 9))


def test_numbers_of_names():
    assert frame_number('rgb_aligned_000012') == 12
    assert frame_number('20260101_0042_left') == 42
    assert frame_number('left') is None
