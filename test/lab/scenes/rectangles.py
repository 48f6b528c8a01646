"""A renderer for tests: grey ground with a bright rectangle a frame.

Worker processes import it by name. The environment variables let a test break it.
"""

import os
import time
from dataclasses import dataclass

import numpy as np

from rgb2swir_ros.errors import UserError

NAMES = ('car', 'truck', 'person', 'bus', 'motorcycle', 'bicycle')


@dataclass(frozen=True)
class Box:
    category: str
    box: tuple[float, float, float, float]
    area: float
    visible: float
    lost: bool = False


@dataclass(frozen=True)
class Frame:
    rgb: np.ndarray
    swir: np.ndarray
    objects: tuple[Box, ...]
    place: str
    weather: str
    flow: np.ndarray | None = None
    seen: np.ndarray | None = None


def draw(seed: int, look: int, size: tuple[int, int], place: str, **more) -> Frame:
    rng = np.random.default_rng([seed, look])
    rgb = rng.integers(0, 100, (*size, 3), dtype=np.uint8)
    swir = rng.random(size, dtype=np.float32) * .2
    x, y, width, height = 5 + seed % 7, 6, 20, 12
    rgb[y:y + height, x:x + width] = (250, 30, 30)
    swir[y:y + height, x:x + width] = .75
    objects = (Box(NAMES[seed % 6], (x, y, width, height), 240.0, 1.0),
               Box('car', (1.0, 1.0, 1.5, 4.0), 5.0, 1.0),
               Box('person', (30.0, 2.0, 6.0, 9.0), 20.0, .05),
               Box('bus', (40.0, 2.0, 6.0, 9.0), 54.0, 1.0, lost=True))
    weather = ('clear', 'fog', 'night', 'hail')[(seed + look) % 4]
    return Frame(rgb, swir, objects, place, weather, **more)


def render_frames(seed, size, looks=4):
    with open(os.environ.get('CALLS', os.devnull), 'a') as calls:
        calls.write(f'{seed}\n')
    time.sleep(float(os.environ.get('NAP', '0')))
    if str(seed) in os.environ.get('RAISE', '').split(','):
        raise ZeroDivisionError('no such scene')
    if str(seed) in os.environ.get('REFUSE', '').split(','):
        raise UserError('no such thing as a sign')
    if str(seed) in os.environ.get('DIE', '').split(','):
        os.kill(os.getpid(), 9)
    place = ('town', 'desert')[seed % 2]
    return [draw(seed, look, size, place) for look in range(looks)]


def render_sequence(seed, size, count, *, rate_hz=15.0, still=False):
    for index in range(count):
        last = index == count - 1
        flow = None if last else np.full((*size, 2), 0 if still else 1.5, np.float32)
        seen = None if last else np.arange(size[1]) < size[1] - 2
        yield draw(seed, 0 if still else index, size, 'town', flow=flow,
                   seen=None if last else np.broadcast_to(seen, size))
