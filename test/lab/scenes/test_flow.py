"""The optical flow of sequences."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from rgb2swir_ros.lab.scenes.flow import optical_flow
from rgb2swir_ros.lab.scenes.frames import render_sequence
from rgb2swir_ros.lab.scenes.geometry.catalogue import make_object
from rgb2swir_ros.lab.scenes.geometry_buffer import make_geometry_buffer
from rgb2swir_ros.lab.scenes.raycast import SKY, RayCaster
from rgb2swir_ros.lab.scenes.scene import SceneObject
from rgb2swir_ros.lab.scenes.scene_generator import with_clear_path

from .simple_scenes import box, simple_scene


def flow_of(scene, seconds):
    """Return flow, seen, and the first buffer."""
    caster = RayCaster(scene)
    now, poses = make_geometry_buffer(caster, scene.camera), caster.poses
    caster.at(seconds)
    following = make_geometry_buffer(caster, scene.camera, seconds)
    return (*optical_flow(now, poses, following, caster.poses, 1), now)


def test_a_still_scene_has_no_flow_and_hides_nothing():
    """Nothing moves: zero everywhere, everything seen again."""
    flow, seen, _ = flow_of(simple_scene(box(0, 20)), .1)
    assert np.abs(flow).max() < 1e-3
    assert seen.mean() > .995


def test_a_car_that_crosses_moves_by_focal_length_over_distance():
    """5 m/s to the right for 0.2 s at 18 m: 128 px / 18 m a metre."""
    car = box(0, 20, heading=np.pi / 2, speed=5.0, size=(4.0, 1.5, 2.0))
    flow, seen, now = flow_of(simple_scene(car), .2)
    own = (now.hits.object_index == 0).reshape(96, 128)
    assert np.median(flow[own][:, 0]) == pytest.approx(128 / 18, rel=.03)
    assert np.abs(flow[own][:, 1]).max() < .2
    assert np.abs(flow[~own]).max() < 1e-3
    assert not seen[~own].all()  # the ground that the car hides next


def test_driving_ahead_spreads_the_picture_from_the_vanishing_point():
    """Ground at distance z flows by height * f * step / (z (z - step)) downwards."""
    flow, _, now = flow_of(simple_scene(speed=10.0), .1)
    row = 80
    ahead = 1.5 * 128 / (row + .5 - 48)
    assert flow[row, 64, 1] == pytest.approx(1.5 * 128 * 1.0 / (ahead * (ahead - 1)), rel=.02)
    sky = (now.hits.object_index == SKY).reshape(96, 128)
    assert np.abs(flow[sky]).max() < .05


@pytest.mark.parametrize('seed', [9, 13, 15, 18])
def test_flow_takes_each_frame_to_the_next(seed):
    """The next SWIR frame, fetched along the flow, is the present one wherever it is seen."""
    frames = list(render_sequence(seed, (96, 128), 3))
    for now, following in itertools.pairwise(frames):
        y, x = np.mgrid[:96, :128].astype(np.float32)
        warped = cv2.remap(following.swir, x + now.flow[..., 0], y + now.flow[..., 1],
                           cv2.INTER_LINEAR)
        error = np.abs(warped - now.swir)[now.seen]
        plain = np.abs(following.swir - now.swir)[now.seen]
        assert now.seen.mean() > .45
        assert np.mean(error) < .75 * np.mean(plain)
    assert frames[-1].flow is None


def test_a_still_sequence_differs_by_noise_alone():
    """SWIR is the same in each frame, bit for bit."""
    one, two = render_sequence(3, (64, 96), 2, still=True)
    np.testing.assert_array_equal(one.swir, two.swir)
    assert np.abs(one.flow).max() < 1e-3


def test_no_static_object_blocks_a_drive():
    """A parked car on the camera's path goes, one beside it, a gantry and traffic stay."""
    parked, beside = box(.8, 30.0), box(4.0, 30.0)
    ahead = box(0.0, 40.0, speed=10.0)
    far = box(0.0, 400.0)
    scene = simple_scene(parked, beside, ahead, far, speed=10.0)
    assert with_clear_path(scene, 5.0).objects == (beside, ahead, far)
    still = simple_scene(parked, beside, speed=0.0)
    assert with_clear_path(still, 5.0).objects == (parked, beside)
    gantry = SceneObject(make_object('gantry', np.random.default_rng(0)), None, 0.0, 30.0)
    assert with_clear_path(simple_scene(gantry, speed=10.0), 5.0).objects == (gantry,)
