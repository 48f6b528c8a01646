"""The materials table and the things drawn from it."""

import numpy as np
import pytest

from rgb2swir_ros.scenes.materials import TABLE, draw, draw_coloured


@pytest.mark.parametrize('name', sorted(TABLE))
def test_reflectances_are_physical(name):
    assert all(0 < value < 1 for value in TABLE[name])


def test_no_spread_gives_the_table():
    material = draw('grass', np.random.default_rng(0), spread=0)
    assert material.rgb == pytest.approx([.08, .08, .04])  # red, green, blue
    assert material.swir == pytest.approx(.44)


def test_draws_vary_around_the_table():
    rng = np.random.default_rng(0)
    swir = np.array([draw('asphalt', rng).swir for _ in range(400)])
    assert np.median(swir) == pytest.approx(.13, rel=.06)
    assert .1 < swir.std() / swir.mean() < .4


def test_paint_and_cloth_do_not_tell_their_swir():
    rng = np.random.default_rng(0)
    cloth = [draw_coloured('cloth', rng) for _ in range(300)]
    black = [m.swir for m in cloth if m.rgb.max() < .08]
    assert len(black) > 20
    assert min(black) >= .4, 'dyes are transparent in SWIR: black cloth is not black there'
    paint = [draw_coloured('car_paint', rng) for _ in range(300)]
    carbon = [m.swir for m in paint if m.rgb.max() < .06]
    assert max(carbon) <= .12, 'carbon black is black in both bands'


def test_unknown_material_is_refused():
    with pytest.raises(KeyError, match='unobtainium'):
        draw('unobtainium', np.random.default_rng(0))
