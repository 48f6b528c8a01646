"""The ground: road coordinates, heights, what is where."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rgb2swir_ros.lab.scenes.terrain import LaneMarking, Terrain, TransverseStrip

from .simple_scenes import flat_terrain, plain

NEAR = np.float32(.01)


def street(**changes) -> Terrain:
    """Return a street 8 m wide with pavements."""
    return flat_terrain(**{'edges': (-4.0, 4.0), 'walk': 2.0, 'kerb': .13, 'verge': 3.0,
                           **changes})


def made_of(terrain: Terrain, x: float, z: float) -> str:
    """Return the ground's part at a place."""
    index = terrain.classify(np.array([x]), np.array([z]), np.array([NEAR]))
    return terrain.names[int(index[0])]


def test_across_a_street_come_road_kerb_pavement_verge_field():
    """From the middle outwards, on both sides."""
    terrain = street()
    assert [made_of(terrain, x, 5.0) for x in (0, 3.9, 4.1, 5.0, 7.5)] == [
        'road', 'road', 'kerb', 'walk', 'verge_right']
    assert made_of(terrain, -7.5, 5.0) == 'verge_left'
    assert made_of(terrain, 40.0, 5.0).startswith('field_')


def test_lines_are_dashed_and_bars_lie_across():
    """Three metres of paint, five without; a zebra crossing in stripes."""
    terrain = street(lines=(LaneMarking(0.0, 'line', .2, 3.0, 5.0),),
                     strips=(TransverseStrip(20.0, 3.0, -4.0, 4.0, 'edge_line', .5),))
    painted = np.mean([made_of(terrain, 0.0, z) == 'line' for z in np.arange(0.1, 16, .1)])
    assert painted == pytest.approx(3 / 8, abs=.12)  # some of it has worn off
    assert made_of(terrain, .3, 1.0) == 'road'
    across = [made_of(terrain, x, 21.0) for x in np.arange(-3.9, 3.9, .1)]
    assert .3 < np.mean([name == 'edge_line' for name in across]) < .55


def test_lanes_follow_the_bend():
    """Five metres right of the centre line is pavement, wherever the road turns."""
    terrain = street(bend=(30.0, 60.0, 1.0))
    for z in (0.0, 40.0, 90.0):
        assert made_of(terrain, float(terrain.centre(z)) + 5.0, z) == 'walk'
    step = float(terrain.centre(40.1) - terrain.centre(40.0)) / .1
    assert np.tan(terrain.tangent(40.05)) == pytest.approx(step, rel=.01)


def test_heights_kerb_bank_hills():
    """Level road, raised pavement, a cutting's slope, hills far away."""
    terrain = street(bank=(0.0, 4.0), hills=50.0, flat=20.0)
    assert terrain.height(0.0, 10.0) == pytest.approx(0, abs=1e-6)
    assert terrain.height(5.0, 10.0) == pytest.approx(.13, abs=.02)
    assert terrain.height(30.0, 10.0) > 3.5
    assert np.abs(terrain.height(np.linspace(300, 900, 50), 200.0)).max() > 15


def test_normals_are_unit_and_lean_with_the_slope():
    """Up on level ground, away from the hill on a slope."""
    level = street().normals(np.array([0.0]), np.array([10.0]))
    np.testing.assert_allclose(level, [[0, 1, 0]], atol=1e-5)
    slope = street(climb=(5.0, 50.0, 0.0)).normals(np.array([0.0]), np.array([.01]))
    assert np.linalg.norm(slope) == pytest.approx(1, abs=1e-5)
    assert slope[0, 2] == pytest.approx(-.1, abs=.01)  # climbs 5/50 ahead


def test_mesh_is_the_height_that_it_was_made_from():
    """Vertices lie on the surface, faces are valid, the land reaches far."""
    terrain = street(bend=(20.0, 80.0, .3), hills=30.0)
    vertices, faces = terrain.mesh(-30.0)
    d = vertices[:, 0] - terrain.centre(vertices[:, 2])
    off_kerb = np.abs(np.abs(d) - 4.0) > .05  # where the height is a step
    np.testing.assert_allclose(vertices[off_kerb, 1],
                               terrain.height(d, vertices[:, 2])[off_kerb], atol=.02)
    assert faces.max() == len(vertices) - 1
    assert vertices[:, 2].max() > 1500


def test_far_patches_fade_instead_of_sparkling():
    """Where a pixel spans many metres, spots smaller than it are left out."""
    terrain = street(spots=.3, parts={**street().parts, 'spots': plain('spots', 'soil')})
    x = np.random.default_rng(0).uniform(50, 900, 4000)
    z = np.random.default_rng(1).uniform(0, 900, 4000)
    spots = terrain.names.index('spots')
    near = (terrain.classify(x, z, np.full(4000, NEAR)) == spots).mean()
    far = (terrain.classify(x, z, np.full(4000, 60.0)) == spots).mean()
    assert near == pytest.approx(.3, abs=.12)
    assert far < .05
    assert replace(terrain, spots=0.0).classify(x, z, np.full(4000, NEAR)).max() != spots
