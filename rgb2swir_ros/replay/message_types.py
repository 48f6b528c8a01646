"""The message types of ROS 2, once in a process."""

from __future__ import annotations

from functools import cache

from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore


@cache
def message_types() -> Typestore:
    """Return the types that come with ROS 2 Jazzy, which the whole process shares.

    For a type's first message rosbags generates and compiles code, a tenth of a second for an
    image, and keeps it in the store; so with a store for each bag every bag would pay for it.
    Nothing may register further types here: they would be known to every other bag.
    """
    return get_typestore(Stores.ROS2_JAZZY)
