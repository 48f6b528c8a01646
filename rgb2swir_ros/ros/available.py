"""Whether ROS 2 is installed."""

from __future__ import annotations

import importlib.util

from rgb2swir_ros.errors import UserError

NEEDED = ('rclpy', 'sensor_msgs', 'diagnostic_msgs', 'rosgraph_msgs')


def require_ros() -> None:
    """Check that rclpy and its messages are installed, without importing them.

    :raises UserError: if they are not.
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(f"no ROS 2 here ({', '.join(missing)} cannot be imported): source your "
                        "ROS setup file, or install ROS 2 from PyPI with pip install "
                        "'rgb2swir_ros[ros]' (x86-64 Linux, Python 3.10-3.13)")
