"""Responders: stand-ins for a system under test that answers each frame.

A responder of another package is a class like `Responder`, named by an entry point of the group
``rgb2swir_ros.responders``.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Protocol

import numpy as np

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.hil import plugins

GROUP = 'rgb2swir_ros.responders'
DETECTOR = 'detector'  # of the laboratory: the command line says where it is
OURS = {'brightness': 'rgb2swir_ros.hil.responders:BrightnessResponder'}


class Responder(Protocol):
    """What a responder is. It is made with ``monitor: options`` of the scenario, a mapping, and
    runs in a process of its own.

    :ivar message: the class of its messages, which begin with a header.
    """

    message: Any

    def respond(self, image: Any) -> Any:
        """Return the answer to a frame, or None for none.

        The answer gets the frame's header: by its stamp the monitor knows which one it answers.

        :param image: sensor_msgs/Image.
        """


class BrightnessResponder:
    """Answers with the mean of the pixels, in a DiagnosticArray: the smallest closed loop."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Prepare; there are no options."""
        from diagnostic_msgs.msg import DiagnosticArray
        if options:
            raise UserError(f"the responder 'brightness' has no options, but was given "
                            f"{', '.join(options)}")
        self.message = DiagnosticArray

    def respond(self, image: Any) -> Any:
        """Return the mean of the values."""
        from diagnostic_msgs.msg import DiagnosticStatus

        from rgb2swir_ros.ros.messages import key_values
        kind = np.uint16 if image.encoding == 'mono16' else np.uint8
        whole = len(image.data) // np.dtype(kind).itemsize * np.dtype(kind).itemsize
        values = np.frombuffer(image.data, kind, count=whole // np.dtype(kind).itemsize)
        mean = float(values.mean()) if len(values) else 0.0
        return self.message(status=[DiagnosticStatus(
            level=DiagnosticStatus.OK, name='brightness', message=f'{mean:.1f}',
            values=key_values({'mean': mean}))])


def responder_kinds(joined: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return where each responder's class is, ``module:class``, by name; nothing is imported.

    :param joined: those that the caller knows.
    :raises UserError: if another package takes a name of ours.
    """
    found = {**OURS, **(joined or {})}
    for entry in plugins.entries_of(GROUP):
        if entry.name in (*OURS, DETECTOR):
            raise UserError(f"entry point '{entry.name} = {entry.value}' of {GROUP}: the name is "
                            'taken: choose another one')
        found[entry.name] = entry.value
    return found


def load_responder(place: str, options: Mapping[str, Any]) -> Responder:
    """Import a class and make a responder.

    :param place: ``module:class``.
    :raises UserError: if there is no such class, it is none of a responder, or its options are
        wrong.
    """
    module, _, name = place.partition(':')
    try:
        kind = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise UserError(f"the responder '{place}' cannot be loaded: {error}") from error
    try:
        made: Responder = kind(options)
    except TypeError as error:
        raise UserError(f"the responder '{place}' cannot be made: {error}") from error
    for part in ('respond', 'message'):
        if getattr(made, part, None) is None:
            raise UserError(f"'{place}' is no responder: it has no '{part}'")
    return made
