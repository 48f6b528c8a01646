"""Textures: they tile, and a pixel sees the mean of what it covers."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from rgb2swir_ros.lab.scenes.textures import (
    SIZE,
    in_gap,
    mip_pyramid,
    sample_texture,
    sample_textures,
    texture_library,
)


@pytest.mark.parametrize('name', sorted(texture_library()))
def test_textures_have_mean_zero_and_tile(name):
    """No texture makes its surface brighter, and none has a seam."""
    tile = texture_library()[name]
    assert tile.shape == (SIZE, SIZE)
    assert abs(float(tile.mean())) < .3 * float(tile.std()) + .9 * (name == 'leaves')
    for turned in (tile, tile.T):
        steps = np.abs(np.diff(turned, axis=1)).mean(axis=0)
        assert np.abs(turned[:, 0] - turned[:, -1]).mean() < 1.5 * steps.max()


def test_lookup_returns_texels_and_wraps():
    """At texel centres the texture itself, also a period further."""
    tile = texture_library()['worn']
    assert sample_texture('worn', 10.5, 20.5) == pytest.approx(tile[20, 10], abs=1e-4)
    wrapped = sample_texture('worn', 10.5 + SIZE, 20.5 - 2 * SIZE)
    assert wrapped == pytest.approx(tile[20, 10], abs=1e-3)
    between = sample_texture('worn', 11.0, 20.5)
    assert between == pytest.approx((tile[20, 10] + tile[20, 11]) / 2, abs=1e-4)


def test_a_wide_footprint_sees_the_mean():
    """Contrast fades with the size of the footprint; at a whole tile it is gone."""
    names, *_ = mip_pyramid()
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, SIZE, (2, 5000)).astype(np.float32)
    index = np.full(5000, names.index('speckle'))
    spread = [float(sample_textures(index, x, y, np.full(5000, width, np.float32)).std())
              for width in (.5, 4, 32, 512)]
    assert spread[0] > spread[1] > spread[2] > spread[3]
    assert spread[3] < 1e-3


def test_no_texture_is_zero():
    """Index -1 stands for none."""
    assert not sample_textures(np.array([-1, -1]), *np.zeros((3, 2), np.float32)).any()


@pytest.mark.parametrize('footprint', [.3, 2, 9, 30])
def test_gaps_between_leaves_keep_their_share_at_any_distance(footprint):
    """A pixel that covers many leaves still lies in a gap or not."""
    x, y = np.random.default_rng(1).uniform(0, SIZE, (2, 20000)).astype(np.float32)
    for fill in (.6, .8):
        quantile = np.full(len(x), NormalDist().inv_cdf(fill), np.float32)
        assert in_gap(quantile, x, y, np.full(len(x), footprint)).mean() == pytest.approx(
            1 - fill, abs=.05)
    assert not in_gap(np.full(9, np.inf), x[:9], y[:9], np.ones(9)).any(), 'no gaps in a whole'
