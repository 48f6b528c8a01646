"""What must hold for every kind of object, whatever it is drawn like."""

import numpy as np
import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.scenes import textures
from rgb2swir_ros.lab.scenes.geometry.catalogue import OBJECT_TYPES, make_object

SEEDS = range(12)
MEASURED = {
    'asphalt', 'concrete', 'white_paint', 'yellow_paint', 'red_paint', 'brick', 'grass', 'leaf',
    'conifer', 'dry_grass', 'soil', 'wood', 'granite', 'snow', 'water', 'galvanized', 'aluminium',
}
ASSUMED = {
    'skin', 'cotton', 'black_cloth', 'tyre', 'glass', 'plaster', 'roof_tile', 'gravel', 'sand',
    'bark', 'plastic', 'hair', 'rust', 'rubber', 'lamp_glass',
}
PALETTES = {'car_paint', 'cloth', 'sign_face', 'wall', 'roof', 'metal_paint'}
LAMPS = {'', 'head', 'tail', 'street', 'window', 'signal'}
CATEGORIES = {'car', 'truck', 'person', 'bus', 'motorcycle', 'bicycle'}

# width (x), height (y), length (z) in metres, each from - to; triangles from - to
SIZES = {
    'car': ((1.7, 2.6), (1.35, 3.0), (3.4, 6.0), (600, 2600)),
    'truck': ((2.1, 3.2), (2.4, 4.3), (5.0, 17.5), (500, 3600)),
    'bus': ((2.2, 3.2), (2.6, 4.8), (7.3, 13.9), (500, 3000)),
    'motorcycle': ((.5, 1.2), (1.3, 2.0), (1.5, 2.4), (500, 2600)),
    'bicycle': ((.4, .95), (1.4, 2.05), (1.55, 1.95), (500, 2200)),
    'parked_motorcycle': ((.5, 1.1), (.9, 1.5), (1.5, 2.4), (300, 1600)),
    'parked_bicycle': ((.4, .8), (.8, 1.3), (1.55, 1.95), (300, 1300)),
    'person': ((.2, 1.2), (.95, 2.0), (.15, 1.6), (300, 1000)),
    'broadleaf': ((.8, 18), (3, 21), (.8, 18), (800, 4000)),
    'conifer': ((1, 14), (3.5, 25), (1, 14), (800, 4000)),
    'broadleaf_near': ((.8, 18), (3, 21), (.8, 18), (4500, 13500)),
    'conifer_near': ((1, 14), (3.5, 25), (1, 14), (4500, 13500)),
    'bush_near': ((.3, 7), (.3, 4), (.3, 7), (1800, 5000)),
    'palm': ((2, 10), (3.5, 18), (2, 10), (800, 4000)),
    'dead_tree': ((1, 22), (2.5, 22), (1, 22), (300, 4000)),
    'far_tree': ((1, 18), (5, 24), (1, 18), (100, 250)),
    'bush': ((.3, 7), (.3, 4), (.3, 7), (300, 1400)),
    'hedge': ((1.8, 8.5), (.6, 2.6), (.4, 1.5), (300, 4000)),
    'grass_tuft': ((.1, 2), (.08, 1.1), (.1, 2), (50, 400)),
    'flowers': ((.2, 2), (.1, .9), (.2, 2), (50, 600)),
    'crop_row': ((3.5, 11), (.2, 4), (.1, 4), (200, 4000)),
    'house': ((7, 20), (3.3, 18), (6, 15), (200, 2400)),
    'town_block': ((8.5, 25), (9, 36), (8.5, 17), (1000, 6000)),
    'tower_block': ((15, 42), (20, 145), (15, 36), (300, 6000)),
    'church': ((17, 40), (12, 60), (7, 15), (300, 3000)),
    'hall': ((19, 47), (4.9, 20), (14, 33), (60, 3000)),
    'silo': ((3, 30), (8, 48), (3, 11), (100, 3000)),
    'lamp_post': ((.1, .9), (3.2, 13.5), (.1, 7), (50, 600)),
    'pole': ((.1, 2.4), (2.4, 11.5), (.1, 1.2), (20, 400)),
    'pylon': ((3, 20), (19, 46), (3, 9), (500, 3000)),
    'traffic_sign': ((.2, 2), (.8, 5), (.05, .3), (30, 400)),
    'direction_sign': ((1.5, 4.4), (1.7, 4.8), (.1, .5), (50, 600)),
    'gantry': ((10, 28), (6.3, 10), (.5, 2), (200, 3000)),
    'traffic_light': ((.2, 7.5), (2.9, 6.6), (.2, .8), (100, 600)),
    'billboard': ((2.4, 8.1), (2.3, 8.1), (.2, .5), (40, 200)),
    'guard_rail': ((3.9, 16.1), (.7, .85), (.1, .4), (30, 400)),
    'concrete_barrier': ((2.9, 12.1), (.75, 1.2), (.5, .7), (20, 200)),
    'fence': ((2.9, 10.1), (.9, 2.4), (.05, .3), (40, 1500)),
    'noise_wall': ((7.9, 20.3), (2.1, 5.3), (.1, .4), (50, 400)),
    'bollard': ((.08, .4), (.5, 1.3), (.08, .4), (20, 300)),
    'cone': ((.2, .7), (.4, 1.1), (.2, .7), (50, 300)),
    'bridge': ((43, 64), (5.5, 10), (9, 34), (100, 2000)),
    'bus_shelter': ((3, 6.5), (2.4, 3.2), (1.2, 2.3), (60, 400)),
    'bench': ((1.3, 2.3), (.4, 1), (.3, .7), (60, 300)),
    'bin': ((.35, .75), (.7, 1.3), (.35, .8), (60, 300)),
    'hydrant': ((.3, .5), (.6, 1.1), (.2, .5), (100, 500)),
    'container': ((2.4, 2.5), (2.5, 5.4), (6, 12.4), (100, 1500)),
    'rock': ((.3, 8), (.1, 3.5), (.3, 8), (80, 600)),
}


@pytest.fixture(scope='module')
def meshes():
    """Return twelve objects of every kind."""
    return {kind: [make_object(kind, np.random.default_rng([7, seed])) for seed in SEEDS]
            for kind in OBJECT_TYPES}


def test_sizes_are_stated_for_every_kind():
    assert set(SIZES) == set(OBJECT_TYPES)


@pytest.mark.parametrize('kind', OBJECT_TYPES)
def test_faces_are_whole(meshes, kind):
    for mesh in meshes[kind]:
        assert mesh.vertices.dtype == np.float32
        assert mesh.faces.dtype == np.int32
        assert mesh.part.dtype == np.uint8
        assert mesh.vertices.shape[1:] == (3,)
        assert mesh.part.shape == (len(mesh.faces),)
        assert np.isfinite(mesh.vertices).all()
        assert mesh.faces.min() == 0  # every vertex is used, the first and the last, too
        assert mesh.faces.max() == len(mesh.vertices) - 1
        a, b, c = (mesh.vertices[mesh.faces[:, i]].astype(float) for i in range(3))
        assert np.linalg.norm(np.cross(b - a, c - a), axis=1).min() > 0


@pytest.mark.parametrize('kind', OBJECT_TYPES)
def test_objects_stand_on_the_ground_over_their_origin(meshes, kind):
    for mesh in meshes[kind]:
        low, high = mesh.vertices.min(0), mesh.vertices.max(0)
        # leaves of a bush may hang some centimetres over the soil
        assert -.0501 <= low[1] <= (.25 if kind in ('bush', 'hedge') else .02)
        assert (low[[0, 2]] < .2).all()  # a billboard is thin and hangs before its posts
        assert (high[[0, 2]] > -.2).all()


@pytest.mark.parametrize('kind', OBJECT_TYPES)
def test_sizes_and_triangles_are_plausible(meshes, kind):
    *metres, triangles = SIZES[kind]
    for mesh in meshes[kind]:
        extent = np.ptp(mesh.vertices, axis=0)
        for value, (low, high) in zip(extent, metres, strict=True):
            assert low <= value <= high, extent
        assert triangles[0] <= len(mesh.faces) <= triangles[1]


@pytest.mark.parametrize('kind', OBJECT_TYPES)
def test_parts_are_named_once_and_of_known_stuff(meshes, kind):
    for mesh in meshes[kind]:
        names = [part.name for part in mesh.parts]
        assert len(names) == len(set(names))
        assert sorted(set(mesh.part)) == list(range(len(names)))  # no part without a face
        for part in mesh.parts:
            assert part.material in MEASURED | ASSUMED | PALETTES
            assert part.texture in {'', *textures.texture_library()}
            assert part.lamp in LAMPS
            assert 0 <= part.gloss < .5
            assert 0 < part.contrast < .5
            assert part.texels > 0


@pytest.mark.parametrize('kind', OBJECT_TYPES)
def test_a_seed_makes_one_mesh(meshes, kind):
    again = make_object(kind, np.random.default_rng([7, 3]))
    assert np.array_equal(again.vertices, meshes[kind][3].vertices)
    assert np.array_equal(again.faces, meshes[kind][3].faces)
    assert again.parts == meshes[kind][3].parts


@pytest.mark.parametrize('kind', OBJECT_TYPES)
def test_seeds_differ(meshes, kind):
    shapes = {(*np.ptp(mesh.vertices, axis=0).round(4), len(mesh.faces))
              for mesh in meshes[kind]}
    assert len(shapes) >= (2 if kind == 'container' else 10)


def test_categories():
    found = {kind: entry.category for kind, entry in OBJECT_TYPES.items() if entry.category}
    assert set(found.values()) == CATEGORIES
    for kind, category in found.items():
        assert kind.removeprefix('parked_') == category


def test_vehicles_have_lamps_at_their_ends(meshes):
    for kind in ('car', 'truck', 'bus', 'motorcycle'):
        for mesh in meshes[kind]:
            lamps = {part.lamp: index for index, part in enumerate(mesh.parts) if part.lamp}
            place = {lamp: mesh.vertices[mesh.faces[mesh.part == index], 2].mean()
                     for lamp, index in lamps.items()}
            assert place['head'] > .25 * np.ptp(mesh.vertices[:, 2])
            assert place['tail'] < -.25 * np.ptp(mesh.vertices[:, 2])


def test_leaves_let_light_through(meshes):
    for kind in ('broadleaf', 'conifer', 'palm', 'far_tree', 'bush', 'hedge', 'grass_tuft'):
        for mesh in meshes[kind]:
            assert any(part.leafy for part in mesh.parts)
    for mesh in meshes['car'] + meshes['house'] + meshes['person']:
        assert not any(part.leafy for part in mesh.parts)


def test_unknown_kind_is_refused():
    with pytest.raises(UserError, match=r"'zeppelin'.*car"):
        make_object('zeppelin', np.random.default_rng(0))
