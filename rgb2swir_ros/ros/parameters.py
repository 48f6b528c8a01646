"""The node's parameters: one table of names, defaults and ranges, and the typed settings.

Nothing here needs ROS: ``declaration.py`` declares the table in rclpy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rgb2swir_ros.engines.base import BACKENDS, DEVICES, OPTIMIZATION_LEVELS, PRECISIONS
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.imaging.presets import load_preset
from rgb2swir_ros.imaging.sensor import GEOMETRIES, SensorSettings
from rgb2swir_ros.ros.hang_watch import HANG_S, LEAST_S
from rgb2swir_ros.sizes import parse_size

# When a parameter may change: at any time; while the node is unconfigured; only at its start.
LIVE, UNCONFIGURED, START = 'live', 'unconfigured', 'start'

TRANSPORTS = ('auto', 'raw', 'compressed')
ENCODINGS = ('mono8', 'mono16')


@dataclass(frozen=True)
class Parameter:
    """One row of the table."""

    name: str
    default: Any
    description: str
    changes: str = UNCONFIGURED
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    step: int = 1


TABLE: tuple[Parameter, ...] = (
    Parameter('cameras', ['camera'], 'Names of the cameras; each is a topic prefix, as in '
              'front/image_raw.', START),
    Parameter('input_transport', 'auto', 'Which topic to read: raw (image_raw), compressed '
              '(image_raw/compressed), or auto: raw wherever it delivers.',
              choices=TRANSPORTS),
    Parameter('source_size', '', 'Size of the cameras as WIDTHxHEIGHT: its engine is built at '
              'activation. Empty: learned from the first CameraInfo or image.'),
    Parameter('model', 'nano', 'Name of a model that ships, or the path of a model folder.'),
    Parameter('size', '640x512', 'Box as WIDTHxHEIGHT that the source is scaled down to fit, its '
              'aspect kept: 1920x1080 in 640x512 gives 640x360.'),
    Parameter('backend', 'auto', 'How the model runs: auto takes the fastest one that works here.',
              choices=('auto', *BACKENDS)),
    Parameter('precision', 'auto', 'Numbers the engine computes with.',
              choices=('auto', *PRECISIONS)),
    Parameter('device', 'auto', 'What the engine runs on: auto takes the GPU where there is one.',
              choices=('auto', *DEVICES)),
    Parameter('optimization_level', 3, "TensorRT's: higher builds longer and may run faster.",
              low=min(OPTIMIZATION_LEVELS), high=max(OPTIMIZATION_LEVELS)),
    Parameter('threads', 0, 'Threads of the engine on a CPU; 0: one for each core.',
              low=0, high=1024),
    Parameter('cache', '', 'Folder for compiled engines; empty: $RGB2SWIR_CACHE or the '
              "user's cache folder."),
    Parameter('build_timeout_s', 1800.0, 'Seconds after which building an engine has failed.',
              low=1.0, high=86400.0),
    Parameter('infer_timeout_s', 5.0, 'Seconds after which a frame in the engine counts as hung; '
              'the engine is then restarted.', low=0.1, high=600.0),
    Parameter('sensor', '', 'Preset of the virtual sensor, such as imx991_low_gain (see '
              'config/sensors.yaml); those of the parameters below that are not at their default '
              'win over it. Empty: none.', LIVE),
    Parameter('encoding', 'mono8', 'Encoding of the SWIR image: mono8 (gamma) or mono16 (linear).',
              LIVE, ENCODINGS),
    Parameter('gamma', 2.2, 'Tone curve of mono8: value = 255 * radiance ** (1 / gamma).', LIVE,
              low=0.1, high=10.0),
    Parameter('exposure', 1.0, 'Factor on the light before the full well: exposure time and '
              'aperture in one.', LIVE, low=0.001, high=1000.0),
    Parameter('gain', 1.0, 'Factor on the signal behind the full well; it raises the noise, too.',
              LIVE, low=0.001, high=1000.0),
    Parameter('bits', 16, 'Significant bits of mono16: 8, 10, 12, 14 or 16; most SWIR cameras '
              'have 12.', LIVE,
              low=8, high=16, step=2),
    Parameter('left_shift', 0, 'Zero bits below those of mono16 (0 with mono8); bits + left_shift '
              'is at most 16.', LIVE, low=0, high=8),
    Parameter('geometry', 'fit', 'How the picture fills output_size: fit (whole view), pad '
              '(whole view, dark margin), crop (fills it, edges cut), stretch (fills it, aspect '
              'lost).', LIVE, GEOMETRIES),
    Parameter('output_size', '', 'Size of the SWIR image as WIDTHxHEIGHT; empty: as translated.',
              LIVE),
    Parameter('noise', False, "Add the sensor's shot and read noise.", LIVE),
    Parameter('full_well_e', 120000.0, 'Full-well capacity in electrons.', LIVE,
              low=1.0, high=1e9),
    Parameter('read_noise_e', 150.0, 'Standard deviation of the read noise in electrons.', LIVE,
              low=0.0, high=1e6),
    Parameter('prnu', 0.0, "Deviation of the pixels' response, as a share.", LIVE,
              low=0.0, high=1.0),
    Parameter('dsnu_e', 0.0, "Deviation of the pixels' offsets in electrons.", LIVE,
              low=0.0, high=1e6),
    Parameter('dead_pixels', 0.0, 'Share of the pixels that are stuck at black or white.', LIVE,
              low=0.0, high=1.0),
    Parameter('dead_columns', 0, 'How many columns are black.', LIVE, low=0, high=65535),
    Parameter('seed', 0, 'Seed of noise (drawn from seed, camera, stamp) and fixed pattern.', LIVE,
              low=0, high=2**31 - 1),
    Parameter('max_age_ms', 0.0, 'Frames older than this when their turn comes are dropped and '
              'counted; 0: no limit.', LIVE, low=0.0, high=3.6e6),
    Parameter('expected_frequency', 0.0, 'Rate in Hz that each camera should have; diagnostics '
              'warn outside the tolerance. 0: not checked.', LIVE, low=0.0, high=10000.0),
    Parameter('tolerance', 10.0, 'Percent that the rate may deviate from expected_frequency.',
              LIVE, low=0.0, high=100.0),
    Parameter('hang_timeout_s', HANG_S, 'Seconds without progress of the main thread after which '
              'the node writes where it hangs and ends with code 1, to be started anew; 0: never.',
              START, low=0.0, high=86400.0),
    Parameter('autostart', True, 'Configure and activate at once; false: wait for the lifecycle '
              'services.', START),
    Parameter('build_only', False, 'Build the engine for source_size, then exit.', START),
)
DEFAULTS: dict[str, Any] = {row.name: row.default for row in TABLE}
BY_NAME: dict[str, Parameter] = {row.name: row for row in TABLE}


@dataclass(frozen=True)
class Settings:
    """The checked parameters. Sizes are (height, width), None for an empty string."""

    cameras: tuple[str, ...]
    input_transport: str
    source_size: tuple[int, int] | None
    model: str
    size: tuple[int, int]
    backend: str
    precision: str
    device: str
    optimization_level: int
    threads: int
    cache: str | None
    build_timeout_s: float
    infer_timeout_s: float
    max_age_ms: float
    expected_frequency: float
    tolerance: float
    hang_timeout_s: float
    autostart: bool
    build_only: bool
    sensor: SensorSettings


SENSOR = ('encoding', 'gamma', 'exposure', 'gain', 'bits', 'left_shift', 'geometry', 'noise',
          'full_well_e', 'read_noise_e', 'prnu', 'dsnu_e', 'dead_pixels', 'dead_columns', 'seed')


def check(values: Mapping[str, Any]) -> Settings:
    """Return typed settings.

    :param values: parameters by name; those that are missing have their defaults.
    :raises UserError: naming the parameter, the wrong value, and the allowed ones.
    """
    given = {**DEFAULTS, **{name: values[name] for name in DEFAULTS if name in values}}
    for name, value in given.items():
        _check_one(BY_NAME[name], value)
    sizes = {name: _size(name, given[name]) for name in ('source_size', 'size', 'output_size')}
    if sizes['size'] is None:
        raise UserError("parameter 'size' is empty: give WIDTHxHEIGHT, like 640x512")
    if given['build_only'] and sizes['source_size'] is None:
        raise UserError("parameter 'build_only' needs 'source_size', the size of the camera, "
                        'like 1920x1080')
    if 0 < given['hang_timeout_s'] < LEAST_S:
        raise UserError(f"parameter 'hang_timeout_s' must be 0 (never) or {LEAST_S:g} and more, "
                        f"not {given['hang_timeout_s']}")
    taken = {name: given[name] for name in Settings.__dataclass_fields__ if name in given}
    sensor = _sensor(given, sizes['output_size'])
    taken |= {'cameras': tuple(given['cameras']), 'source_size': sizes['source_size'],
              'size': sizes['size'], 'cache': given['cache'] or None,
              'sensor': sensor}
    return Settings(**taken)


def _sensor(given: Mapping[str, Any], size: tuple[int, int] | None) -> SensorSettings:
    """Return the preset's settings, changed by the parameters that are not at their default."""
    base = SensorSettings()
    names: tuple[str, ...] = SENSOR
    if given['sensor']:
        try:
            base = load_preset(given['sensor'])
        except UserError as error:
            raise UserError(f"parameter 'sensor': {error}") from None
        names = tuple(name for name in SENSOR if given[name] != DEFAULTS[name])
    changes = {name: given[name] for name in names} | {'seed': given['seed']}
    return replace(base, **changes, output_size=size or base.output_size)


def _check_one(row: Parameter, value: Any) -> None:
    if row.name == 'cameras':
        _check_cameras(value)
        return
    wanted = type(row.default)
    if type(value) is not wanted:
        hint = ' (write 2.0, not 2)' if wanted is float and type(value) is int else ''
        raise UserError(f"parameter '{row.name}' must be {NAMES[wanted]}, not {value!r}{hint}")
    if row.choices and value not in row.choices:
        raise UserError(f"parameter '{row.name}' must be one of {', '.join(row.choices)}, "
                        f"not '{value}'")
    if row.low is None or row.high is None:
        return
    low, high = wanted(row.low), wanted(row.high)
    if not low <= value <= high:
        raise UserError(f"parameter '{row.name}' must be {low} to {high}, not {value}")
    if row.step > 1 and (value - low) % row.step:
        raise UserError(f"parameter '{row.name}' must be {low} to {high} in steps of {row.step}, "
                        f'not {value}')


NAMES = {str: 'a text', float: 'a decimal number', int: 'a whole number', bool: 'true or false'}


def _check_cameras(cameras: Any) -> None:
    if not isinstance(cameras, (list, tuple)) or not cameras or not all(
            isinstance(name, str) for name in cameras):
        raise UserError(f"parameter 'cameras' must be a list of names, not {cameras!r}; "
                        "write ['front', 'rear']")
    for name in cameras:
        if not re.fullmatch(r'/?[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*', name):
            raise UserError(f"parameter 'cameras': '{name}' is no topic name: letters, digits, "
                            "underscores and '/', no digit first")
    if len(set(cameras)) != len(cameras):
        raise UserError(f"parameter 'cameras' names a camera twice: {', '.join(cameras)}")


def _size(name: str, text: str) -> tuple[int, int] | None:
    try:
        return parse_size(text) if text.strip() else None
    except UserError as error:
        raise UserError(f"parameter '{name}': {error}") from None
