"""Presets of the virtual sensor after real SWIR cameras, from ``config/sensors.yaml``."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.imaging.sensor import SensorSettings
from rgb2swir_ros.resources import share_directory
from rgb2swir_ros.sizes import parse_size


def load_presets(path: Path | None = None) -> dict[str, SensorSettings]:
    """Return every preset of a file by name.

    :param path: a file like ``config/sensors.yaml``: names under ``sensors``, each with the
        fields of ``SensorSettings``, ``output_size`` as WIDTHxHEIGHT; by default the package's.
    :raises UserError: if the file cannot be read or a preset has an unknown key or a bad value.
    """
    path = path or share_directory() / 'config' / 'sensors.yaml'
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f'cannot read the sensor presets {path}: {error}') from error
    sensors = content.get('sensors') if isinstance(content, dict) else None
    if not isinstance(sensors, dict) or not sensors:
        raise UserError(f"{path} has no presets: it needs names under 'sensors:'")
    return {str(name): _settings(values, f'{path}, sensor {name}')
            for name, values in sensors.items()}


def load_preset(name: str, path: Path | None = None) -> SensorSettings:
    """Return one preset by name; change it with ``dataclasses.replace``.

    :raises UserError: if there is none of that name; the text lists those there are.
    """
    presets = load_presets(path)
    if name not in presets:
        raise UserError(f"no sensor preset '{name}'; there are {', '.join(presets)}")
    return presets[name]


def _settings(values: Any, where: str) -> SensorSettings:
    """Check keys and types, so that a misspelled key is an error and not ignored."""
    if not isinstance(values, dict):
        raise UserError(f'{where}: must be keys with values, is {values!r}')
    types = {known.name: type(known.default) for known in fields(SensorSettings)}
    settings = dict(values)
    for key, value in values.items():
        if key not in types:
            raise UserError(f'{where}: unknown key {key!r}; known are {", ".join(types)}')
        wanted = str if key == 'output_size' else types[key]
        if wanted is float and type(value) is int:
            settings[key] = float(value)
        elif type(value) is not wanted:
            raise UserError(f'{where}: {key} must be {wanted.__name__}, is {value!r}')
    try:
        if 'output_size' in settings:
            settings['output_size'] = parse_size(settings['output_size'])
        return SensorSettings(**settings)
    except UserError as error:
        raise UserError(f'{where}: {error}') from error
