"""Fallback for encodings that ``encodings.py`` does not list: ROS's cv_bridge, where it works.

It is imported when the first such image arrives. A cv_bridge that was built for NumPy 1 fails
under NumPy 2 (ros-perception/vision_opencv#535): with an ImportError, an AttributeError, or by
ending the process. So under NumPy 2 it is tried in a separate process first.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from rgb2swir_ros.imaging.errors import ImageError

COMPILED = 'cv_bridge.boost.cv_bridge_boost'  # the part that NumPy 2 breaks
TRIAL_S = 60.0
# The same import path as here, so that the same cv_bridge is found.
TRIAL = f"""
import json, sys
sys.path[:] = json.loads(sys.argv[1])
import numpy
from types import SimpleNamespace
import cv_bridge, {COMPILED}
image = SimpleNamespace(height=2, width=2, encoding='bgr8', step=6, is_bigendian=0,
                        data=bytes(range(12)))
assert cv_bridge.CvBridge().imgmsg_to_cv2(image, 'rgb8')[0, 0].tolist() == [2, 1, 0]
"""


def to_rgb(image: Any) -> np.ndarray:
    """Convert an image message of an unlisted encoding by cv_bridge.

    :param image: the fields of sensor_msgs/Image, as ``raw.to_rgb`` takes them.
    :return: uint8 (H, W, 3), C-contiguous.
    :raises ImageError: ``unsupported_encoding`` if cv_bridge is missing, broken or refuses it.
    """
    refused = f'encoding {image.encoding!r} is not supported'
    convert, reason = _bridge()
    if convert is None:
        raise ImageError('unsupported_encoding', f'{refused}, and {reason}')
    try:
        rgb = np.asarray(convert(image, 'rgb8'))
    except Exception as error:  # CvBridgeError, and NumPy's errors for a wrong length
        text = ' '.join(str(error).split()) or type(error).__name__
        raise ImageError('unsupported_encoding', f'{refused}, and cv_bridge refuses it: {text}'
                         ) from error
    if rgb.dtype != np.uint8 or rgb.shape != (image.height, image.width, 3):
        raise ImageError('unsupported_encoding', f'{refused}, and cv_bridge makes {rgb.dtype} of '
                         f'shape {rgb.shape} of {image.width}x{image.height} pixels')
    return np.array(rgb, order='C')


@functools.cache
def _bridge() -> tuple[Callable[[Any, str], np.ndarray] | None, str]:
    """Return cv_bridge's conversion, or None and why there is none."""
    try:
        if _numpy_major() >= 2 and COMPILED not in sys.modules:
            _try_out()
        from cv_bridge import CvBridge
        __import__(COMPILED)
        return CvBridge().imgmsg_to_cv2, ''
    except ModuleNotFoundError as error:
        if error.name == 'cv_bridge':
            return None, 'cv_bridge, which may know it, is not installed'
        return None, _broken(error)
    except Exception as error:
        return None, _broken(error)


def _broken(error: Exception) -> str:
    way_out = ("; it was built for NumPy 1: pip install 'numpy<2'" if _numpy_major() >= 2 else '')
    text = ' '.join(str(error).split())
    return (f'cv_bridge, which may know it, is broken here under NumPy {np.__version__} '
            f'({type(error).__name__}: {text}){way_out}')


def _try_out() -> None:
    """Convert an image by cv_bridge in another process.

    :raises ModuleNotFoundError: if cv_bridge is not installed.
    :raises ImportError: if the process fails, with its last line of output.
    """
    if 'cv_bridge' not in sys.modules and importlib.util.find_spec('cv_bridge') is None:
        raise ModuleNotFoundError(name='cv_bridge')
    done = subprocess.run([sys.executable, '-I', '-c', TRIAL, json.dumps(sys.path)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors='replace', timeout=TRIAL_S)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ['']
        how = f'killed by signal {-done.returncode}' if done.returncode < 0 else lines[-1]
        raise ImportError(f'a trial ended: {how}')


def _numpy_major() -> int:
    return int(np.__version__.split('.')[0])
