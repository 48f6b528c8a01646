"""Cars, lorries, buses and two-wheelers are built as such vehicles are."""

import numpy as np
import pytest

from rgb2swir_ros.lab.scenes.geometry.buses import bus
from rgb2swir_ros.lab.scenes.geometry.car_body import STYLES
from rgb2swir_ros.lab.scenes.geometry.cars import WEIGHTS, car
from rgb2swir_ros.lab.scenes.geometry.loads import LOADS
from rgb2swir_ros.lab.scenes.geometry.trucks import WEIGHTS as LOAD_WEIGHTS
from rgb2swir_ros.lab.scenes.geometry.trucks import truck
from rgb2swir_ros.lab.scenes.geometry.two_wheelers import bicycle, motorcycle


def share(mesh, material):
    """Return the share of the mesh's area that is of a material."""
    a, b, c = (mesh.vertices[mesh.faces[:, i]] for i in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    mine = np.array([part.material == material for part in mesh.parts])[mesh.part]
    return area[mine].sum() / area.sum()


def points(mesh, name):
    """Return the corners (N, 3) of a part's faces."""
    index = [part.name for part in mesh.parts].index(name)
    return mesh.vertices[mesh.faces[mesh.part == index]].reshape(-1, 3)


def test_weights_name_styles():
    assert set(WEIGHTS) == set(STYLES)
    assert set(LOAD_WEIGHTS) == set(LOADS)
    assert sum(WEIGHTS.values()) == pytest.approx(1)
    assert sum(LOAD_WEIGHTS.values()) == pytest.approx(1)


@pytest.mark.parametrize('style', STYLES)
@pytest.mark.parametrize('seed', range(5))
def test_cars(style, seed):
    mesh = car(np.random.default_rng(seed), style)
    assert mesh.vertices[:, 1].min() == pytest.approx(0, abs=1e-6)
    tyre = points(mesh, 'tyre')
    front, rear = tyre[tyre[:, 2] > 0], tyre[tyre[:, 2] < 0]
    for wheels in (front, rear):
        for side in (wheels[wheels[:, 0] > 0], wheels[wheels[:, 0] < 0]):
            assert side[:, 1].min() == pytest.approx(0, abs=1e-6)  # all four stand
    wheelbase = front[:, 2].mean() - rear[:, 2].mean()
    length = np.ptp(mesh.vertices[:, 2])
    assert .5 < wheelbase / length < .72
    assert .05 < share(mesh, 'glass') < .3
    glass = points(mesh, 'glass')
    assert glass[:, 1].min() > .4 * mesh.vertices[:, 1].max()
    left, right = glass[glass[:, 0] < 0], glass[glass[:, 0] > 0]
    assert len(left) == pytest.approx(len(right), rel=.2)
    assert points(mesh, 'head_lamp')[:, 2].min() > .4 * length - .2
    assert points(mesh, 'tail_lamp')[:, 2].max() < -.4 * length + .2


def test_styles_differ_in_build():
    def height(style):
        return np.mean([car(np.random.default_rng(seed), style).vertices[:, 1].max()
                        for seed in range(8)])
    assert height('sedan') < height('suv') < height('van')


@pytest.mark.parametrize('load', LOADS)
@pytest.mark.parametrize('seed', range(6))
def test_trucks(load, seed):
    mesh = truck(np.random.default_rng(seed), load)
    glass = points(mesh, 'glass')
    assert glass[:, 2].min() > 0  # the cab is ahead
    assert glass[:, 1].min() > .9
    tyre = points(mesh, 'tyre')
    assert tyre[:, 1].min() == pytest.approx(0, abs=1e-6)
    assert np.ptp(tyre[:, 2]) > .5 * np.ptp(mesh.vertices[:, 2])


@pytest.mark.parametrize('style', ['city', 'coach', 'double', 'mini'])
def test_buses(style):
    mesh = bus(np.random.default_rng(3), style)
    assert .09 < share(mesh, 'glass') < .5
    assert np.ptp(mesh.vertices[:, 2]) > 7.3
    assert (mesh.vertices[:, 1].max() > 4) == (style == 'double')


@pytest.mark.parametrize('make', [bicycle, motorcycle])
@pytest.mark.parametrize('seed', range(8))
def test_riders_sit_on_what_they_ride(make, seed):
    ridden = make(np.random.default_rng(seed))
    alone = make(np.random.default_rng(seed), ridden=False)
    assert {part.name for part in ridden.parts} >= {'skin', 'top', 'trousers', 'shoes'}
    assert 'skin' not in {part.name for part in alone.parts}
    assert ridden.vertices[:, 1].max() > alone.vertices[:, 1].max() + .2
    assert points(ridden, 'shoes')[:, 1].min() > 0  # feet are on pedals
    assert points(ridden, 'tyre')[:, 1].min() == pytest.approx(0, abs=2e-3)
