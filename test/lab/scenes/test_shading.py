"""Shading: table values come back, and light behaves as light does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rgb2swir_ros.lab.scenes.bands import to_swir
from rgb2swir_ros.lab.scenes.frames import capture
from rgb2swir_ros.lab.scenes.geometry.facades import coated
from rgb2swir_ros.lab.scenes.geometry.mesh import Part
from rgb2swir_ros.lab.scenes.geometry_buffer import make_geometry_buffer
from rgb2swir_ros.lab.scenes.light import light_of
from rgb2swir_ros.lab.scenes.materials import MaterialTable
from rgb2swir_ros.lab.scenes.raycast import GROUND, RayCaster
from rgb2swir_ros.lab.scenes.rgb_camera import RgbCamera
from rgb2swir_ros.lab.scenes.scene import SceneObject
from rgb2swir_ros.lab.scenes.shading import RenderConditions, draw_render_conditions, shade
from rgb2swir_ros.lab.scenes.weather import WeatherState

from .simple_scenes import box, box_mesh, flat_terrain, noon, plain, simple_scene

TABLE = MaterialTable.load()


def table_conditions(caster, light):
    """Return the look in which everything has exactly its table's reflectance."""
    rows = np.stack([TABLE.mean(s.part.material) for s in caster.surfaces]).astype(np.float32)
    count = len(rows)
    return RenderConditions(light, rows, TABLE.mean('snow').astype(np.float32), 1.0,
                            np.zeros((count, 5), np.float32), np.ones(count, np.float32))


def picture(scene, light):
    """Return radiance (H, W, 5) and the buffer."""
    caster = RayCaster(scene)
    buffer = make_geometry_buffer(caster, scene.camera)
    size = scene.camera.size
    return shade(caster, buffer, table_conditions(caster, light)).reshape(*size, 5), buffer


def down(material):
    """Return a scene that looks straight down on a level field of one material."""
    return simple_scene(terrain=flat_terrain(material), size=(32, 32), height=20.0,
                        pitch=-np.pi / 2)


@pytest.mark.parametrize('name', TABLE.names)
def test_a_flat_patch_gives_its_tables_reflectance_back(name):
    """Level, facing the sun in the zenith: radiance equals reflectance, in RGB and in SWIR."""
    bands, _ = picture(down(name), noon())
    expected = TABLE.mean(name)
    patch = bands[8:24, 8:24].reshape(-1, 5)
    np.testing.assert_allclose(patch.mean(axis=0), expected, rtol=.02, atol=.004)
    # and through a neutral camera, whose sRGB code is undone here
    camera = RgbCamera(exposure=.9)
    rgb, swir = capture(bands, camera, (32, 32), np.random.default_rng(0))
    coded = rgb[8:24, 8:24].reshape(-1, 3).mean(axis=0) / 255
    linear = np.where(coded < .04045, coded / 12.92, ((coded + .055) / 1.055) ** 2.4)
    middle = expected[:3] < .6  # above, the shoulder of the tone curve begins
    np.testing.assert_allclose(linear[middle], .9 * expected[:3][middle], rtol=.12, atol=.01)
    assert swir[16, 16] == pytest.approx(.9 * TABLE.swir(name), rel=.03, abs=.004)


def test_clear_sky_is_dark_and_grass_bright_in_swir():
    """What makes SWIR look like SWIR."""
    bands, _ = picture(simple_scene(terrain=flat_terrain('grass')), noon())
    swir, green = to_swir(bands), bands[..., 1]
    assert swir[10].mean() < .2 * green[10].mean()
    assert swir[90].mean() > 3 * green[90].mean()


def test_shadows_are_deeper_in_swir():
    """The sky lights shadows in the visible; in SWIR it is dark."""
    sun = np.array([0, .6, -.8], np.float32)
    scene = simple_scene(box(0.0, 20.0, size=(6.0, 8.0, 1.0)), terrain=flat_terrain('concrete'),
                         height=30.0, z=15.0, pitch=-np.pi / 2, focal=.7)
    bands, _ = picture(scene, noon(sun_direction=sun))
    shadow, open_ground = bands[12, 64], bands[80, 64]  # ahead is up in the picture
    assert shadow[1] < .5 * open_ground[1]
    assert (to_swir(shadow) / to_swir(open_ground)) < .6 * shadow[1] / open_ground[1]


def test_a_crown_against_the_sun_is_dark_in_green_and_bright_in_swir():
    """Leaves in their own crown's shadow get what the crown lets through; others' shadow stays."""
    part = Part('foliage', 'leaf', contrast=0.0, leafy=True)
    sun = np.array([0, .6, .8], np.float32)  # ahead, behind the crown
    crown = SceneObject(box_mesh(6.0, 8.0, 2.0, part), None, 0.0, 12.0)
    wall = box(0.0, 40.0, size=(60.0, 60.0, 1.0), category=None)

    def face(*objects, sun_is=sun, of=crown):
        bands, _ = picture(simple_scene(of, *objects), noon(sun_direction=sun_is))
        return bands[30:60, 54:74].mean(axis=(0, 1))

    against, shaded = face(), face(wall)
    lit = face(sun_is=sun * [1, 1, -1])
    through = against - shaded
    assert to_swir(through) > .15 * to_swir(lit)
    assert through[1] < .25 * lit[1]
    assert through[3] / lit[3] > 2 * through[1] / lit[1]
    # nothing comes through what is no crown
    solid = SceneObject(box_mesh(6.0, 8.0, 2.0, replace(part, leafy=False)), None, 0.0, 12.0)
    assert face(of=solid) == pytest.approx(face(wall, of=solid), rel=.2)
    # a deeper crown lets less through
    deep = face(of=SceneObject(box_mesh(6.0, 8.0, 5.0, part), None, 0.0, 13.5))
    assert (deep - shaded)[3] < .8 * through[3]


def test_haze_reaches_less_far_in_swir():
    """With the extinction of dry haze a far wall keeps its contrast in SWIR."""
    haze = np.array([.004, .004, .004, .0015, .001], np.float32)
    air = np.array([.7, .7, .7, .1, .1], np.float32)
    scene = simple_scene(box(0, 300, size=(400, 120, 2), material='tyre', category=None))
    far, _ = picture(scene, noon(extinction=haze, air=air))
    near, _ = picture(scene, noon())
    gain = far[30, 64] - near[30, 64]
    assert gain[1] > .4
    assert gain[3] < .1


def test_wet_road_is_darker_most_so_beyond_the_water_absorption():
    """A film of water takes the long part of the band nearly whole."""
    dry, _ = picture(down('asphalt'), noon())
    wet, _ = picture(down('asphalt'), noon(wetness=1.0))
    ratio = (wet / dry)[16, 16]
    assert ratio[4] < ratio[1] < 1
    assert ratio[4] < .5


def test_snow_lies_on_level_ground_and_not_on_walls():
    """Fields go white; a wall keeps its colour."""
    scene = simple_scene(box(0, 10, size=(6, 3, .3), material='brick', category=None),
                         terrain=flat_terrain('grass', edges=(-.5, .5)))
    snow, buffer = picture(scene, noon(snow=1.0, sun_direction=np.array([0, .8, -.6])))
    bare, _ = picture(scene, noon(sun_direction=np.array([0, .8, -.6])))
    ground = (buffer.hits.object_index == GROUND).reshape(96, 128)
    ground[:, 50:78] = False
    wall = (np.abs(buffer.hits.normal[:, 2]) > .9).reshape(96, 128) & ~ground
    assert snow[ground][:, 1].mean() > 4 * bare[ground][:, 1].mean()
    np.testing.assert_allclose(snow[wall].mean(axis=0)[1], bare[wall].mean(axis=0)[1], rtol=.8)


def test_lamps_light_the_night():
    """Without sun the ground under a street lamp is lit, and the lamp itself shines."""
    lamp = box(0, 15, size=(.5, 6, .5), category=None)
    part = Part('lamp', 'plastic', contrast=0.0, lamp='street')
    lamp = replace(lamp, mesh=replace(lamp.mesh, parts=(part,)))
    dark = {'sun': np.zeros(5, np.float32), 'sky_colour': (1e-4,) * 5}
    off, _ = picture(simple_scene(lamp), noon(**dark))
    halogen = np.array([20, 15, 10, 100, 100], np.float32)
    on, buffer = picture(simple_scene(lamp), noon(**dark, lamps={'street': halogen}))
    assert on[80, 64, 1] > 20 * off[80, 64, 1]
    own = buffer.hits.object_index.reshape(96, 128) == 0
    assert on[own][:, 3].min() >= 99


def test_glass_mirrors_the_sky():
    """A glossy dark pane at a slant shows more of the sky than a matt one."""
    pane = box(0, 8, size=(4, 3, .2), material='glass', category=None)
    glossy = replace(pane, mesh=replace(pane.mesh, parts=(Part('pane', 'glass', contrast=0,
                                                               gloss=.08),)))
    light = noon(sky_colour=(.8,) * 5, sun_direction=np.array([0, .8, .6]))
    matt, _ = picture(simple_scene(pane), light)
    shiny, _ = picture(simple_scene(glossy), light)
    assert shiny[40, 64, 1] > matt[40, 64, 1] + .03


def test_a_glass_front_is_bright_with_the_sky_in_the_visible_and_dark_in_swir():
    """On an overcast drive 1.7 times the asphalt's luminance, and about half of its SWIR."""
    facade = coated(Part('curtain', 'glass', contrast=0.0), np.random.default_rng(1))
    assert facade.gloss > .12
    front = box(0, 30, size=(40, 30, .2), category=None)
    front = replace(front, mesh=replace(front.mesh, parts=(facade,)))
    light = light_of(WeatherState('overcast', 40.0, 0.0, clouds='deck', cover=1.0, relief=0.0,
                                  sunshine=0.0, aerosol=.1), np.random.default_rng(2))
    bands, buffer = picture(simple_scene(front, height=2.0), light)
    road = (buffer.hits.object_index == GROUND).reshape(96, 128)[70:].nonzero()
    glass, asphalt = bands[10:40, 40:88].mean(axis=(0, 1)), bands[70:][road].mean(axis=0)
    assert .9 < glass[1] / asphalt[1] < 2.5
    assert to_swir(glass) / to_swir(asphalt) < .75


def test_a_crown_in_a_pane_is_as_dark_as_the_crown():
    """Mirrored leaves have the light of crowns, not that of a single leaf."""
    pane = box(0, 8, size=(8, 6, .2), category=None)
    pane = replace(pane, mesh=replace(pane.mesh, parts=(Part('pane', 'car_black', contrast=0,
                                                            gloss=1.0),)))
    behind = box(0, -12, size=(80, 60, 1.0), category=None)
    sun = np.array([0, .6, .8], np.float32)

    def mirrored(leafy):
        part = Part('foliage', 'leaf', contrast=0.0, leafy=leafy)
        wall = replace(behind, mesh=replace(behind.mesh, parts=(part,)))
        bands, _ = picture(simple_scene(pane, wall), noon(sun_direction=sun))
        return bands[40, 64]

    crown, paint = mirrored(True), mirrored(False)
    assert crown[1] < .4 * paint[1]
    assert crown[3] > .5 * paint[3]


def test_distant_woods_are_as_dark_as_crowns():
    """They are ground, of leaves; a meadow's figures are those of a meadow already."""
    for name, low, high in (('conifer', .1, .4), ('leaf', .1, .7), ('grass', .5, 1.6)):
        caster = RayCaster(down(name))
        drawn = [draw_render_conditions(caster, noon(), TABLE, np.random.default_rng(k)
                                        ).reflectance[0] for k in range(40)]
        ratio = np.median(drawn, axis=0) / TABLE.mean(name)
        assert low < ratio[1] < high, name
        assert ratio[3] > .4, name


def test_water_soaks_into_stone_and_not_into_leaves_and_paint():
    """A wet road is dark in the visible, a wet leaf is not; both lose the long SWIR."""
    for change, kept in (({}, .7), ({'gloss': .02}, 1), ({'leafy': True}, 1)):
        part = Part('road', 'leaf', contrast=0.0, **change)
        scene = down('leaf')
        terrain = replace(scene.terrain, parts=dict.fromkeys(scene.terrain.parts, part))
        scene = replace(scene, terrain=terrain)
        dry, _ = picture(scene, noon(sky_colour=(0,) * 5))
        wet, _ = picture(scene, noon(sky_colour=(0,) * 5, wetness=1.0))
        ratio = wet[16, 16] / dry[16, 16]
        assert (ratio[1] > .95) == (kept == 1), (change, ratio)
        assert ratio[4] < .5, (change, ratio)


def test_looks_differ_and_material_groups_resemble():
    """Each look draws other materials; objects of one group stay alike."""
    objects = [replace(box(x, 20), material_group=3) for x in (-4.0, 0.0, 4.0)]
    objects[0] = replace(objects[0], material_group=-1)
    parts = (plain('body', 'car_paint'),)
    objects = [replace(t, mesh=replace(t.mesh, parts=parts)) for t in objects]
    caster = RayCaster(simple_scene(*objects))
    first, second = (draw_render_conditions(caster, noon(), TABLE, np.random.default_rng(k))
                     for k in (1, 2))
    assert np.abs(first.reflectance - second.reflectance).max() > .05
    one, two = first.reflectance[-2], first.reflectance[-1]
    assert np.std(np.log(one / two)) < 1e-3  # brighter or darker as a whole, of one colour
