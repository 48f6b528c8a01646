"""Sizes and intrinsics, compared with points in pictures resized by OpenCV."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rgb2swir_ros.imaging.errors import ImageError
from rgb2swir_ros.imaging.fit import (
    CameraInfoFields,
    Crop,
    PixelTransform,
    RoiFields,
    fit_size,
    transform_camera_info,
)
from rgb2swir_ros.imaging.resize import resize

HEIGHT, WIDTH = 240, 320
BASELINE = 0.2
INFO = CameraInfoFields(
    HEIGHT, WIDTH, 'plumb_bob', [.1, -.05, .001, .002, 0.],
    [300., 0, 162.3, 0, 280., 117.8, 0, 0, 1], [1., 0, 0, 0, 1, 0, 0, 0, 1],
    [310., 0, 158.1, -310 * BASELINE, 0, 290., 121.4, 0, 0, 0, 1, 0])
POINTS = np.array([[.1, .05, 2.], [-.3, .2, 2.5], [.2, -.15, 1.8], [-.05, -.02, 1.5]])


def scaled_info(info: Any, source: tuple[int, int], target: tuple[int, int],
                crop: Crop | None = None) -> CameraInfoFields:
    """Return the CameraInfo of an image that is cropped and resized."""
    return transform_camera_info(info, source, target,
                                 PixelTransform.resize(source, target, crop))


def project(info: Any, point: np.ndarray, rectified: bool) -> np.ndarray:
    """Return (u, v) by the formulas of CameraInfo.msg, ROI and binning default."""
    if rectified:
        u, v, w = np.array(info.p).reshape(3, 4) @ [*point, 1]
    else:
        u, v, w = np.array(info.k).reshape(3, 3) @ point
    return np.array([u / w, v / w])


def picture(uv: np.ndarray) -> np.ndarray:
    """Return a sensor's picture with one soft blob whose centroid is (u, v)."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    distance = (columns - uv[0]) ** 2 + (rows - uv[1]) ** 2
    return np.exp(-distance / (2 * 4.0 ** 2)).astype(np.float32)


def centroid(image: np.ndarray) -> np.ndarray:
    rows, columns = np.mgrid[0:image.shape[0], 0:image.shape[1]]
    return np.array([(columns * image).sum(), (rows * image).sum()]) / image.sum()


@pytest.mark.parametrize('rectified', [False, True])
@pytest.mark.parametrize('point', POINTS)
@pytest.mark.parametrize(('target', 'crop'), [
    ((80, 107), None),                          # not whole, and a little anisotropic
    ((120, 160), None),
    ((60, 320), None),                          # anisotropic
    ((240, 320), None),
    ((480, 640), None),                         # larger
    ((100, 100), Crop(20, 30, 200, 260)),
    ((70, 140), Crop(21, 13, 210, 280)),
])
def test_a_point_lies_where_the_resized_picture_has_it(
        target: tuple[int, int], crop: Crop | None, point: np.ndarray, rectified: bool) -> None:
    image = picture(project(INFO, point, rectified))
    if crop:
        image = image[int(crop.top):int(crop.top + crop.height),
                      int(crop.left):int(crop.left + crop.width)]
    found = centroid(resize(image, target))
    scaled = scaled_info(INFO, (HEIGHT, WIDTH), target, crop)
    assert np.abs(project(scaled, point, rectified) - found).max() < .05
    assert (scaled.height, scaled.width) == target


@pytest.mark.parametrize('rectified', [False, True])
@pytest.mark.parametrize('point', POINTS)
@pytest.mark.parametrize(('binning', 'roi'), [
    ((2, 2), RoiFields()),
    ((4, 1), RoiFields()),
    ((1, 1), RoiFields(40, 20, 200, 240, True)),
    ((2, 4), RoiFields(40, 20, 200, 240, True)),
    ((0, 0), RoiFields(0, 0, HEIGHT, WIDTH)),
])
def test_roi_and_binning_lead_from_the_sensor_to_the_image(
        binning: tuple[int, int], roi: RoiFields, point: np.ndarray, rectified: bool) -> None:
    across, down = binning[0] or 1, binning[1] or 1
    image = picture(project(INFO, point, rectified))
    if roi.height:
        image = image[roi.y_offset:roi.y_offset + roi.height,
                      roi.x_offset:roi.x_offset + roi.width]
    rows, columns = image.shape
    binned = image.reshape(rows // down, down, columns // across, across).mean((1, 3))
    info = replace(INFO, binning_x=binning[0], binning_y=binning[1], roi=roi)
    scaled = scaled_info(info, binned.shape, (50, 64))
    found = centroid(resize(binned.astype(np.float32), (50, 64)))
    assert np.abs(project(scaled, point, rectified) - found).max() < .05
    assert (scaled.binning_x, scaled.binning_y, scaled.roi) == (0, 0, RoiFields())


def test_the_stereo_term_scales_with_the_focal_length() -> None:
    scaled = scaled_info(INFO, (HEIGHT, WIDTH), (60, 160))
    assert scaled.p[3] == pytest.approx(-BASELINE * scaled.p[0])
    assert scaled.p[0] == pytest.approx(155)
    assert scaled.p[5] == pytest.approx(290 / 4)
    assert scaled.p[8:] == [0, 0, 1, 0]
    assert scaled.k[6:] == [0, 0, 1]


def test_distortion_and_rectification_stay() -> None:
    scaled = scaled_info(INFO, (HEIGHT, WIDTH), (60, 160), Crop(1, 2, 120, 160))
    assert (scaled.d, scaled.r, scaled.distortion_model) == (INFO.d, INFO.r, 'plumb_bob')


def test_the_same_size_changes_nothing() -> None:
    assert scaled_info(INFO, (HEIGHT, WIDTH), (HEIGHT, WIDTH)) == INFO


@given(st.integers(1, 60), st.integers(1, 60))
def test_distorted_points_follow_too(divisor_y: int, divisor_x: int) -> None:
    """Distortion is in normalised coordinates, so D stays under any scale, OpenCV agrees."""
    target = HEIGHT // divisor_y, WIDTH // divisor_x
    scaled = scaled_info(INFO, (HEIGHT, WIDTH), target)

    def distorted(info: CameraInfoFields) -> np.ndarray:
        none = np.zeros(3)
        return cv2.projectPoints(POINTS, none, none, np.array(info.k).reshape(3, 3),
                                 np.array(info.d))[0].reshape(-1, 2)
    factor = np.array([target[1] / WIDTH, target[0] / HEIGHT])
    assert np.allclose(distorted(scaled), (distorted(INFO) + .5) * factor - .5, atol=1e-6)


def test_an_uncalibrated_camera_keeps_its_zeros() -> None:
    info = CameraInfoFields(0, 0, '', [], [0.] * 9, [0.] * 9, [0.] * 12)
    scaled = scaled_info(info, (HEIGHT, WIDTH), (120, 160))
    assert scaled == replace(info, height=120, width=160)


def test_a_calibration_without_size_is_of_the_image() -> None:
    info = replace(INFO, height=0, width=0)
    assert scaled_info(info, (HEIGHT, WIDTH), (60, 160)) == scaled_info(
        INFO, (HEIGHT, WIDTH), (60, 160))


@pytest.mark.parametrize(('changes', 'source', 'shown'), [
    ({}, (120, 160), 'is 160x120.*of one of 320x240'),
    ({}, (HEIGHT, WIDTH + 1), 'is 321x240'),
    ({'binning_x': 2, 'binning_y': 2}, (HEIGHT, WIDTH), 'of one of 160x120'),
    ({'roi': RoiFields(0, 0, 100, 100)}, (HEIGHT, WIDTH), 'of one of 100x100'),
])
def test_info_of_another_image_is_refused(changes: dict[str, Any], source: tuple[int, int],
                                          shown: str) -> None:
    with pytest.raises(ImageError, match=shown) as caught:
        scaled_info(replace(INFO, **changes), source, (60, 80))
    assert caught.value.reason == 'camera_info_mismatch'


def test_a_remainder_row_of_binning_may_be_kept_or_dropped() -> None:
    info = replace(INFO, height=241, binning_x=2, binning_y=2)
    for rows in (120, 121):
        assert scaled_info(info, (rows, 160), (60, 80)).height == 60
    with pytest.raises(ImageError):
        scaled_info(info, (122, 160), (60, 80))


def test_a_real_message_is_taken_and_filled() -> None:
    messages = pytest.importorskip('sensor_msgs.msg', reason='no ROS messages on this machine')
    names = ('height', 'width', 'distortion_model', 'd', 'k', 'r', 'p', 'binning_x', 'binning_y')
    info = messages.CameraInfo(**{name: getattr(INFO, name) for name in names})
    scaled = scaled_info(info, (HEIGHT, WIDTH), (60, 160))
    assert scaled == scaled_info(INFO, (HEIGHT, WIDTH), (60, 160))
    for name in names:
        setattr(info, name, getattr(scaled, name))
    assert list(info.p) == scaled.p


numbers = st.floats(.1, 10)
offsets = st.floats(-100, 100)
transforms = st.builds(PixelTransform, numbers, numbers, offsets, offsets)


@given(transforms, transforms)
def test_then_is_the_product_of_matrices(first: PixelTransform, second: PixelTransform) -> None:
    assert np.allclose(first.then(second).matrix(), second.matrix() @ first.matrix())


def test_a_resize_and_a_crop_in_two_steps() -> None:
    """As the node does it: the network's size first, then the virtual sensor's crop."""
    to_network = PixelTransform.resize((HEIGHT, WIDTH), (120, 160))
    to_frame = PixelTransform.resize((120, 160), (50, 80), Crop(10, 0, 100, 160))
    two = transform_camera_info(INFO, (HEIGHT, WIDTH), (50, 80), to_network.then(to_frame))
    one = scaled_info(INFO, (HEIGHT, WIDTH), (50, 80), Crop(20, 0, 200, 320))
    assert np.allclose(two.k, one.k)
    assert np.allclose(two.p, one.p)


@pytest.mark.parametrize(('source', 'box', 'expected'), [
    ((1080, 1920), (512, 640), (360, 640)),
    ((540, 960), (512, 640), (360, 640)),
    ((480, 640), (512, 640), (480, 640)),
    ((1536, 2048), (512, 640), (480, 640)),
    ((1920, 1080), (512, 640), (512, 288)),
    ((300, 200), (512, 640), (300, 200)),       # never larger
    ((100, 6000), (512, 640), (16, 640)),       # never thinner than 16
    ((7, 9), (512, 640), (16, 16)),
])
def test_fit_size(source: tuple[int, int], box: tuple[int, int],
                  expected: tuple[int, int]) -> None:
    assert fit_size(source, box) == expected


sides = st.integers(16, 5000)


@given(st.tuples(sides, sides), st.tuples(sides, sides))
def test_fit_size_fills_the_box_and_keeps_the_aspect(source: tuple[int, int],
                                                     box: tuple[int, int]) -> None:
    height, width = fit_size(source, box)
    assert height <= box[0]
    assert width <= box[1]
    assert height <= source[0]
    assert width <= source[1]
    assert (height, width) == source or height == box[0] or width == box[1]
    assume(min(height, width) > 16)
    # one side is exact, the other within half a pixel of the source's aspect
    off = abs(height * source[1] - width * source[0])
    assert off <= max(source) / 2


@pytest.mark.parametrize(('source', 'box'), [((0, 10), (512, 640)), ((100, 100), (8, 640))])
def test_fit_size_refuses_impossible_sizes(source: tuple[int, int],
                                             box: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match='cannot fit'):
        fit_size(source, box)
