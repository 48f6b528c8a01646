"""The launch file's arguments: the node's parameters as strings. Needs no ``launch`` package."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.ros.parameters import TABLE


@dataclass(frozen=True)
class Argument:
    """A launch argument: its default as a string, and its description."""

    default: str
    description: str
    kind: type = str


def as_text(value: Any) -> str:
    """Return a parameter's value as it is written after ``name:=``."""
    return value if isinstance(value, str) else json.dumps(value)


PARAMETERS: dict[str, Argument] = {
    row.name: Argument(
        as_text(row.default),
        row.description + (f" One of: {', '.join(row.choices)}." if row.choices else ''),
        type(row.default))
    for row in TABLE}

ARGUMENTS: dict[str, Argument] = {
    'namespace': Argument('', 'Namespace of the node and its topics.'),
    'params_file': Argument('', 'YAML file of parameters, like config/translator.yaml; an '
                            'argument given here that is not the default wins over the file.'),
    'use_sim_time': Argument('false', 'Take the time from /clock.', bool),
    'log_level': Argument('info', 'debug, info, warn, error or fatal.'),
    'respawn': Argument('false', 'Start the node anew, after two seconds, whenever it ends by '
                        'itself.', bool),
    'transport_profile': Argument('local', 'Fast DDS profile, unless your environment names one: '
                                  'local (one machine), vehicle (several hosts) or none.'),
}


def truth(values: Mapping[str, str], name: str) -> bool:
    """Return the value of a launch argument that is true or false.

    :param values: the string of every argument.
    :raises UserError: if it is neither.
    """
    text = values[name].strip().lower()
    if text not in ('true', 'false'):
        raise UserError(f"launch argument '{name}' must be true or false, not '{values[name]}'")
    return text == 'true'


def given(values: Mapping[str, str]) -> dict[str, tuple[str, type]]:
    """Return the node's parameters that a launch sets: string and type by name.

    With a ``params_file``, arguments at their default are not set: they would override the file.

    :param values: the string of every argument.
    """
    chosen: dict[str, tuple[str, type]] = {'use_sim_time': (values['use_sim_time'], bool)}
    for name, row in PARAMETERS.items():
        if not values['params_file'] or values[name] != row.default:
            chosen[name] = (values[name], row.kind)
    return chosen
