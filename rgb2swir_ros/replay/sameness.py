"""Hashes by which two runs are compared: one for each topic of a bag.

Two runs are the same if each topic has the same messages, each once: (topic, record time, header
stamp, payload). A topic's hash is a chain over its messages in the order of writing, so that it
goes on after an interruption without a look at what was written before::

    h(0) = 32 zero bytes
    h(n) = SHA-256(h(n-1), length of the topic, topic, record time, header stamp, SHA-256(payload))

Numbers are little-endian, of 8 bytes, times signed and in nanoseconds. The stamp is 0 where the
type has no header that this package knows; it is part of the payload all the same.
"""

from __future__ import annotations

import hashlib
import struct

from rgb2swir_ros.replay.bag import stamp_ns
from rgb2swir_ros.replay.cameras import COMPRESSED, INFO, RAW
from rgb2swir_ros.replay.run_record import TopicDigest

STAMPED = frozenset({RAW, COMPRESSED, INFO})
START = '0' * 64


def extend(digest: TopicDigest, topic: str, msgtype: str, log_ns: int, payload: bytes) -> None:
    """Add a message to a topic's hash.

    :param digest: of the messages before it; changed in place.
    """
    name = topic.encode()
    stamp = stamp_ns(payload) if msgtype in STAMPED and len(payload) >= 12 else 0
    before = bytes.fromhex(digest.sha256 or START)
    head = struct.pack('<Q', len(name)) + name + struct.pack('<qq', log_ns, stamp)
    digest.sha256 = hashlib.sha256(before + head + hashlib.sha256(payload).digest()).hexdigest()
    digest.messages += 1
