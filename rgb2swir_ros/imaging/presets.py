"""Presets of the virtual sensor after real SWIR cameras, from ``config/sensors.yaml``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from rgb2swir_ros.checked import build, known_entries
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.imaging.sensor import SensorSettings
from rgb2swir_ros.resources import share_directory
from rgb2swir_ros.sizes import parse_size
from rgb2swir_ros.strict_yaml import read_strict_yaml


def load_presets(path: Path | None = None) -> dict[str, SensorSettings]:
    """Return every preset of a file by name.

    :param path: a file like ``config/sensors.yaml``: names under ``sensors``, each with the
        fields of ``SensorSettings``, ``output_size`` as WIDTHxHEIGHT; by default the package's.
    :raises UserError: if the file cannot be read or a preset has an unknown key or a bad value.
    """
    path = path or share_directory() / 'config' / 'sensors.yaml'
    content = read_strict_yaml(path, 'the sensor presets')
    sensors = content.get('sensors') if isinstance(content, dict) else None
    if not isinstance(sensors, dict) or not sensors:
        raise UserError(f"{path} has no presets: it needs names under 'sensors:'")
    return {str(name): sensor_settings(values, where=f'{path}, sensor {name}')
            for name, values in sensors.items()}


def load_preset(name: str, path: Path | None = None) -> SensorSettings:
    """Return one preset by name; change it with ``dataclasses.replace``.

    :raises UserError: if there is none of that name; the text lists those there are.
    """
    presets = load_presets(path)
    if name not in presets:
        raise UserError(f"no sensor preset '{name}'; there are {', '.join(presets)}")
    return presets[name]


def sensor_settings(values: Any, base: SensorSettings | None = None,
                    where: str = 'the sensor') -> SensorSettings:
    """Return settings with some values changed.

    :param values: a mapping from names of fields; ``output_size`` is WIDTHxHEIGHT.
    :param base: the other values; by default the defaults.
    :param where: names the mapping in errors.
    :raises UserError: if it is no mapping, a key is unknown, or a value has a wrong type or is
        out of range.
    """
    base = base or SensorSettings()
    given = known_entries(values, where, vars(base))
    entries = {**vars(base), **given}
    size = entries.pop('output_size')
    try:
        if 'output_size' in given:
            size = parse_size(str(size))
    except UserError as error:
        raise UserError(f'{where}: output_size: {error}') from error
    return replace(build(SensorSettings, entries, where), output_size=size)
