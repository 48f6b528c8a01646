"""Decisions about a camera's input that need no ROS."""

from __future__ import annotations

from typing import Any


def choose_transport(current: str, *, raw: int, compressed: int, silent: bool) -> str:
    """Return the transport to read: ``raw`` or ``compressed``.

    Raw is preferred; but a killed driver stays in the graph until its lease ends (20 s), so a
    topic that has a publisher and yet is silent gives way to the other one.

    :param current: the transport read so far.
    :param raw: publishers of the raw topic.
    :param compressed: publishers of the compressed topic.
    :param silent: whether ``current`` is subscribed to and has been silent for a while.
    """
    other = 'compressed' if current == 'raw' else 'raw'
    count = {'raw': raw, 'compressed': compressed}
    if not count[other]:
        return current
    if not count[current] or silent:
        return other
    return current


def info_size(info: Any) -> tuple[int, int]:
    """Return the (height, width) of the images that a CameraInfo describes.

    Its height and width are the full sensor's; the region of interest and then the binning make
    the image (sensor_msgs/CameraInfo).
    """
    roi = info.roi
    height, width = (roi.height or info.height, roi.width or info.width)
    return height // (info.binning_y or 1), width // (info.binning_x or 1)
