"""Homographies of a fixed rig: files, warps, fits to matches, and fits that are refused."""

import json

import cv2
import numpy as np
import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.evaluation.pairs.align import Fit, fit_matches, fit_rig, match, refine
from rgb2swir_ros.lab.evaluation.pairs.frames import FrameOptions, PairFrames
from rgb2swir_ros.lab.evaluation.pairs.references import grey_scale
from rgb2swir_ros.lab.evaluation.pairs.rig import Rig, apply, fault, read_rig
from rgb2swir_ros.lab.training.data.files import SwirCoding

from ...training.data.trees import put
from .drawn import texture

RGB, SWIR = (480, 640), (400, 500)
TRUE = np.array([[1.3, .02, -20.], [-.015, 1.25, 12.], [1e-5, -2e-5, 1.]])


def test_a_rig_comes_back_from_its_file_and_scales_with_the_frames(tmp_path):
    path = tmp_path / 'h.json'
    path.write_text(json.dumps(Rig(TRUE, RGB, SWIR).entries()))
    rig = read_rig(path)
    assert (rig.rgb_size, rig.swir_size) == (RGB, SWIR)
    places = np.array([[10., 20], [400, 300]])
    assert apply(rig.between((960, 1280), (800, 1000)), 2 * places) == pytest.approx(
        2 * apply(TRUE, places))


@pytest.mark.parametrize(('change', 'said'), [
    ({'homography': [[1, 0], [0, 1]]}, r'is \(2, 2\), not 3x3'),
    ({'rgb_size': [640]}, 'ValueError'),
    ({'homography': np.zeros((3, 3)).tolist()}, 'singular'),
    ({'homography': np.diag([-1., 1, 1]).tolist()}, 'mirrors or folds'),
    ({'homography': [[1, 0, 0], [0, 1, 0], [-.01, 0, 1]]}, 'infinity'),
    ({'homography': [[1, 0, 630], [0, 1, 0], [0, 0, 1]]}, 'less than a tenth')])
def test_what_is_no_homography_of_a_rig_is_refused(tmp_path, change, said):
    path = tmp_path / 'h.json'
    path.write_text(json.dumps(Rig(TRUE, RGB, SWIR).entries() | change))
    with pytest.raises(UserError, match=said):
        read_rig(path)


def matches(seed, count=60, outliers=40, homography=TRUE):
    rng = np.random.default_rng(seed)
    source = rng.uniform([20, 20], [480, 380], (count + outliers, 2))
    target = apply(homography, source) + rng.normal(0, .4, source.shape)
    target[count:] = rng.uniform(0, 480, (outliers, 2))
    return source, target


def test_a_fit_finds_the_homography_among_outliers():
    fit = fit_matches([matches(k) for k in range(6)], RGB, SWIR)
    assert fit.problem() == ''
    assert fit.found == 600
    assert 340 <= fit.matches <= 400
    corners = np.array([[50., 50], [450, 350], [250, 200]])
    assert apply(fit.rig.homography, corners) == pytest.approx(apply(TRUE, corners), abs=.5)
    assert fit.residual == pytest.approx(.5, abs=.15)  # of normal errors of .4 on both axes
    assert fit.halves < 1
    assert 'mean residual 0.' in fit.describe()


def test_a_fit_is_refined_over_all_matches_but_the_near_ones():
    """From a start that is 1.5 pixels off, with a third of the matches near: off by 3 to 9."""
    source, target = matches(0, count=300, outliers=100)
    near = np.arange(len(source)) % 3 == 0
    target[near] += np.column_stack([3 + 6 * source[near, 1] / 400, np.zeros(near.sum())])
    start = np.array([[1., 0, 1.5], [0, 1, -.5], [0, 0, 1]]) @ TRUE
    corners = np.array([[50., 50], [450, 350], [250, 200]])
    refined = refine(start, source, target)
    assert apply(refined, corners) == pytest.approx(apply(TRUE, corners), abs=.5)


def test_matches_of_nothing_are_refused():
    fit = fit_matches([matches(k, 0, 80) for k in range(6)], RGB, SWIR)
    assert fit is None or 'less than 60 matches' in fit.problem()
    assert fit_matches([matches(0, 3, 2)], RGB, SWIR) is None


def test_a_rig_that_moves_between_frames_is_refused():
    moved = np.array([[1., 0, 30], [0, 1, 0], [0, 0, 1]]) @ TRUE
    pooled = [matches(k, homography=(TRUE, moved)[k % 2]) for k in range(6)]
    assert 'two halves' in fit_matches(pooled, RGB, SWIR).problem()


def test_a_poor_fit_says_what_is_poor():
    good = fit_matches([matches(k) for k in range(6)], RGB, SWIR)

    def changed(**values):
        return Fit(**{**vars(good), **values}).problem()

    assert changed(matches=59) == 'less than 60 matches'
    assert changed(cells=5) == 'matches in less than 6 regions'
    assert changed(residual=1.9) == 'a mean residual above 1.8 pixels'
    assert 'two halves' in changed(halves=float('nan'))
    assert fault(Rig(np.diag([1., -1, 1]), RGB, SWIR)) in changed(
        rig=Rig(np.diag([1., -1, 1]), RGB, SWIR))


@pytest.fixture(scope='module')
def drive(tmp_path_factory):
    """Frames of a rig: SWIR seen through a homography, at another exposure and tone curve."""
    root = tmp_path_factory.mktemp('rig')
    inverse = np.linalg.inv(TRUE)
    for k in range(6):
        plane = texture(k, RGB)
        noise = np.random.default_rng(k).normal(0, .01, SWIR)
        swir = cv2.warpPerspective(plane, inverse, SWIR[::-1]) ** 1.3 * .5 + noise
        put(root / 'rgb' / f'{k:04d}.png', np.repeat(
            (255 * plane ** (1 / 2.2)).astype(np.uint8)[..., None], 3, axis=2))
        put(root / 'swir' / f'{k:04d}.png', (255 * swir.clip(0, 1)).astype(np.uint8))
    return root


def test_a_rig_is_fitted_to_its_frames(drive):
    frames = PairFrames(drive, FrameOptions(coding=SwirCoding(gamma=1)), aligned=False)
    fit = fit_rig(frames, grey_scale)
    corners = np.array([[50., 50], [450, 350], [250, 200]])
    assert apply(fit.rig.homography, corners) == pytest.approx(apply(TRUE, corners), abs=1)
    frames.rig = fit.rig
    frame = frames.read(frames.judged[0])
    truth = texture(0, RGB)
    inside = cv2.erode(frame.mask.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert np.corrcoef(frame.truth[inside], truth[inside])[0, 1] > .9


def test_translations_that_show_something_else_are_refused(drive):
    frames = PairFrames(drive, FrameOptions(), aligned=False)
    with pytest.raises(UserError, match=r'--align: .* too poor to judge with'):
        fit_rig(frames, lambda rgb: texture(int(rgb[0, 0, 0]) + 100, rgb.shape[:2]))


def test_a_flat_frame_has_no_match():
    flat = np.full(RGB, .5, np.float32)
    assert [len(places) for places in match(flat, texture(0, RGB))] == [0, 0]
