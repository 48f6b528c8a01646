"""The arguments of ``hil.launch.py``: the node's parameters as strings. Needs no ``launch``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rgb2swir_ros.hil.node_parameters import PARAMETERS

ARGUMENTS: dict[str, tuple[str, str]] = {  # name: (default, description)
    **{row.name: (str(row.default), row.description) for row in PARAMETERS},
    'namespace': ('', 'Namespace of the node and its topics.'),
    'log_level': ('info', 'debug, info, warn, error or fatal.'),
    'transport_profile': ('local', 'Fast DDS profile, unless your environment names one: local '
                          '(one machine), vehicle (several hosts) or none.'),
}


def parameters(values: Mapping[str, str]) -> dict[str, Any]:
    """Return the node's parameters with their types.

    :param values: the string of every argument.
    """
    return {row.name: type(row.default)(values[row.name]) for row in PARAMETERS}
