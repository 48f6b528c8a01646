"""Output sizes, pixel transforms, and camera intrinsics after a transform.

Coordinates are those of OpenCV and ROS: the centre of the upper left pixel is (0, 0), so its
corner is (-.5, -.5), and resizing by s moves u to (u + .5) * s - .5.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rgb2swir_ros.imaging.errors import ImageError
from rgb2swir_ros.sizes import SMALLEST_SIDE


def fit_size(source: tuple[int, int], box: tuple[int, int]) -> tuple[int, int]:
    """Return the (height, width) of the whole source scaled down to fit a box.

    The source's aspect ratio is kept to the nearest pixel; it is never scaled up, but no side
    becomes shorter than 16. 1920x1080 in a box of 640x512 gives 640x360.

    :param source: (height, width), at least 1x1.
    :param box: (height, width), at least 16x16.
    :raises ValueError: if the source has no pixels or the box is too small.
    """
    height, width = source
    if min(source) < 1 or min(box) < SMALLEST_SIDE:
        raise ValueError(f'cannot fit {source} in {box} (height, width)')
    # Integer arithmetic: 1080 * (640 / 1920) must not become 359.99.
    if height <= box[0] and width <= box[1]:
        fitted = height, width
    elif width * box[0] >= height * box[1]:
        fitted = _divide(height * box[1], width), box[1]
    else:
        fitted = box[0], _divide(width * box[0], height)
    return max(SMALLEST_SIDE, fitted[0]), max(SMALLEST_SIDE, fitted[1])


def _divide(numerator: int, denominator: int) -> int:
    """Return the quotient rounded to the nearest integer, halves up."""
    return (2 * numerator + denominator) // (2 * denominator)


@dataclass(frozen=True)
class Crop:
    """A crop rectangle: distances from the upper left corner and size, in pixels."""

    top: float
    left: float
    height: float
    width: float


@dataclass(frozen=True)
class PixelTransform:
    """A scale and shift of pixel coordinates: u' = (u + .5) * scale_x + offset_x - .5, v' alike.

    Scales are target pixels per source pixel; offsets are in target pixels.
    """

    scale_x: float = 1.0
    scale_y: float = 1.0
    offset_x: float = 0.0
    offset_y: float = 0.0

    @classmethod
    def resize(cls, source: tuple[int, int], target: tuple[int, int],
               crop: Crop | None = None) -> PixelTransform:
        """Return the transform of ``cv2.resize`` of the source, or of a crop of it, to a target.

        :param source: (height, width) before.
        :param target: (height, width) after.
        :param crop: the part of the source that is kept; None keeps all of it.
        """
        crop = crop or Crop(0, 0, *source)
        scale_x, scale_y = target[1] / crop.width, target[0] / crop.height
        return cls(scale_x, scale_y, -crop.left * scale_x, -crop.top * scale_y)

    def then(self, after: PixelTransform) -> PixelTransform:
        """Return this transform followed by another."""
        return PixelTransform(
            self.scale_x * after.scale_x, self.scale_y * after.scale_y,
            self.offset_x * after.scale_x + after.offset_x,
            self.offset_y * after.scale_y + after.offset_y)

    def matrix(self) -> np.ndarray:
        """Return the matrix, float64 (3, 3), on homogeneous pixel coordinates (u, v, 1)."""
        return np.array([[self.scale_x, 0, self.offset_x + (self.scale_x - 1) / 2],
                         [0, self.scale_y, self.offset_y + (self.scale_y - 1) / 2],
                         [0, 0, 1]])


@dataclass
class RoiFields:
    """The fields of sensor_msgs/RegionOfInterest; all zero means the whole image."""

    x_offset: int = 0
    y_offset: int = 0
    height: int = 0
    width: int = 0
    do_rectify: bool = False


@dataclass
class CameraInfoFields:
    """The fields of sensor_msgs/CameraInfo without its header; k, r, p are row-major."""

    height: int
    width: int
    distortion_model: str
    d: list[float]
    k: list[float]
    r: list[float]
    p: list[float]
    binning_x: int = 0
    binning_y: int = 0
    roi: RoiFields = field(default_factory=RoiFields)


def transform_camera_info(info: Any, source: tuple[int, int], target: tuple[int, int],
                          transform: PixelTransform) -> CameraInfoFields:
    """Return the CameraInfo of an image after a pixel transform.

    ``info`` describes the full, unbinned sensor. The camera's ROI and binning map it to the image
    received, and the transform maps that to the target. Both go into K and P
    (P[0,3] = -fx' * B scales with fx'), so the result describes a camera of the target's size
    with no ROI and no binning: a scaled ROI would have to be whole pixels and could not be exact.
    Distortion and rectification act on normalised coordinates and stay unchanged. An uncalibrated
    camera (K[0] = 0, as the message defines it) keeps its zeros; only the size changes.

    :param info: a sensor_msgs/CameraInfo, duck-typed.
    :param source: (height, width) of the image as received.
    :param target: (height, width) of the output image.
    :param transform: from pixels of the source to pixels of the target.
    :raises ImageError: ``camera_info_mismatch`` if ``info`` is for images of another size than
        the source's, so that K cannot be related to its pixels.
    """
    k: np.ndarray = np.array(info.k, np.float64).reshape(3, 3)
    p: np.ndarray = np.array(info.p, np.float64).reshape(3, 4)
    if k[0, 0] != 0:
        matrix = _from_full_sensor(info, source).then(transform).matrix()
        k, p = matrix @ k, matrix @ p
    return CameraInfoFields(
        height=target[0], width=target[1], distortion_model=info.distortion_model,
        d=[float(v) for v in info.d], k=k.ravel().tolist(), r=[float(v) for v in info.r],
        p=p.ravel().tolist())


def follow_camera_info(info: Any, source: tuple[int, int], target: tuple[int, int],
                       transform: PixelTransform, counts: Counter[str]) -> CameraInfoFields | None:
    """Return the output's CameraInfo, or None and count why there is none.

    The stamp of ``info`` is ignored, because drivers that latch it send it once: the caller
    publishes the result with the image's header.

    :param info: the camera's latest sensor_msgs/CameraInfo, or None.
    :param source: (height, width) of the image as received.
    :param target: (height, width) of the output image.
    :param transform: from pixels of the source to pixels of the target.
    :param counts: incremented at ``camera_info_missing`` if ``info`` is None, and at
        ``camera_info_mismatch`` if it is for images of another size.
    :return: None in these two cases.
    """
    if info is None:
        counts['camera_info_missing'] += 1
        return None
    try:
        return transform_camera_info(info, source, target, transform)
    except ImageError as error:
        counts[error.reason] += 1
        return None


def _from_full_sensor(info: Any, source: tuple[int, int]) -> PixelTransform:
    """Return the transform from the full sensor to the image received: its ROI, then binning.

    The centre of a binned pixel is the centre of the binning_x * binning_y sensor pixels that it
    covers. (The image_geometry package divides cx by the binning, which is off by up to half a
    pixel.)
    """
    full = (info.height, info.width) if info.height and info.width else source
    roi, binning = info.roi, (info.binning_y or 1, info.binning_x or 1)
    if roi.height == roi.width == 0:
        crop = Crop(0, 0, *full)
    else:
        crop = Crop(roi.y_offset, roi.x_offset, roi.height, roi.width)
    expected = crop.height / binning[0], crop.width / binning[1]
    # If binning does not divide the region's size, some cameras drop the last row, others keep it.
    if any(abs(has - should) >= 1 for has, should in zip(source, expected, strict=True)):
        raise ImageError(
            'camera_info_mismatch',
            f'the image is {source[1]}x{source[0]}, but its CameraInfo (size '
            f'{info.width}x{info.height}, roi {roi.width}x{roi.height}, binning '
            f'{info.binning_x}x{info.binning_y}) is of one of {expected[1]:g}x{expected[0]:g}: '
            'calibrate the camera at the size it sends, or let its driver set binning or roi')
    scale_x, scale_y = 1 / binning[1], 1 / binning[0]
    return PixelTransform(scale_x, scale_y, -crop.left * scale_x, -crop.top * scale_y)
