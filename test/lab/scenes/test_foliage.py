"""Light among leaves: nearly none is left in the visible, most of it in SWIR."""

from __future__ import annotations

import numpy as np
import pytest

from rgb2swir_ros.lab.scenes import foliage
from rgb2swir_ros.lab.scenes.bands import to_swir
from rgb2swir_ros.lab.scenes.geometry.trees import COVER
from rgb2swir_ros.lab.scenes.materials import MaterialTable

TABLE = MaterialTable.load()
LEAF, NEEDLE = TABLE.mean('leaf_green'), TABLE.mean('conifer')
BROAD, CONIFER = foliage.in_tuft(['leaf', 'conifer'])[:, 0]


def test_recollision_grows_with_the_leaves():
    """By counting photons through random leaves, too: a slab of 2.6 layers on each line."""
    assert foliage.recollision(.01) < .05
    assert .9 < foliage.recollision(20) < 1
    rng = np.random.default_rng(0)
    depth = rng.uniform(0, 2.6, 40000)           # where light is scattered, evenly
    cosine = rng.uniform(-1, 1, len(depth))      # where to
    path = np.where(cosine > 0, depth, 2.6 - depth) / np.abs(cosine)
    caught = rng.exponential(1, len(depth)) < path
    assert foliage.recollision(2.6) == pytest.approx(caught.mean(), abs=.01)


def test_the_sum_over_collisions_is_what_escapes():
    """``w (1 - p)`` after one, ``w p`` of the rest goes on; leaves that absorb nothing keep none.
    """
    albedo, p = .8, .6
    series = sum((1 - p) * albedo * (albedo * p) ** k for k in range(200))
    assert foliage.escaping(np.array(albedo), p) == pytest.approx(series)
    assert foliage.escaping(np.array(1.0), .7) == pytest.approx(1)
    within = foliage.scattered_within(np.full((2000, 5), 1 - 1e-9), np.linspace(0, COVER, 2000))
    assert within.mean() == pytest.approx(foliage.FIRST, rel=.01), 'what is traced is the rest'


def test_crowns_are_nearly_black_in_the_visible_and_bright_in_swir():
    """As canopies measured from above: .03 to .06 in green, .3 to .5 around 1.1 um."""
    crown = foliage.crown_reflectance(LEAF, BROAD)
    assert .025 < crown[1] < .04
    assert .3 < crown[3] < .45
    assert crown[1] < .4 * LEAF[1]
    assert to_swir(crown) > .5 * to_swir(LEAF)
    assert to_swir(crown) / crown[1] > 2 * to_swir(LEAF) / LEAF[1]
    white = foliage.crown_reflectance(np.ones(5), BROAD)
    assert (white < .5).all(), 'half of it at most'
    assert crown[3] > 3 * crown[4], 'water in the leaves absorbs the long part again and again'
    needles = foliage.crown_reflectance(NEEDLE, CONIFER)
    assert abs(CONIFER - .47) < .05, 'of pine shoots: Smolander and Stenberg (2003)'
    assert (needles < .85 * crown).all(), 'conifers are darker than broad leaves in every band'


def test_the_inside_is_dark_in_the_visible_only():
    """Behind two layers of leaves."""
    outside, inside = (foliage.tuft_albedo(LEAF, BROAD) * foliage.scattered_within(
        foliage.tuft_albedo(LEAF, BROAD)[None], np.array([layers]))[0] for layers in (0.0, 2.0))
    assert inside[1] < .2 * outside[1]
    assert inside[3] > .5 * outside[3]


def test_a_tuft_takes_half_of_even_light():
    cosine = np.linspace(-1, 1, 10001)
    assert foliage.facing(cosine).mean() == pytest.approx(.5, abs=1e-3)
    assert (foliage.facing(-cosine) == foliage.facing(cosine)).all()


def test_layers_above_come_from_the_open_sky():
    sky = np.array([[1] * 10, [1, 0] * 5, [0] * 10], float)
    layers = foliage.layers_to_sky(sky)
    assert layers[0] == 0
    assert layers[1] == pytest.approx(np.log(2))
    assert np.isfinite(layers[2])
    assert layers[2] > 3
