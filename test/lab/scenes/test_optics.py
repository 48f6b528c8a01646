"""Lens and windscreen."""

from __future__ import annotations

import numpy as np
import pytest

from rgb2swir_ros.lab.scenes.optics import (
    Lens,
    Windscreen,
    apply_lens,
    apply_windscreen,
    draw_lens,
    draw_windscreen,
)


def flat(value=.5, size=(80, 100)) -> np.ndarray:
    return np.full((*size, 3), value, np.float32)


def point(x=50, y=40, value=100.0) -> np.ndarray:
    light = flat(0.0)
    light[y, x] = value
    return light


def test_perfect_optics_change_nothing():
    light = np.random.default_rng(0).random((40, 50, 3), dtype=np.float32)
    np.testing.assert_array_equal(apply_lens(light, Lens()), light)
    np.testing.assert_array_equal(apply_windscreen(light, Windscreen()), light)


def test_blur_spreads_a_point_and_keeps_its_light():
    out = apply_lens(point(), Lens(blur=1.5))
    assert out.sum() == pytest.approx(300, rel=1e-3)
    x = np.arange(100) - 50
    profile = out[..., 0].sum(axis=0) / 100
    assert np.sqrt((profile * x * x).sum()) == pytest.approx(1.5, rel=.1)


def test_motion_smears_along_rows_alone():
    out = apply_lens(point(), Lens(motion=5.0))[..., 0]
    assert (out[40] > 1).sum() == 5
    assert out[[39, 41]].max() == 0
    assert out.sum() == pytest.approx(100, rel=1e-4)


def test_zoom_smears_the_edges_and_not_the_middle():
    middle = apply_lens(point(), Lens(zoom=.05))
    edge = apply_lens(point(95, 40), Lens(zoom=.05))
    assert (middle[..., 0] > 1).sum() < (edge[..., 0] > 1).sum()


def test_aberration_parts_the_colours_at_the_edge():
    out = apply_lens(point(95, 40), Lens(aberration=(.02, -.02)))
    x = np.arange(100)
    red, green, blue = ((out[..., band].sum(axis=0) * x).sum() / out[..., band].sum()
                        for band in range(3))
    assert red > green + .5 > blue + 1


def test_glare_spreads_bright_light_widely():
    out = apply_lens(point(value=1000.0), Lens(glare=.02))
    assert 0 < out[40, 80, 1] < out[40, 60, 1] < 5
    assert out[40, 50, 1] == pytest.approx(1000, rel=.01)


def test_vignette_darkens_the_corners():
    out = apply_lens(flat(), Lens(vignette=.6))
    assert out[0, 0, 0] == pytest.approx(.5 * .4, rel=1e-3)
    assert out[40, 50, 0] == pytest.approx(.5, rel=1e-2)


def test_a_veil_adds_light_to_the_dark():
    light = flat(0.0)
    light[:40] = 1
    out = apply_windscreen(light, Windscreen(veil=.1, tint=(1.0, 1.0, 1.2)))
    assert .03 < out[60, 50, 0] < .09
    assert out[60, 50, 2] == pytest.approx(1.2 * out[60, 50, 0], rel=1e-4)


def test_the_dashboard_is_mirrored_low_in_the_frame():
    out = apply_windscreen(flat(), Windscreen(reflection=.2, pattern=3)) - .5
    assert out.min() >= 0
    assert out[60:].mean() > 2 * out[:20].mean()
    assert out[60:, :, 0].std() > 1e-3


@pytest.mark.parametrize('kind', ['drops', 'dirt'])
def test_spots_stay_in_place_for_a_camera(kind):
    light = flat()
    light[:40] = 2
    pane = Windscreen(**{kind: 12}, radius=.03, pattern=5)
    first = apply_windscreen(light, pane)
    np.testing.assert_array_equal(first, apply_windscreen(light, pane))
    assert np.abs(first - light).max() > .02
    other = apply_windscreen(light, Windscreen(**{kind: 12}, radius=.03, pattern=6))
    assert np.abs(other - first).max() > .02


def test_rain_brings_drops():
    rng = np.random.default_rng(0)
    wet = np.mean([draw_windscreen(rng, wet=True).drops > 0 for _ in range(300)])
    dry = np.mean([draw_windscreen(rng).drops > 0 for _ in range(300)])
    assert wet > .3 > 3 * dry


def test_aberration_is_drawn_in_pixels():
    rng = np.random.default_rng(0)
    lenses = [draw_lens(rng, 640) for _ in range(300)]
    shift = np.array([lens.aberration for lens in lenses]) * 320  # pixels at the edge
    assert .1 < np.abs(shift).max() < 4
    assert max(lens.vignette for lens in lenses) < .8
