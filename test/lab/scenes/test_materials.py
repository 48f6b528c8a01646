"""The materials table and the samples drawn from it."""

from __future__ import annotations

import numpy as np
import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.scenes.bands import to_swir
from rgb2swir_ros.lab.scenes.materials import (
    MaterialTable,
    snow_covered_reflectance,
    wet_reflectance,
)

TABLE = MaterialTable.load()
NAMES = {  # what scenes ask for
    'asphalt', 'concrete', 'white_paint', 'yellow_paint', 'red_paint', 'brick', 'grass', 'leaf',
    'conifer', 'dry_grass', 'soil', 'wood', 'granite', 'snow', 'water', 'galvanized', 'aluminium',
    'skin', 'cotton', 'black_cloth', 'tyre', 'glass', 'plaster', 'roof_tile', 'gravel', 'sand',
    'bark', 'plastic', 'hair', 'rust', 'rubber', 'lamp_glass', 'car_paint', 'cloth', 'sign_face',
    'wall', 'roof', 'metal_paint'}


def draws(name: str, count: int = 400) -> np.ndarray:
    rng = np.random.default_rng(1)
    return np.stack([TABLE.draw(name, rng) for _ in range(count)])


def test_every_material_that_scenes_ask_for_is_there():
    assert set(TABLE.names) >= NAMES


@pytest.mark.parametrize('name', TABLE.names)
def test_no_spread_gives_the_table(name):
    drawn = TABLE.draw(name, np.random.default_rng(0), spread=0)
    first = TABLE.palettes[name][0][0] if name in TABLE.palettes else name
    assert drawn.dtype == np.float32
    np.testing.assert_array_equal(drawn, TABLE.materials[first].reflectance)


@pytest.mark.parametrize('name', TABLE.names)
def test_draws_are_physical_and_unlike_each_other(name):
    drawn = draws(name, 60)
    assert drawn.shape == (60, 5)
    assert drawn.min() >= np.float32(.005)
    assert drawn.max() <= np.float32(.99)
    assert (drawn.std(axis=0) / drawn.mean(axis=0)).max() > .02


def test_draws_have_the_spread_of_the_factor():
    logarithm = np.log(draws('asphalt', 3000).astype(float))
    brightness = logarithm[:, :3].mean(axis=1)
    swir = .76 * logarithm[:, 3] + .24 * logarithm[:, 4]
    factor = TABLE.materials['asphalt'].factor
    assert brightness.std() == pytest.approx(factor[0, 0], rel=.06)
    assert swir.std() == pytest.approx(np.linalg.norm(factor[3]), rel=.06)
    expected = factor[3, 0] / np.linalg.norm(factor[3])
    assert np.corrcoef(brightness, swir)[0, 1] == pytest.approx(expected, abs=.06)
    assert np.exp(np.median(brightness)) == pytest.approx(.0984, rel=.04)


def test_measured_relations_between_materials_hold():
    swir = TABLE.swir
    assert swir('asphalt') < swir('concrete') < swir('dry_grass')
    assert swir('leaf') > 4 * TABLE.mean('leaf')[1]       # leaves are dark green but bright
    assert swir('black_cloth') > 8 * swir('tyre')         # both are black to the eye
    assert swir('brick') > 2 * TABLE.mean('brick')[0]
    fine, coarse = TABLE.mean('snow_fine'), TABLE.mean('snow_coarse')
    assert np.all(np.abs(fine - coarse)[:3] < .04)
    assert fine[4] > 10 * coarse[4]
    tones = np.stack([TABLE.mean(f'skin_{tone}') for tone in ('light', 'medium', 'dark')])
    assert tones[0, 1] > 4 * tones[2, 1]
    np.testing.assert_array_equal(tones[:, 4], tones[0, 4])


@pytest.mark.parametrize(('one', 'other'), [('car_paint', 'wall'), ('cloth', 'car_paint'),
                                            ('cloth', 'plastic'), ('car_paint', 'leaf')])
def test_there_are_metamers(one, other):
    a, b = draws(one, 500), draws(other, 500)
    apart = np.abs(np.sqrt(a[:, None, :3]) - np.sqrt(b[None, :, :3])).max(axis=2)
    swir = np.abs(to_swir(a)[:, None] - to_swir(b)[None])
    # square roots are near to code values: 4 % of the range is what noise and codec change
    assert np.any((apart < .04) & (swir > .15))


def test_palettes_draw_members_by_their_weights():
    rng = np.random.default_rng(3)
    swir = np.array([to_swir(TABLE.draw('cloth', rng)) for _ in range(1500)])
    visible_black = draws('cloth', 1500)
    dark = visible_black[visible_black[:, :3].max(axis=1) < .07]
    assert .03 < (to_swir(dark) < .15).mean() < .4, 'a few black fibres are carbon black'
    assert (swir > .3).mean() > .85
    members, shares = TABLE.palettes['cloth']
    assert shares.sum() == pytest.approx(1)
    assert TABLE.mean('cloth') == pytest.approx(
        sum(s * TABLE.mean(m) for m, s in zip(members, shares, strict=True)), rel=1e-4)


def test_unknown_material_is_refused():
    with pytest.raises(UserError, match=r"'unobtainium': known are asphalt, concrete"):
        TABLE.draw('unobtainium', np.random.default_rng(0))
    with pytest.raises(UserError, match='unobtainium'):
        TABLE.mean('unobtainium')


def test_the_same_seed_gives_the_same_member():
    first, second = (TABLE.draw('car_paint', np.random.default_rng([4, 2])) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_wet_ground_is_darker_and_darkest_past_1450_nm():
    dry = TABLE.mean('asphalt')
    share = wet_reflectance(dry, 1.0) / dry
    assert share.dtype == np.float32
    assert np.all((share[:3] > .5) & (share[:3] < .7))
    assert .4 < share[3] < share[2]
    assert share[4] < .2
    np.testing.assert_array_equal(wet_reflectance(dry, 0.0), dry)
    half = wet_reflectance(dry, .5)
    assert np.all((half < dry) & (half > wet_reflectance(dry, 1.0)))


def test_a_film_on_paint_takes_swir_alone():
    paint = TABLE.mean('white_paint')
    share = wet_reflectance(paint, 1.0, porous=False) / paint
    np.testing.assert_allclose(share[:3], 1, rtol=1e-6)
    # two passes of 1 mm: .89 and .18 with Segelstein's absorption under the G173 sun
    assert share[3] == pytest.approx(.886, abs=.01)
    assert share[4] == pytest.approx(.182, abs=.01)


def test_wetness_takes_a_map():
    rho = np.broadcast_to(TABLE.mean('soil'), (4, 6, 5))
    wetness = np.linspace(0, 1, 24).reshape(4, 6)
    out = wet_reflectance(rho, wetness, porous=wetness > .5)
    assert out.shape == (4, 6, 5)
    np.testing.assert_allclose(out[0, 0], rho[0, 0], rtol=1e-6)
    assert np.all(np.diff(out[..., 4].ravel()) < 0)


def test_snow_covered_ground_lies_between_ground_and_snow():
    ground, snow = TABLE.mean('asphalt'), TABLE.mean('snow_fine')
    np.testing.assert_allclose(snow_covered_reflectance(ground, snow, .25),
                               .75 * ground + .25 * snow, rtol=1e-5)
    assert snow_covered_reflectance(ground, snow, np.zeros((2, 3))).shape == (2, 3, 5)


def test_a_users_file_adds_and_replaces(tmp_path):
    path = tmp_path / 'mine.yaml'
    path.write_text('materials:\n'
                    '  moss: {reflectance: [.05, .1, .03, .5, .2], source: measured, from: me}\n'
                    '  asphalt: {reflectance: [.1, .1, .1, .2, .2], source: assumed, from: me,\n'
                    '            spread: still}\n'
                    'spreads:\n  still: {brightness: 0}\n'
                    'palettes:\n  wall: {moss: 1, brick: 3}\n')
    table = MaterialTable.load(path)
    assert table.mean('moss') == pytest.approx([.05, .1, .03, .5, .2])
    np.testing.assert_array_equal(table.draw('asphalt', np.random.default_rng(0)),
                                  np.array([.1, .1, .1, .2, .2], np.float32))
    assert table.palettes['wall'][0] == ('moss', 'brick')
    assert 'moss' not in TABLE.names, 'the built-in table stays as it is'
    assert table.mean('brick') == pytest.approx(TABLE.mean('brick'))
