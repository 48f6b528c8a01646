"""Rendered scenes as the source of a bench."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import yaml

from rgb2swir_ros.cli import hil_rendering
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.hil.opening import open_footage
from rgb2swir_ros.hil.scenario import load_scenario

pytest.importorskip('embreex', reason='embreex is not installed')


def scenario(folder, **entries):
    path = folder / 'it.yaml'
    path.write_text(yaml.safe_dump({
        'name': 'it', 'seed': 3, 'translator': {'size': '64x48'},
        'source': {'kind': 'rendered', 'frames': 3, 'size': '64x48', 'loop': False}, **entries}))
    return load_scenario(path)


def test_frames_of_a_scene_are_rendered_and_have_its_camera(tmp_path):
    made = scenario(tmp_path)
    folder = hil_rendering.render(made, tmp_path / 'out', overwrite=False)
    frames = list(open_footage(made, str(folder))[0]['camera'])
    assert len(frames) == 3
    assert all(frame.rgb.shape == (48, 64, 3) for frame in frames)
    assert (frames[0].rgb != frames[2].rgb).any()  # the vehicle drives
    assert .55 * 64 <= frames[0].info.k[0] <= 1.5 * 64
    again = hil_rendering.render(made, tmp_path / 'again', overwrite=False)
    for name in ('000000.png', '000002.png', 'camera.json'):
        assert (again / name).read_bytes() == (folder / name).read_bytes()
    given = scenario(tmp_path, source={'kind': 'rendered', 'focal': 2})
    assert next(open_footage(given, str(folder))[0]['camera']).info.k[0] == 128


def test_a_shorter_rendering_leaves_nothing_of_a_longer_one_and_nothing_of_a_user_s(tmp_path):
    folder = hil_rendering.render(scenario(tmp_path), tmp_path, overwrite=False)
    short = scenario(tmp_path, source={'kind': 'rendered', 'frames': 2, 'size': '64x48'})
    with pytest.raises(UserError, match='give --overwrite'):
        hil_rendering.render(short, tmp_path, overwrite=False)
    hil_rendering.render(short, tmp_path, overwrite=True)
    assert sorted(path.name for path in folder.glob('*.png')) == ['000000.png', '000001.png']
    cv2.imwrite(str(folder / 'mine.png'), np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(UserError, match=r'mine\.png'):
        hil_rendering.render(short, tmp_path, overwrite=True)
    assert (folder / 'mine.png').is_file()


def test_one_rendering_serves_all_sources(tmp_path):
    differing = scenario(tmp_path, cameras=['a', 'b'], sources={'b': {'kind': 'rendered'}})
    with pytest.raises(UserError, match='one rendering serves them all'):
        hil_rendering.render(differing, tmp_path, overwrite=False)
    assert hil_rendering.render(scenario(tmp_path, source={}), tmp_path, overwrite=False) is None
