"""Random draws that depend on nothing but what names them."""

from __future__ import annotations

import hashlib

import numpy as np


def seeded_generator(*names: object) -> np.random.Generator:
    """Return a generator that is independent of process, order of calls and machine.

    Its seed is a BLAKE2 hash of the names' texts, because Python's own hash differs between
    processes.

    :param names: such as seed, stamp and camera.
    """
    text = '/'.join(str(name) for name in names)
    digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
    return np.random.Generator(np.random.SFC64(int.from_bytes(digest, 'little')))
