"""Faults: one file a family, one interface, and the table of all of them."""

from __future__ import annotations

from rgb2swir_ros.hil.faults import camera, host, message, optics, sensor, stream
from rgb2swir_ros.hil.faults.base import HOST, MESSAGE, POINTS, RADIANCE, RGB, Context, Fault
from rgb2swir_ros.hil.plugins import plugins

__all__ = ['HOST', 'MESSAGE', 'POINTS', 'RADIANCE', 'RGB', 'Context', 'Fault', 'fault_kinds']

GROUP = 'rgb2swir_ros.faults'
FAMILIES = (stream, camera, sensor, optics, message, host)


def fault_kinds() -> dict[str, type[Fault]]:
    """Return every kind of fault by name, those of the user's own packages last."""
    ours = {kind.kind: kind for family in FAMILIES for kind in family.KINDS}
    return plugins(GROUP, ours, Fault)
