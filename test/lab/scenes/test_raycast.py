"""The geometry buffer: what rays meet, shadows, open sky, boxes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rgb2swir_ros.lab.scenes.boxes import find_boxes
from rgb2swir_ros.lab.scenes.geometry.mesh import Part
from rgb2swir_ros.lab.scenes.geometry_buffer import (
    SKY_DIRECTIONS,
    SKY_SHARES,
    make_geometry_buffer,
)
from rgb2swir_ros.lab.scenes.raycast import GROUND, SKY, RayCaster

from .simple_scenes import box, simple_scene


def seen(scene):
    """Return the caster and its buffer."""
    caster = RayCaster(scene)
    return caster, make_geometry_buffer(caster, scene.camera)


def test_camera_sees_ground_below_and_sky_above_the_horizon():
    """A level camera over level ground has its horizon in the middle."""
    _, buffer = seen(simple_scene())
    object_index = buffer.hits.object_index.reshape(96, 128)
    assert (object_index[:46] == SKY).all()
    assert (object_index[52:] == GROUND).all()
    # distance to the ground below row r: height / sine of the depression
    depression = -buffer.direction.reshape(96, 128, 3)[90, 64, 1]
    assert buffer.hits.distance.reshape(96, 128)[90, 64] == pytest.approx(1.5 / depression,
                                                                         rel=1e-3)


def test_box_is_where_the_pinhole_camera_projects_it():
    """A car 20 m ahead, 2 m wide: columns and rows by focal length over distance."""
    caster, buffer = seen(simple_scene(box(1.0, 20.0)))
    (found,) = find_boxes(caster, buffer, 1)
    front = 128 / 18.0  # pixels a metre at its front face
    x, y, width, height = found.box
    assert found.category == 'car'
    assert x == pytest.approx(64 + 0 * front, abs=1)
    assert width == pytest.approx(2 * front, abs=1.5)
    assert y + height == pytest.approx(48 + 1.5 * front, abs=1)
    assert found.visible > .9


def test_hidden_and_cut_objects_say_so():
    """A wall hides half of one car, the frame's edge cuts another; a car behind is not listed."""
    wall = box(-2.0, 10.0, size=(4.0, 3.0, .2), category=None)
    caster, buffer = seen(simple_scene(wall, box(0.0, 20.0), box(-7.5, 14.0), box(0.0, -10.0)))
    boxes = find_boxes(caster, buffer, 1)
    assert len(boxes) == 2
    assert .25 < boxes[0].visible < .75
    assert boxes[1].visible < .8
    alone = find_boxes(*seen(simple_scene(box(0.0, 20.0))), 1)
    assert alone[0].visible > .9
    assert boxes[0].area < .75 * alone[0].area


def test_objects_without_a_class_get_no_box():
    """A wall is no object of the data set."""
    assert find_boxes(*seen(simple_scene(box(0, 15, category=None))), 1) == ()


def test_a_box_throws_a_shadow_and_narrows_the_sky():
    """Behind the box, away from the sun, the ground is dark; beside it, less sky is seen."""
    caster, _ = seen(simple_scene(box(0.0, 20.0, size=(2.0, 6.0, 2.0))))
    sun = np.array([0, .6, -.8], np.float32)
    ground = np.array([[0, 0, 24.0], [6, 0, 24.0]], np.float32)
    up = np.array([[0, 1, 0], [0, 1, 0]], np.float32)
    assert list(caster.lit(ground, up, sun)) == [False, True]


def test_sky_shares_make_a_level_surface_white_under_a_white_sky():
    """The ten directions together are a uniform sky."""
    assert (SKY_SHARES * SKY_DIRECTIONS[:, 1]).sum() == pytest.approx(1, abs=1e-6)
    _, buffer = seen(simple_scene())
    ground = buffer.hits.object_index == GROUND
    assert buffer.open_sky[ground].min() > .99


def test_texture_moves_with_its_object():
    """The relief of a car's side is the same after the car has moved and turned."""
    item = box(0.0, 12.0)
    part = replace(item.mesh.parts[0], texture='worn', contrast=.2)
    item = replace(item, mesh=replace(item.mesh, parts=(part,)))
    _, before = seen(simple_scene(item))
    _, after = seen(simple_scene(replace(item, d=3.0, z=15.0), d=3.0, z=3.0))
    np.testing.assert_allclose(before.fine[before.hits.object_index == 0],
                               after.fine[after.hits.object_index == 0], atol=.05)


def test_objects_lost_in_fog_say_so():
    """The same car: told by a grey level it stands, lost in an even grey it does not."""
    caster, buffer = seen(simple_scene(box(0.0, 20.0)))
    fog = np.full((96, 128), .3, np.float32)
    assert [found.lost for found in find_boxes(caster, buffer, 1, fog)] == [True]
    own = buffer.hits.object_index.reshape(96, 128) == 0
    assert [found.lost for found in find_boxes(caster, buffer, 1, np.where(own, .36, fog))] == [
        False]


def sparse(item, fill):
    """Return a box of tufts with gaps."""
    part = Part('foliage', 'leaf', leafy=True, fill=fill)
    return replace(item, mesh=replace(item.mesh, parts=(part,)))


def test_rays_pass_through_gaps_between_leaves():
    """Of a thin screen of leaves the share `fill` is seen, through the rest the wall behind."""
    screen = box(0.0, 10.0, size=(30.0, 20.0, .004), category=None)  # thinner than a step
    wall = box(0.0, 20.0, size=(90.0, 60.0, 1.0), category=None)
    for fill in (1.0, .6):
        caster, buffer = seen(simple_scene(sparse(screen, fill), wall))
        upper = buffer.hits.object_index.reshape(96, 128)[:40]
        distance = buffer.hits.distance.reshape(96, 128)[:40]
        assert (upper == 0).mean() == pytest.approx(fill, abs=.04)
        assert distance[upper == 0].max() < 13
        assert (upper == 1).mean() == pytest.approx(1 - fill, abs=.04)
        through = -buffer.direction.reshape(96, 128, 3)[:40][upper == 1][:, 2] * distance[
            upper == 1]
        assert through == pytest.approx(-19.5, abs=.02)
        assert caster.surfaces[buffer.hits.surface.reshape(96, 128)[10, 10]].part.name


def test_the_sun_shines_through_gaps_onto_what_is_behind():
    """Dappled shade, and none of it without a footprint, which means whole tufts."""
    screen = sparse(box(0.0, 10.0, size=(30.0, 20.0, .004), category=None), .6)
    caster, _ = seen(simple_scene(screen))
    points = np.stack([np.linspace(-8, 8, 4000), np.full(4000, 5.0), np.full(4000, 14.0)], 1)
    normal, sun = np.tile([0, 0, -1.0], (4000, 1)), np.array([0, .1, -.995], np.float32)
    dappled = caster.lit(points, normal, sun, np.full(4000, .02))
    assert dappled.mean() == pytest.approx(.4, abs=.06)
    assert not caster.lit(points, normal, sun).any()


def test_gaps_move_with_their_crown():
    """A drive shows the same leaves in every frame."""
    crown = sparse(box(0.0, 12.0, size=(4.0, 3.0, .004), category=None), .6)
    _, before = seen(simple_scene(crown))
    _, after = seen(simple_scene(replace(crown, d=3.0, z=15.0), d=3.0, z=3.0))
    same = (before.hits.object_index == 0) == (after.hits.object_index == 0)
    assert same.mean() > .99


def test_leaves_see_the_sky_on_both_sides():
    """The back of a leaf under a roof is dark, so light from behind a crown stays behind it."""
    leaf = box(0.0, 10.0, size=(6.0, 6.0, .1), category=None)
    leaf = replace(leaf, mesh=replace(leaf.mesh, parts=(Part('foliage', 'leaf', leafy=True),)))
    behind = box(0.0, 10.6, size=(60.0, 60.0, 1.0), category=None)
    _, alone = seen(simple_scene(leaf))
    _, backed = seen(simple_scene(leaf, behind))
    away = SKY_DIRECTIONS[:, 2] > .1
    own = alone.hits.object_index == 0
    assert backed.open_sky[own][:, away].mean() < .1
    # the leaf's own box has a back face, a few centimetres behind
    assert backed.open_sky[own][:, SKY_DIRECTIONS[:, 2] < -.1].mean() > .9
