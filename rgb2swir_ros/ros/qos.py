"""Quality of service: profiles, overrides by parameters, and events where they are supported."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from rclpy.node import Node
from rclpy.qos import (
    HistoryPolicy,
    QoSPolicyKind,
    QoSProfile,
    ReliabilityPolicy,
    qos_policy_name_from_kind,
)
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription

try:
    from rclpy.event_handler import (
        PublisherEventCallbacks,
        SubscriptionEventCallbacks,
        UnsupportedEventTypeError,
    )
except ImportError:  # Humble
    from rclpy.qos_event import (
        PublisherEventCallbacks,
        SubscriptionEventCallbacks,
        UnsupportedEventTypeError,
    )

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.ros.topics import Topic

# Policies that parameters override; a deadline is in nanoseconds there.
POLICIES = tuple(QoSPolicyKind[name] for name in (
    'HISTORY', 'DEPTH', 'RELIABILITY', 'DURABILITY', 'DEADLINE'))
# Deep enough for a burst, too shallow for the middleware to act as a second mailbox.
INPUT = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=5,
                   reliability=ReliabilityPolicy.BEST_EFFORT)
OUTPUT = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=3,
                    reliability=ReliabilityPolicy.RELIABLE)


def with_info(receive: Callable[[Any, Mapping[str, Any]], None]) -> Callable[..., None]:
    """Return the callback of a subscription that takes a message and its MessageInfo.

    MessageInfo has the sequence number. Where rclpy passes none (Humble) it is empty.
    """
    if hasattr(Subscription, 'CallbackType'):
        return receive
    return lambda message: receive(message, {})


def override(topic: Topic, entity: str, policy: str) -> str:
    """Return the name of the parameter that overrides a policy, as rclpy declares it.

    :param entity: ``subscription`` or ``publisher``.
    :param policy: one of ``POLICIES`` in lower case, such as ``reliability``.
    """
    return f'qos_overrides.{topic.name}.{entity}.{policy}'


def subscribe(node: Node, kind: type, topic: Topic, callback: Callable[..., None],
              **events: Callable[[Any], None]) -> Any:
    """Create a best-effort subscription; parameters may override its profile.

    :param events: callbacks by event: ``incompatible_qos``, ``message_lost``, ``matched``;
        those that this distribution or middleware lacks are ignored.
    :raises UserError: if an override is wrong.
    """
    def create(callbacks: Any) -> Any:
        return node.create_subscription(
            kind, topic.unresolved, callback, _copy(INPUT), event_callbacks=callbacks,
            qos_overriding_options=QoSOverridingOptions(POLICIES))
    return _create(create, SubscriptionEventCallbacks, _overrides(node, topic, 'subscription'),
                   events)


def advertise(node: Node, kind: type, topic: Topic, *, profile: QoSProfile = OUTPUT,
              **events: Callable[[Any], None]) -> Any:
    """Create a reliable publisher; parameters may override its profile.

    :param profile: another one.
    :param events: callbacks by event: ``incompatible_qos``, ``matched``, ``deadline``,
        ``liveliness``.
    :raises UserError: if an override is wrong.
    """
    def create(callbacks: Any) -> Any:
        return node.create_publisher(
            kind, topic.unresolved, _copy(profile), event_callbacks=callbacks,
            qos_overriding_options=QoSOverridingOptions(POLICIES))
    return _create(create, PublisherEventCallbacks, _overrides(node, topic, 'publisher'), events)


def policy_name(event: Any) -> str:
    """Return the name of the policy in an incompatible-QoS event."""
    try:
        return str(qos_policy_name_from_kind(event.last_policy_kind))
    except (AttributeError, ValueError, KeyError):
        return 'unknown policy'


def advice(topic: Topic, entity: str, event: Any) -> str:
    """Return the remedy for an incompatible-QoS event: the parameter to set.

    :param entity: ``subscription`` or ``publisher``, this node's entity.
    """
    policy = policy_name(event)
    if policy not in {kind.name for kind in POLICIES}:
        return f'change {policy} in the other node; no parameter changes it here'
    return f"set the parameter '{override(topic, entity, policy.lower())}'"


def _overrides(node: Node, topic: Topic, entity: str) -> list[str]:
    """Return the overrides that are given for a topic, as ``name: value``."""
    start = override(topic, entity, '')
    given = {name: parameter.value for name, parameter in sorted(
        getattr(node, '_parameter_overrides', {}).items()) if name.startswith(start)}
    # an empty list has no type, so rclpy drops it
    return [f'{name}: {[] if value is None else value!r}' for name, value in given.items()]


def _create(create: Callable[[Any], Any], container: type, given: list[str],
            events: dict[str, Callable[[Any], None]]) -> Any:
    known = inspect.signature(container.__init__).parameters  # type: ignore[misc]
    try:
        try:
            return create(container(**{k: v for k, v in events.items() if k in known}))
        except UnsupportedEventTypeError:  # another middleware
            return create(container())
    except Exception as error:
        if not given:
            raise
        text = ' '.join(str(error).split()) or type(error).__name__
        raise UserError(f"parameter {'; '.join(given)} is wrong: {text}") from None


def _copy(profile: QoSProfile) -> QoSProfile:
    # rclpy writes overrides into the profile that it is given.
    return QoSProfile(
        history=profile.history, depth=profile.depth, reliability=profile.reliability,
        durability=profile.durability, deadline=profile.deadline, liveliness=profile.liveliness,
        liveliness_lease_duration=profile.liveliness_lease_duration)
