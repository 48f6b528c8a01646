"""From stored SWIR frames, ours or a real camera's, to radiance."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.imaging.raw import ImageFields, to_samples
from rgb2swir_ros.replay.frames import CompressedImage, FootageError, Frame

Image = NDArray[np.float32]


def radiance_of(frame: Frame, gamma: float) -> Image:
    """Return the radiance (H, W) in [0, 1] of a one-channel frame.

    Samples of 16 bits are linear, 65535 = 1.0. Those of 8 bits are ``radiance ** (1 / gamma)``.

    :raises UserError: if it cannot be decoded or has several channels.
    """
    if isinstance(frame.content, ImageFields):
        return linear(to_samples(frame.content), gamma)
    data = (np.frombuffer(frame.content.data, np.uint8)
            if isinstance(frame.content, CompressedImage) else None)
    samples = None if data is None or not len(data) else cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    if samples is None:
        raise FootageError(f'{frame.name} of {frame.topic} is no image that can be decoded')
    return linear(np.asarray(samples), gamma, f'{frame.name} of {frame.topic}')


def read_radiance(path: Path, gamma: float) -> Image:
    """Return the radiance (H, W) of a picture file: see `radiance_of`.

    :raises UserError: if it cannot be read.
    """
    samples = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if samples is None:
        raise UserError(f"'{path}' is no picture that can be read")
    return linear(np.asarray(samples), gamma, str(path))


def linear(samples: NDArray[np.generic], gamma: float, name: str = 'the image') -> Image:
    """Return the radiance of samples, uint8 or uint16; equal channels count as one.

    :raises UserError: if they are of another type, or colours.
    """
    if samples.ndim == 3:
        colour = samples[..., :3]
        if (colour != colour[..., :1]).any():
            raise UserError(f'{name} has colours: a SWIR frame has one channel')
        samples = colour[..., 0]
    if samples.dtype == np.uint16:
        return (np.asarray(samples, np.float32) / np.float32(65535)).astype(np.float32, copy=False)
    if samples.dtype != np.uint8:
        raise UserError(f'{name} has samples of type {samples.dtype}: give 8 or 16 bits')
    table = (np.arange(256) / 255) ** gamma
    return table.astype(np.float32)[samples]


def warp_onto(radiance: Image, size: tuple[int, int],
              homography: NDArray[np.float64] | None) -> tuple[Image, NDArray[np.bool_]]:
    """Return true SWIR on the pixels of the judged frame, and where there is any.

    :param radiance: (H, W) of the true frame; ``size``: (height, width) of the judged frame.
    :param homography: from pixels of the true frame to those of the judged one, x and y of pixel
        centres; None for an aligned camera, whose frames are scaled if their sizes differ.
    """
    if homography is None:
        if radiance.shape == size:
            return radiance, np.ones(size, bool)
        shrinks = radiance.shape[0] > size[0]
        scaled = cv2.resize(radiance, size[::-1],
                            interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        return np.asarray(scaled, np.float32), np.ones(size, bool)
    warped = cv2.warpPerspective(radiance, homography, size[::-1], flags=cv2.INTER_LINEAR)
    seen = cv2.warpPerspective(np.ones_like(radiance), homography, size[::-1],
                               flags=cv2.INTER_LINEAR)
    return np.asarray(warped, np.float32), np.asarray(seen > .999)


def read_homography(path: Path) -> NDArray[np.float64]:
    """Return the 3x3 matrix of a text file: nine numbers, a row a line.

    :raises UserError: if there are other than nine finite numbers, or they are no homography.
    """
    try:
        words = path.read_text(encoding='utf-8').replace(',', ' ').split()
        matrix = np.array([float(word.strip('[]')) for word in words if word.strip('[]')])
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise UserError(f'cannot read the homography {path}: {error}') from error
    if matrix.shape != (9,) or not np.isfinite(matrix).all():
        raise UserError(f'{path} must hold the nine numbers of a 3x3 matrix, has {len(matrix)}')
    matrix = matrix.reshape(3, 3)
    if abs(np.linalg.det(matrix)) < 1e-12:
        raise UserError(f'{path} is no homography: its determinant is 0')
    return matrix
