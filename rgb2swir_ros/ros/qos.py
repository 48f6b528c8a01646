"""Quality of service: profiles, overrides by parameters, events where there are any."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy, qos_policy_name_from_kind
from rclpy.qos_overriding_options import InvalidQosOverridesError, QoSOverridingOptions
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

# Deep enough for a burst, shallow enough that the middleware is no second mailbox.
INPUT = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=5,
                   reliability=ReliabilityPolicy.BEST_EFFORT)
OUTPUT = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=3,
                    reliability=ReliabilityPolicy.RELIABLE)


def has_message_info() -> bool:
    """Return whether this rclpy hands a message's sequence number to a callback that takes it."""
    return hasattr(Subscription, 'CallbackType')


def subscribe(node: Node, kind: type, topic: str, callback: Callable[..., None],
              **events: Callable[[Any], None]) -> Any:
    """Create a best-effort subscription whose profile parameters may override.

    :param events: callbacks by event: ``incompatible_qos``, ``message_lost``, ``matched``;
        those that this distribution or middleware lacks are left out.
    :raises UserError: if an override is wrong.
    """
    def create(callbacks: Any) -> Any:
        return node.create_subscription(
            kind, topic, callback, _copy(INPUT), event_callbacks=callbacks,
            qos_overriding_options=QoSOverridingOptions.with_default_policies())
    return _create(create, SubscriptionEventCallbacks, topic, events)


def advertise(node: Node, kind: type, topic: str, **events: Callable[[Any], None]) -> Any:
    """Create a reliable publisher whose profile parameters may override.

    :param events: callbacks by event: ``incompatible_qos``, ``matched``.
    :raises UserError: if an override is wrong.
    """
    def create(callbacks: Any) -> Any:
        return node.create_publisher(
            kind, topic, _copy(OUTPUT), event_callbacks=callbacks,
            qos_overriding_options=QoSOverridingOptions.with_default_policies())
    return _create(create, PublisherEventCallbacks, topic, events)


def policy_name(event: Any) -> str:
    """Return the policy that an incompatible-QoS event is about, in words."""
    try:
        return str(qos_policy_name_from_kind(event.last_policy_kind))
    except (AttributeError, ValueError, KeyError):
        return 'unknown policy'


def _create(create: Callable[[Any], Any], container: type, topic: str,
            events: dict[str, Callable[[Any], None]]) -> Any:
    known = inspect.signature(container.__init__).parameters  # type: ignore[misc]
    try:
        try:
            return create(container(**{k: v for k, v in events.items() if k in known}))
        except UnsupportedEventTypeError:  # another middleware
            return create(container())
    except (InvalidQosOverridesError, RuntimeError, TypeError, ValueError) as error:
        if 'qos' not in str(error).lower() and 'depth' not in str(error).lower():
            raise
        raise UserError(f"parameters 'qos_overrides' of {topic} are wrong: {error}") from None


def _copy(profile: QoSProfile) -> QoSProfile:
    # Overrides are written into the profile that is handed over.
    return QoSProfile(history=profile.history, depth=profile.depth,
                      reliability=profile.reliability)
