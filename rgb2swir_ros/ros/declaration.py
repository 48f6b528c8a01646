"""Declare the table of parameters in rclpy, and read its values as settings."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Sequence
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import (
    InvalidParameterTypeException,
    InvalidParameterValueException,
    ParameterUninitializedException,
)
from rclpy.node import Node
from rclpy.parameter import Parameter as RclParameter

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.ros.parameters import (
    BY_NAME,
    LIVE,
    START,
    TABLE,
    Parameter,
    Settings,
    check,
)

# Declared by rclpy itself, or used by it.
FOREIGN = ('use_sim_time', 'start_type_description_service')
OVERRIDES = 'qos_overrides.'


def descriptor(row: Parameter) -> ParameterDescriptor:
    """Return what ``ros2 param describe`` shows of a parameter."""
    result = ParameterDescriptor(description=row.description, read_only=row.changes == START)
    if row.choices:
        result.additional_constraints = 'one of: ' + ', '.join(row.choices)
    elif row.changes not in (LIVE, START):
        result.additional_constraints = 'changes only while the node is unconfigured'
    if row.low is not None and row.high is not None:
        if isinstance(row.default, float):
            result.floating_point_range = [
                FloatingPointRange(from_value=row.low, to_value=row.high, step=0.0)]
        else:
            result.integer_range = [
                IntegerRange(from_value=int(row.low), to_value=int(row.high), step=row.step)]
    return result


def declare(node: Node) -> Settings:
    """Declare every parameter and return the checked values.

    :raises UserError: if a value from YAML or the command line is wrong; one line.
    """
    given = getattr(node, '_parameter_overrides', {})
    for row in TABLE:
        try:
            node.declare_parameter(row.name, row.default, descriptor(row))
        except (InvalidParameterTypeException, InvalidParameterValueException) as error:
            if row.name in given:  # `check` has a shorter text than rclpy
                check({row.name: given[row.name].value})
            raise UserError(f"parameter '{row.name}': {error}") from None
    return read(node)


def read(node: Node, changed: Sequence[RclParameter] = ()) -> Settings:
    """Return the settings that the node has, or would have after a change.

    :raises UserError: if they are wrong, alone or together.
    """
    values = {row.name: _value(node, row.name) for row in TABLE}
    values.update({parameter.name: parameter.value for parameter in changed})
    return check({name: list(value) if isinstance(value, Sequence) and name == 'cameras'
                  and not isinstance(value, str) else value for name, value in values.items()})


def _value(node: Node, name: str) -> Any:
    try:
        return node.get_parameter(name).value
    except ParameterUninitializedException:
        return []  # rclpy drops an empty list of YAML or the command line, which has no type


def watch(node: Node, *, configured: Callable[[], bool],
          apply: Callable[[Settings], None]) -> None:
    """Reject invalid changes of parameters with a reason, and apply valid ones.

    :param configured: whether the node is configured.
    :param apply: called with the new settings.
    """
    def refuse_or_accept(changed: Sequence[RclParameter]) -> SetParametersResult:
        ours = [parameter for parameter in changed if parameter.name in BY_NAME]
        try:
            for parameter in ours:
                if BY_NAME[parameter.name].changes != LIVE and configured():
                    raise UserError(
                        f"parameter '{parameter.name}' changes only while the node is "
                        'unconfigured: deactivate and clean it up first, or restart it')
            settings = read(node, ours)
            if ours and not after_set:
                apply(settings)
        except Exception as error:  # in rclpy it would end the process
            text = str(error) if isinstance(error, UserError) else (
                f'{type(error).__name__}: {error}')
            return SetParametersResult(successful=False, reason=text)
        return SetParametersResult(successful=True)

    # Humble has no callback after the change; there the settings are applied by the check.
    after_set: Any = getattr(node, 'add_post_set_parameters_callback', None)
    node.add_on_set_parameters_callback(refuse_or_accept)
    if after_set:
        after_set(lambda changed: apply(read(node)) if any(
            parameter.name in BY_NAME for parameter in changed) else None)


def unknown(names: Sequence[str]) -> list[str]:
    """Return a warning for each given parameter that the node does not have."""
    return [f"parameter '{name}' is unknown and ignored{_suggestion(name, BY_NAME)}"
            for name in sorted(names)
            if name not in BY_NAME and not name.startswith((*FOREIGN, OVERRIDES))]


def idle_overrides(names: Sequence[str], declared: Collection[str]) -> list[str]:
    """Return a warning for each given QoS override that applies to no topic of the node.

    :param names: parameters that were given.
    :param declared: parameters that the node has after its topics are created.
    """
    known = [name for name in declared if name.startswith(OVERRIDES)]
    return [f"parameter '{name}' does nothing: this node has no such topic or policy"
            f'{_suggestion(name, known)}'
            for name in sorted(names) if name.startswith(OVERRIDES) and name not in declared]


def _suggestion(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean '{close[0]}'?" if close else ''
