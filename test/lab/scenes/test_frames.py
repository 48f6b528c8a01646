"""Frames from seeds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rgb2swir_ros.lab.scenes import populate
from rgb2swir_ros.lab.scenes.frames import render_frames
from rgb2swir_ros.lab.scenes.geometry.catalogue import make_object
from rgb2swir_ros.lab.scenes.places import PLACES
from rgb2swir_ros.lab.scenes.scene import CATEGORIES
from rgb2swir_ros.lab.scenes.scene_generator import draw_scene

SIZE = (64, 80)


def test_the_same_seed_gives_the_same_frames():
    """Whatever was rendered in between."""
    first = render_frames(5, SIZE, 2)
    render_frames(6, SIZE, 1)
    for a, b in zip(first, render_frames(5, SIZE, 2), strict=True):
        np.testing.assert_array_equal(a.rgb, b.rgb)
        np.testing.assert_array_equal(a.swir, b.swir)
        assert a.objects == b.objects


def test_looks_share_geometry_but_not_the_light():
    """Boxes are the same; some are lost in one look and not in another."""
    one, two, three = render_frames(9, SIZE, 3)
    assert len(one.objects) > 2
    for other in (two, three):
        assert [replace(o, lost=False) for o in other.objects] == [
            replace(o, lost=False) for o in one.objects]
    assert sum(o.lost for o in one.objects) < .5 * len(one.objects)
    assert np.abs(one.swir - two.swir).mean() > .01
    assert np.abs(one.rgb.astype(int) - three.rgb).mean() > 3


@pytest.mark.parametrize('seed', range(12))
def test_frames_are_whole(seed):
    """Types, ranges, boxes inside the frame, and a picture that is not blank."""
    for frame in render_frames(seed, SIZE, 2):
        assert frame.rgb.shape == (*SIZE, 3)
        assert frame.rgb.dtype == np.uint8
        assert frame.swir.shape == SIZE
        assert frame.swir.dtype == np.float32
        assert np.isfinite(frame.swir).all()
        assert 0 <= frame.swir.min() <= frame.swir.max() <= 1
        assert frame.rgb.std() > 3
        for item in frame.objects:
            x, y, width, height = item.box
            assert item.category in CATEGORIES
            assert x >= 0
            assert y >= 0
            assert x + width <= SIZE[1]
            assert y + height <= SIZE[0]
            assert 0 < item.area <= width * height + 1e-6
            assert 0 < item.visible <= 1


def test_all_places_and_classes_come_up(monkeypatch):
    """A hundred and twenty scenes hold every kind of place and every class.

    Of each kind of object one is made, since their shapes do not matter here.
    """
    made = {}
    monkeypatch.setattr(populate, 'make_object', lambda name, rng: (
        made.get(name) or made.setdefault(name, make_object(name, rng))))
    places, classes = set(), set()
    for seed in range(120):
        scene = draw_scene(np.random.default_rng([21, seed]), SIZE)
        places.add(scene.place)
        classes |= {t.category for t in scene.objects}
    assert places == {*PLACES, 'clutter'}
    assert classes == {*CATEGORIES, None}


def test_nothing_stands_in_the_camera():
    """No object's box contains the camera, and traffic in its lane keeps away."""
    for seed in range(14):
        scene = draw_scene(np.random.default_rng([21, seed]), SIZE)
        if scene.place == 'clutter':
            continue
        position, _ = scene.camera.position_and_axes(scene.terrain, 0)
        for item in scene.objects:
            local = item.pose(scene.terrain, 0).to_local(position[None])[0]
            low, high = item.mesh.vertices.min(axis=0), item.mesh.vertices.max(axis=0)
            bonnet = item.mesh.parts[0].name == 'bonnet'
            assert bonnet or (local < low).any() or (local > high).any(), (seed, item)


def test_plants_along_a_drive_have_small_leaves_all_the_way():
    """For a still camera only those near it do."""
    def detailed(seconds: float) -> list[float]:
        found = []
        for seed in range(6):
            scene = draw_scene(np.random.default_rng(seed), SIZE, 'forest', seconds)
            found += [t.z - scene.camera.z for t in scene.objects
                      if len(t.mesh.faces) > 4500 and t.category is None]
        return found
    assert max(detailed(0)) <= 26
    assert max(detailed(6)) > 60
