"""Walls have the windows they are asked for, roofs are over walls."""

import numpy as np
import pytest

from rgb2swir_ros.lab.scenes.geometry.builder import Builder
from rgb2swir_ros.lab.scenes.geometry.facades import Side, bays, facade, four_sides
from rgb2swir_ros.lab.scenes.geometry.houses import gable_roof, house
from rgb2swir_ros.lab.scenes.geometry.mesh import Part

WALL, FRAME, ROOF = Part('wall', 'wall'), Part('frame', 'wood'), Part('roof', 'roof')


def area(mesh, *names):
    """Return the area of some parts."""
    a, b, c = (mesh.vertices[mesh.faces[:, i]].astype(float) for i in range(3))
    mine = np.array([part.name in names for part in mesh.parts])[mesh.part]
    return np.linalg.norm(np.cross(b - a, c - a), axis=1)[mine].sum() / 2


def test_bays_are_even_and_centred():
    edges = bays(12.0, 4, .5)
    assert len(edges) == 10
    np.testing.assert_allclose(edges, -edges[::-1])
    np.testing.assert_allclose(edges[2:-1:2] - edges[1:-1:2], 1.5)


def test_a_facade_is_wall_less_windows():
    builder = Builder()
    up = np.array([0, 1, 2, 4, 5.5, 7])
    windows = facade(builder, np.random.default_rng(0), Side(0, 3), WALL, FRAME,
                     bays(12.0, 4, .5), up, deep=.2, bars=0, lit=.3, rail=False)
    mesh = builder.mesh()
    assert len(windows) == 8
    panes = 4 * 1.5 * (1 + 1.5)
    reveals = 4 * .2 * 2 * ((1.5 + 1) + (1.5 + 1.5))
    assert area(mesh, 'wall') == pytest.approx(12 * 7 - panes + reveals, rel=1e-5)
    assert area(mesh, 'window', 'lit_window', 'blind') == pytest.approx(panes, rel=1e-5)
    depth = mesh.vertices[:, 2]
    assert depth.max() == pytest.approx(3)
    assert depth.min() == pytest.approx(2.8)


@pytest.mark.parametrize('index', range(4))
def test_four_sides_look_outward(index):
    side, length = four_sides(10, 6)[index]
    vertices, _ = side.place((np.array([[0, 0, 0], [0, 0, 1.0]]), np.zeros((0, 3), int)))
    out = vertices[1] - vertices[0]
    assert vertices[0] @ out == pytest.approx(3 if length == 10 else 5)
    expected = [(0, 0, 1), (1, 0, 0), (0, 0, -1), (-1, 0, 0)][index]
    np.testing.assert_allclose(out, expected, atol=1e-12)


@pytest.mark.parametrize('hip', [0.0, 2.0])
def test_roofs_cover_the_walls(hip):
    builder = Builder()
    gable_roof(builder, WALL, ROOF, 10, 6, 5, 3, over=.5, hip=hip, thick=.2)
    mesh = builder.mesh()
    roof = mesh.vertices[mesh.faces[mesh.part == [p.name for p in mesh.parts].index('roof')]]
    roof = roof.reshape(-1, 3)
    assert roof[:, 1].max() == pytest.approx(5 + 3 + .2)
    assert roof[:, 1].min() == pytest.approx(5 - .5)  # the slope is 1
    assert roof[:, 2].max() == pytest.approx(3.5)
    assert roof[:, 0].max() > 5
    assert ('wall' in [p.name for p in mesh.parts]) == (hip == 0)


def test_houses_have_doors_and_windows():
    for seed in range(10):
        mesh = house(np.random.default_rng(seed))
        names = {part.name for part in mesh.parts}
        assert {'wall', 'roof', 'door', 'frame', 'plinth'} <= names
        assert area(mesh, 'window', 'lit_window', 'blind') > .03 * area(mesh, 'wall')
