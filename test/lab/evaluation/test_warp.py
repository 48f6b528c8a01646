"""Warping along flow, and the flow that is estimated."""

import cv2
import numpy as np

from rgb2swir_ros.lab.evaluation.warp import estimate_flow, gradient, warp_residual

from .clips import SIZE, STEP, camera, texture, window

FLOW = np.zeros((*SIZE, 2), np.float32) + np.array(STEP, np.float32)
NOW, NEXT = (window(texture(0), k, still=False) for k in (0, 1))
INNER = np.s_[8:-8, 8:-8]


def test_the_next_frame_is_fetched_along_the_flow():
    assert warp_residual(NOW, NEXT, FLOW)[INNER].max() < 1e-5


def test_a_wrong_sign_or_swapped_axes_are_seen():
    plain = warp_residual(NOW, NEXT, None)[INNER].mean()
    assert warp_residual(NOW, NEXT, -FLOW)[INNER].mean() > plain > .05
    assert warp_residual(NOW, NEXT, FLOW[..., ::-1])[INNER].mean() > .05


def test_parts_of_pixels_count():
    half = cv2.warpAffine(NOW, np.array([[1, 0, .5], [0, 1, 0]], np.float32), SIZE[::-1])
    flow = np.zeros((*SIZE, 2), np.float32)
    errors = []
    for x in (0., .5, 1.):
        flow[..., 0] = x
        errors.append(warp_residual(NOW, half, flow)[INNER].mean())
    assert errors[1] < .5 * min(errors[0], errors[2])


def test_estimated_flow_is_that_of_the_pan():
    noise = np.random.default_rng(0)
    flow, seen = estimate_flow(camera(NOW, noise), camera(NEXT, noise))
    assert np.abs(np.median(flow[INNER], axis=(0, 1)) - STEP).max() < .1
    assert seen[INNER].mean() > .9
    assert not seen[:, -2:].any()  # leaves the frame
    assert not seen[:1].any()


def test_what_gets_hidden_is_not_trusted():
    """A block that moves onto the ground hides it: there is no way back from there."""
    ground, block = texture(1)[:96, :128], texture(2)[:40, :40]
    frames = []
    for left in (20, 26):
        picture = ground.copy()
        picture[30:70, left:left + 40] = block
        frames.append(camera(picture, np.random.default_rng(left)))
    _, seen = estimate_flow(*frames)
    assert seen[34:66, 60:66].mean() < .5
    assert seen[34:66, 24:56].mean() > .9
    assert seen[34:66, 90:120].mean() > .9


def test_gradient_falls_with_blur():
    assert gradient(cv2.GaussianBlur(NOW, (0, 0), 3)) < .6 * gradient(NOW)
    assert gradient(np.full((4, 4), .5, np.float32)) == 0
