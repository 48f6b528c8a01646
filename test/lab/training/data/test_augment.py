"""Augmentation: both pictures move and brighten together, all else is the colour picture's."""

from dataclasses import fields, replace

import cv2
import numpy as np
import pytest

from rgb2swir_ros.lab.training.data.augment import Augmentation, augment

SIZE = (96, 128)
NONE = Augmentation(flip=0, area=1, aspect=0, rotation=0, perspective=0, exposure=0, shade=0,
                    white_balance=0, veil=0, veil_blue=0, gamma=0, contrast=0, black=0,
                    saturation=0, pale=0, hue=0, cast=0, grey=0, blur=0, rescale=1, sharpen=0,
                    noise=0, jpeg=0)
GEOMETRY = replace(NONE, flip=.5, area=.4, aspect=.1, rotation=8, perspective=.06)


def generator(*seeds: int) -> np.random.Generator:
    """Draw what is done to a pair."""
    return np.random.default_rng([31, *seeds])


def pair(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A smooth picture, and the linear light of its green channel as radiance."""
    rng = np.random.default_rng(seed)
    rgb = cv2.resize(rng.uniform(40, 190, (6, 8, 3)).astype(np.float32), SIZE[::-1],
                     interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)
    return rgb, linear(rgb)[..., 1]


def linear(rgb: np.ndarray) -> np.ndarray:
    coded = rgb.astype(np.float32) / 255
    return np.where(coded <= .04045, coded / 12.92, ((coded + .055) / 1.055) ** 2.4)


def centroid(picture: np.ndarray) -> np.ndarray:
    weights = picture.astype(np.float64)
    y, x = np.mgrid[:picture.shape[0], :picture.shape[1]]
    return np.array([(weights * y).sum(), (weights * x).sum()]) / weights.sum()


def test_nothing_is_changed_by_no_strengths():
    rgb, radiance = pair()
    out = augment(rgb, radiance, NONE, generator(0, 0, 0))
    assert np.array_equal(out[0], rgb)
    assert np.allclose(out[1], radiance, atol=1e-6)


@pytest.mark.parametrize('size', [None, (48, 64), (40, 72)])
def test_a_marker_stays_at_one_place_in_both(size):
    seen, places = 0, []
    for index in range(40):
        rgb, radiance = np.zeros((*SIZE, 3), np.uint8), np.zeros(SIZE, np.float32)
        cv2.circle(rgb, (64, 48), 5, (255, 255, 255), -1)
        cv2.circle(radiance, (64, 48), 5, 1.0, -1)
        rgb, radiance = augment(rgb, radiance, GEOMETRY, generator(0, index, 0), size)
        assert rgb.shape[:2] == radiance.shape == (size or SIZE)
        margin = radiance[3:-3, 3:-3]
        if radiance.sum() < 20 or margin.sum() < radiance.sum() - 1e-3:
            continue  # out of the crop, or cut by its edge
        seen += 1
        places.append(centroid(radiance))
        assert np.abs(centroid(rgb[..., 1]) - places[-1]).max() < .5
    assert seen > 10
    assert np.ptp(places, axis=0).min() > 5, 'the geometry does nothing'


def test_a_marker_stays_with_every_strength_at_once():
    rgb, radiance = np.full((*SIZE, 3), 20, np.uint8), np.zeros(SIZE, np.float32)
    cv2.circle(rgb, (64, 48), 9, (250, 250, 250), -1)
    cv2.circle(radiance, (64, 48), 9, 1.0, -1)
    seen = 0
    for index in range(40):
        out, frame = augment(rgb, radiance, Augmentation(), generator(1, index, 0))
        grey = cv2.GaussianBlur(out, (0, 0), 1.5).mean(axis=2)
        marker = np.clip(grey - np.percentile(grey, 50) - .5 * np.ptp(grey), 0, None) > 0
        target = frame > .5 * frame.max()
        if target[:5].any() or target[-5:].any() or target[:, :5].any() or target[:, -5:].any():
            continue
        seen += 1
        assert np.abs(centroid(marker) - centroid(target)).max() < .5
    assert seen > 10


def test_exposure_changes_both_by_one_factor():
    rgb, radiance = pair()
    gains = []
    for index in range(12):
        out, frame = augment(rgb, radiance, replace(NONE, exposure=.8), generator(0, index, 0))
        gains.append(float(np.median(frame / radiance)))
        inside = (out < 250).all(axis=2) & (out > 25).all(axis=2)
        assert np.allclose(linear(out)[..., 1][inside], frame[inside], rtol=.06)
    assert min(gains) < .75
    assert max(gains) > 1.3
    assert .57 < min(gains) <= max(gains) < 1.75


def test_shade_changes_both_alike():
    rgb, radiance = pair()
    changed = 0
    for index in range(12):
        out, frame = augment(rgb, radiance, replace(NONE, shade=.5), generator(0, index, 0))
        factor = frame / radiance
        assert .45 < factor.min() <= factor.max() <= 1 + 1e-6
        bright = out[..., 1] > 40
        assert np.allclose(linear(out)[..., 1][bright], frame[bright], rtol=.12)
        changed += np.ptp(factor) > .05
    assert changed >= 3


@pytest.mark.parametrize('name', ['white_balance', 'veil', 'gamma', 'contrast', 'black',
                                  'saturation', 'hue', 'cast', 'grey', 'sharpen', 'noise', 'jpeg'])
def test_what_the_camera_does_leaves_the_radiance_alone(name):
    rgb, radiance = pair()
    value = 1.0 if name == 'grey' else getattr(Augmentation(), name)
    differ = 0
    for index in range(12):
        out, frame = augment(rgb, radiance, replace(NONE, **{name: value}), generator(0, index, 0))
        assert np.allclose(frame, radiance, atol=1e-6)
        differ += bool((out != rgb).any())
    assert differ >= 3, f'{name} does nothing'


@pytest.mark.parametrize('name', ['blur', 'rescale'])
def test_what_the_lens_takes_from_one_picture_it_takes_from_both(name):
    """On a step from dark to bright: its width in both, and where its middle lies."""
    radiance = np.full(SIZE, .04, np.float32)
    radiance[:, 60:] = .64
    rgb = np.repeat((np.sqrt(radiance)[..., None] * 255).round().astype(np.uint8), 3, axis=2)
    softened = 0
    for index in range(12):
        out, frame = augment(rgb, radiance, replace(NONE, **{name: getattr(Augmentation(), name)}),
                             generator(0, index, 0))
        assert np.abs(out[..., 1] / 255. - np.sqrt(frame)).max() < .01
        softened += bool(np.abs(frame - radiance).max() > .02)
    assert softened >= 3, f'{name} does nothing'


def test_grey_stays_grey_under_saturation_hue_and_cast():
    grey = np.repeat(np.arange(128, dtype=np.uint8)[None].repeat(96, 0)[..., None], 3, axis=2)
    only = replace(NONE, saturation=.5, hue=20, cast=.1)
    for index in range(8):
        out, _ = augment(grey, np.zeros(SIZE, np.float32), only, generator(0, index, 0))
        assert np.abs(out.astype(int) - grey).max() <= 1


def test_most_pictures_get_paler():
    """By the mean that ``pale`` gives, with some more vivid than they were."""
    rgb = np.full((*SIZE, 3), (120, 100, 80), np.uint8)

    def colour(**strengths):
        pictures = (augment(rgb, np.zeros(SIZE, np.float32), replace(NONE, **strengths),
                            generator(0, index, 0))[0] for index in range(120))
        return np.array([(float(p[..., 0].mean()) - p[..., 2].mean()) / 40 for p in pictures])

    assert np.median(colour(pale=.2)) == pytest.approx(np.exp(-.2), abs=.04)
    drawn = np.log(colour(saturation=.35, pale=.2))
    assert drawn.mean() == pytest.approx(-.2, abs=.08)
    assert drawn.std() == pytest.approx(.35, abs=.08)


def test_a_veil_is_blue_more_often_than_warm():
    """It lifts black by its own colour, and hides as large a share of white in each channel."""
    rgb = np.zeros((*SIZE, 3), np.uint8)
    rgb[48:] = 140
    only, ratios = replace(NONE, veil=.25, veil_blue=1.0), []
    for index in range(80):
        out = linear(augment(rgb, np.zeros(SIZE, np.float32), only, generator(0, index, 0))[0])
        veil, bright = out[5, 5], out[90, 5]
        if veil[1] > .01:
            ratios.append(veil[2] / veil[0])
            assert .6 < veil[1] / (veil[0] * veil[2]) ** .5 < 1.6
            left = (bright - veil) / linear(np.uint8([140]))
            assert np.ptp(left) < .03
            assert left.mean() == pytest.approx(1 - veil[1] / .6, abs=.02)
    assert np.exp(-.25) * .9 < min(ratios) < .95
    assert 1.9 < max(ratios) < np.exp(1) * 1.1
    assert np.mean(np.array(ratios) > 1) > .6


def test_noise_has_the_deviation_drawn():
    rgb = np.full((*SIZE, 3), 128, np.uint8)
    levels = [np.std(augment(rgb, np.zeros(SIZE, np.float32), replace(NONE, noise=.04),
                             generator(0, index, 0))[0] / 255.) for index in range(60)]
    assert .03 < max(levels) < .042
    assert min(levels) < .005


def test_fine_stripes_do_not_alias_when_shrunk():
    rgb = np.zeros((192, 256, 3), np.uint8)
    rgb[:, ::2] = 255
    radiance = linear(rgb)[..., 1]
    shrinking = replace(NONE, area=.25)
    deviations = [augment(rgb, radiance, shrinking, generator(0, index, 0), SIZE)[1].std()
                  for index in range(12)]
    # zooms from 1/2 to 2: at 1 the stripes pass, at nearly 2 all of them are beyond resolution
    assert min(deviations) < .08


def test_same_seed_index_and_epoch_give_the_same_and_others_another():
    rgb, radiance = pair()
    first = augment(rgb, radiance, Augmentation(), generator(3, 5, 1))
    again = augment(rgb, radiance, Augmentation(), generator(3, 5, 1))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    for other in ((4, 5, 1), (3, 6, 1), (3, 5, 2)):
        assert not np.array_equal(first[0], augment(rgb, radiance, Augmentation(),
                                                    generator(*other))[0])


def test_one_strength_changes_no_other_draw():
    rgb, radiance = pair()
    for name in ('noise', 'jpeg', 'sharpen', 'veil', 'veil_blue', 'grey'):
        without = augment(rgb, radiance, replace(Augmentation(), **{name: getattr(NONE, name)}),
                          generator(0, 1, 0))
        assert np.array_equal(without[1], augment(rgb, radiance, Augmentation(),
                                                  generator(0, 1, 0))[1]), name


def test_inputs_stay_and_outputs_are_in_range():
    rgb, radiance = pair()
    kept = rgb.copy(), radiance.copy()
    wild = replace(Augmentation(), **{f.name: getattr(Augmentation(), f.name) * 2
                                      for f in fields(Augmentation)
                                      if f.name not in {'area', 'flip', 'jpeg'}})
    for index in range(20):
        out, frame = augment(rgb, radiance, wild, generator(2, index, 0), (64, 64))
        assert (out.dtype, out.shape, frame.dtype, frame.shape) == (
            np.uint8, (64, 64, 3), np.float32, (64, 64))
        assert 0 <= frame.min() <= frame.max() <= 1
    assert np.array_equal(rgb, kept[0])
    assert np.array_equal(radiance, kept[1])
