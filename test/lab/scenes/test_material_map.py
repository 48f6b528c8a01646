"""Maps of what each pixel shows."""

import numpy as np

from rgb2swir_ros.lab.scenes.frames import render_frames
from rgb2swir_ros.lab.scenes.geometry_buffer import make_geometry_buffer
from rgb2swir_ros.lab.scenes.material_map import MIXED, SKY, material_map
from rgb2swir_ros.lab.scenes.raycast import RayCaster

from .simple_scenes import box, simple_scene


def test_each_pixel_has_its_material():
    """A wall ahead on a road below the sky; where they meet, pixels show both."""
    scene = simple_scene(box(0.0, 10.0, size=(4.0, 2.5, 1.0), material='brick'),
                         size=(97 * 2, 64 * 2))
    caster = RayCaster(scene)
    known = material_map(caster, make_geometry_buffer(caster, scene.camera), 2)
    assert known.index.shape == (97, 64)
    wall, road, sky = known.mask('brick'), known.mask('asphalt'), known.mask(SKY)
    assert wall[48, 32]
    assert road[96].all()
    assert sky[:20].all()
    mixed = known.index == MIXED
    np.testing.assert_array_equal(wall.astype(int) + road + sky + mixed, 1)
    # 4 m at 9.5 m, focal length 64 pixels: 26.9 wide, so that one column at the least has both
    row = known.index[45]
    assert 25 <= (row == known.names.index('brick')).sum() <= 27
    assert 1 <= mixed[45].sum() <= 2
    assert not known.mask('snow').any()


def test_single_frames_come_with_their_map():
    """One map for all looks, of the frames' own size."""
    one, two = render_frames(5, (64, 80), 2)
    assert one.materials is two.materials
    assert one.materials.index.shape == one.swir.shape
    assert (one.materials.index != MIXED).mean() > .5
