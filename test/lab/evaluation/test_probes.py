"""Pairs of materials and sharpness, on pictures whose answer is known."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.evaluation.probes import (
    BrokenPair,
    PairScore,
    Probes,
    box_mean,
    evaluate_photographs,
    grey_radiance,
    read_probes,
    score_pairs,
    sharpness,
)

LEFT, RIGHT = (0.0, 0.0, 0.5, 1.0), (0.5, 0.0, 1.0, 1.0)
PROBES = Probes({'a.png': {'sky': LEFT, 'tree': RIGHT}, 'b.png': {'sky': LEFT}},
                (('sky', 'tree'), ('sky', 'soil')))
REAL = Path(__file__).resolve().parents[4] / 'shared' / 'real'


def halves(left: float, right: float) -> np.ndarray:
    picture = np.full((20, 40), left, np.float32)
    picture[:, 20:] = right
    return picture


def photograph(seed: int = 0, size: tuple[int, int] = (120, 160)) -> np.ndarray:
    """Return a picture with edges everywhere."""
    rng = np.random.default_rng(seed)
    rgb = np.zeros((*size, 3), np.uint8)
    for _ in range(60):
        x, y = int(rng.integers(size[1])), int(rng.integers(size[0]))
        colour = [int(c) for c in rng.integers(0, 256, 3)]
        cv2.rectangle(rgb, (x, y), (x + 25, y + 18), colour, -1)
    return rgb


@given(dark=st.floats(.01, .5), factor=st.floats(.2, 4))
def test_a_pair_holds_from_the_margin_on(dark, factor):
    score = score_pairs('a.png', halves(dark, dark * factor), PROBES)
    means = np.float32(dark * factor) / np.float32(dark)
    if abs(means - 1.15) > 1e-4:
        assert score.held == (means > 1.15)
    assert score.total == 1
    assert len(score.broken) == 1 - score.held


def test_a_broken_pair_says_what_it_is():
    score = score_pairs('a.png', halves(.4, .1), PROBES)
    assert score.broken == (BrokenPair('a.png', 'sky', 'tree', pytest.approx(.4),
                                       pytest.approx(.1)),)
    assert str(score.broken[0]) == 'a.png: tree 0.100 is not 1.15 times sky 0.400'
    assert score + score == PairScore(0, 2, score.broken * 2)


def test_pictures_without_both_boxes_count_for_nothing():
    for name in ('b.png', 'unknown.png'):
        assert score_pairs(name, halves(.4, .1), PROBES) == PairScore()


def test_box_mean_is_of_the_box_alone():
    assert box_mean(halves(.2, .6), (.5, .25, 1.0, .75)) == pytest.approx(.6)
    assert box_mean(halves(.2, .6), (.25, 0, .75, 1)) == pytest.approx(.4)
    assert box_mean(halves(.2, .6), (.5, .5, .501, .501)) == pytest.approx(.6)  # under a pixel


def test_grey_is_linear_light():
    assert grey_radiance(np.full((2, 2, 3), 128, np.uint8)) == pytest.approx((128 / 255) ** 2.2)


def test_the_grey_conversion_is_as_sharp_as_its_source():
    rgb = photograph()
    assert sharpness(rgb, grey_radiance(rgb)) == pytest.approx(1, abs=1e-4)


def test_contrast_does_not_count_as_sharpness():
    rgb = photograph()
    tone = grey_radiance(rgb) ** (1 / 2.2)
    assert sharpness(rgb, (.3 + .2 * tone) ** 2.2) == pytest.approx(1, abs=.01)


@pytest.mark.parametrize(('sigma', 'expected'), [(.7, .7), (1, .55), (2, .3)])
def test_blur_lowers_sharpness_as_it_says(sigma, expected):
    rgb = cv2.GaussianBlur(photograph(size=(240, 320)), (0, 0), .7)  # as a lens leaves it
    tone = cv2.GaussianBlur(grey_radiance(rgb) ** (1 / 2.2), (0, 0), sigma)
    assert sharpness(rgb, tone ** 2.2) == pytest.approx(expected, abs=.12)


def test_a_picture_of_one_colour_is_no_failure():
    rgb = np.full((30, 40, 3), 90, np.uint8)
    assert sharpness(rgb, np.full((30, 40), .5, np.float32)) == 1.0


def test_a_folder_is_judged_and_what_is_missing_is_named(tmp_path):
    (tmp_path / 'in').mkdir()
    cv2.imwrite(str(tmp_path / 'in' / 'a.png'), photograph())
    (tmp_path / 'in' / 'broken.png').write_bytes(b'no picture')
    (tmp_path / 'in' / 'probes.json').write_text(json.dumps(
        {'images': {'a.png': {'sky': LEFT, 'tree': RIGHT}, 'gone.jpg': {'sky': LEFT}},
         'darker_than': [['sky', 'tree']]}))

    def translate(rgb: np.ndarray) -> np.ndarray:
        small = cv2.resize(grey_radiance(rgb), (80, 60), interpolation=cv2.INTER_AREA)
        small[:, :40], small[:, 40:] = .1, .9
        return small.astype(np.float32)

    report = evaluate_photographs(tmp_path / 'in', translate, tmp_path / 'out')
    assert (report.pairs.held, report.pairs.total) == (1, 1)
    assert set(report.sharpness) == {'a.png'}
    assert report.skipped == {'gone.jpg': 'not in the folder', 'broken.png': 'no readable picture'}
    kept = cv2.imread(str(tmp_path / 'out' / 'a.png'), cv2.IMREAD_UNCHANGED)
    assert kept.dtype == np.uint16
    assert kept[5, 70] == round(.9 * 65535)
    assert '1 of 1 pairs hold' in report.lines()[-1]
    assert json.loads(json.dumps(report.fields()))['pairs']['held'] == 1


def test_a_folder_without_photographs_is_refused(tmp_path):
    with pytest.raises(UserError, match='no photograph'):
        evaluate_photographs(tmp_path, lambda rgb: grey_radiance(rgb).astype(np.float32))


@pytest.mark.parametrize('text', [
    '{', '[]', '{"images": {}}', '{"images": {"a": {"sky": [0, 0, 1]}}, "darker_than": []}',
    '{"images": {"a": {"sky": [0.5, 0, 0.2, 1]}}, "darker_than": []}',
    '{"images": {"a": {"sky": [0, 0, 100, 50]}}, "darker_than": []}',
    '{"images": {}, "darker_than": [["sky"]]}'])
def test_damaged_probes_are_refused(tmp_path, text):
    (tmp_path / 'probes.json').write_text(text)
    with pytest.raises(UserError, match=r'probes\.json holds no probes'):
        read_probes(tmp_path)


@pytest.mark.skipif(not (REAL / 'probes.json').exists(), reason='the photographs are not here')
def test_grey_conversion_gets_twelve_of_the_real_pairs():
    report = evaluate_photographs(REAL, lambda rgb: grey_radiance(rgb).astype(np.float32))
    assert (report.pairs.held, report.pairs.total) == (12, 27)
    assert not report.skipped
