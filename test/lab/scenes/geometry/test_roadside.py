"""What takes a length has it, signs look ahead, crossings leave room for traffic."""

import numpy as np
import pytest

from rgb2swir_ros.lab.scenes.geometry import barriers, plants, poles, signs, trees
from rgb2swir_ros.lab.scenes.raycast import RayCaster
from rgb2swir_ros.lab.scenes.scene import SceneObject

from ..simple_scenes import simple_scene


@pytest.mark.parametrize('make', [barriers.guard_rail, barriers.concrete_barrier, barriers.fence,
                                  barriers.noise_wall, plants.hedge, plants.crop_row])
@pytest.mark.parametrize('length', [3.0, 9.5])
def test_lengths(make, length):
    mesh = make(np.random.default_rng(4), length)
    assert np.ptp(mesh.vertices[:, 0]) == pytest.approx(length, rel=.2, abs=.3)
    assert abs(mesh.vertices[:, 0].max() + mesh.vertices[:, 0].min()) < .2 * length


@pytest.mark.parametrize(('make', 'clear'), [(signs.gantry, 5.1), (barriers.bridge, 4.7)])
@pytest.mark.parametrize('seed', range(5))
def test_crossings_leave_room(make, clear, seed):
    mesh = make(np.random.default_rng(seed), 14.0)
    inside = np.abs(mesh.vertices[:, 0]) < 6.5
    assert mesh.vertices[inside, 1].min() > clear
    assert mesh.vertices[:, 1].min() < .05


def points(mesh, test):
    """Return the corners (N, 3) of the faces of some parts."""
    mine = np.array([test(part) for part in mesh.parts])[mesh.part]
    return mesh.vertices[mesh.faces[mine]].reshape(-1, 3)


@pytest.mark.parametrize('seed', range(10))
def test_faces_of_signs_look_along_z(seed):
    for make in (signs.traffic_sign, signs.direction_sign):
        mesh = make(np.random.default_rng(seed))
        face = points(mesh, lambda part: part.name in ('face', 'white', 'red', 'yellow'))
        assert face[:, 2].min() > points(mesh, lambda part: part.name == 'post')[:, 2].mean()


def test_one_signal_is_on():
    for seed in range(10):
        mesh = signs.traffic_light(np.random.default_rng(seed))
        assert [part.lamp for part in mesh.parts].count('signal') == 1
        assert points(mesh, lambda part: part.name.endswith('_lamp'))[:, 1].min() > 2


def test_street_lamps_are_high():
    for seed in range(10):
        mesh = poles.lamp_post(np.random.default_rng(seed))
        assert points(mesh, lambda part: part.lamp == 'street')[:, 1].min() > 3


def test_crowns_have_gaps_and_depth():
    """Rays along z through a crown's outline: most meet leaves, some the sky."""
    for make in (trees.broadleaf, trees.conifer):
        covered = []
        for seed in range(6):
            mesh = make(np.random.default_rng(seed))
            leaf = points(mesh, lambda part: part.leafy)
            middle, spread = leaf.mean(0), leaf.std(0)
            caster = RayCaster(simple_scene(SceneObject(mesh, None, 0.0, 0.0)))
            grid = np.stack(np.meshgrid(np.linspace(-1.2, 1.2, 60), np.linspace(-1.2, 1.2, 60)),
                            -1).reshape(-1, 2)
            start = np.column_stack([middle[:2] + grid * spread[:2], np.full(len(grid), -50.0)])
            ahead = np.tile(np.float32([0, 0, 1]), (len(grid), 1))
            hits = caster.hits(start.astype(np.float32), ahead, .0005)
            covered.append((hits.object_index == 0).mean())
        assert .6 < np.mean(covered) < .98
        assert max(covered) < 1
