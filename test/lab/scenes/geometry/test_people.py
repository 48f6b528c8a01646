"""People keep their limbs' lengths, stand on the ground and wear clothes."""

import numpy as np
import pytest

from rgb2swir_ros.lab.scenes.geometry import poses
from rgb2swir_ros.lab.scenes.geometry.people import person


def lengths(pose):
    """Return thighs, calves, upper arms and forearms, as shares of the height."""
    pairs = ((pose.hips, pose.knees), (pose.knees, pose.ankles), (pose.shoulders, pose.elbows),
             (pose.elbows, pose.wrists))
    return [np.linalg.norm(b - a, axis=1) / pose.height for a, b in pairs]


@pytest.mark.parametrize('stride', [0.0, 1.0])
@pytest.mark.parametrize('seed', range(10))
def test_poses_on_foot(stride, seed):
    pose = poses.on_foot(np.random.default_rng(seed), 1.8, stride)
    thigh, calf, upper, fore = lengths(pose)
    np.testing.assert_allclose(thigh, poses.THIGH, rtol=.05)
    np.testing.assert_allclose(calf, poses.CALF, rtol=.05)
    np.testing.assert_allclose(upper, poses.UPPER_ARM, rtol=.1)
    np.testing.assert_allclose(fore, poses.FOREARM, rtol=.1)
    assert pose.ankles[:, 1].min() == pytest.approx(poses.ANKLE * 1.8)
    apart = abs(pose.ankles[0, 2] - pose.ankles[1, 2])
    assert (apart > .12) == (stride > 0)
    # an arm swings with the other side's leg
    if stride:
        assert ((pose.knees[0, 2] - pose.knees[1, 2])
                * (pose.elbows[0, 2] - pose.elbows[1, 2])) < .02


def test_bend_meets_its_end_when_in_reach():
    start, end = np.zeros(3), np.array([0, -.5, .2])
    joint, reached = poses.bend(start, end, .4, .3, np.array([0, 0, 1.0]))
    np.testing.assert_allclose(reached, end)
    assert np.linalg.norm(joint) == pytest.approx(.4)
    assert np.linalg.norm(reached - joint) == pytest.approx(.3)
    assert joint[2] > .2 * .5  # towards z


def test_bend_stretches_towards_an_end_out_of_reach():
    joint, reached = poses.bend(np.zeros(3), np.array([0, -5.0, 0]), .4, .3,
                                np.array([0, 0, 1.0]))
    assert np.linalg.norm(joint) == pytest.approx(.4)
    assert np.linalg.norm(reached) == pytest.approx(.7, abs=2e-3)
    assert reached[1] < 0


def test_people_differ_in_height_and_clothes():
    people = [person(np.random.default_rng(seed)) for seed in range(60)]
    heights = np.array([np.ptp(mesh.vertices[:, 1]) for mesh in people])
    assert heights.min() < 1.45
    assert heights.max() > 1.8
    names = [{part.name for part in mesh.parts} for mesh in people]
    for garment in ('skirt', 'trousers', 'hat', 'bag', 'hair'):
        assert any(garment in worn for worn in names), garment
    assert all({'skin', 'top', 'shoes'} <= worn for worn in names)
    materials = {part.material for mesh in people for part in mesh.parts if part.name == 'top'}
    assert materials == {'cloth', 'cotton', 'black_cloth'}
