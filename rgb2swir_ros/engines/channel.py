"""Messages and shared memory between the engine process and its client. Imports no torch.

Messages are JSON objects, one per packet, over a pair of SOCK_SEQPACKET sockets: a packet arrives
whole or not at all, and the end of file arrives as soon as the other process has died. Pixels are
in anonymous shared memory (memfd), whose descriptor is sent over the same socket: it has no name,
so nothing is left after a crash.
"""

from __future__ import annotations

import array
import json
import mmap
import os
import socket
from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST_MESSAGE = 64 * 1024

Message = dict[str, Any]
Size = tuple[int, int]


class Slot:
    """Shared memory for one frame of one size, in and out.

    :ivar rgb: (H, W, 3), uint8: written by the client, read by the engine.
    :ivar radiance: (H, W), float32: written by the engine, read by the client.
    """

    def __init__(self, descriptor: int, size: Size) -> None:
        """Map the memory of a descriptor, which may be closed afterwards."""
        height, width = size
        self._map = mmap.mmap(descriptor, _slot_bytes(size))
        # radiance comes first: float32 needs an aligned address
        self.radiance: NDArray[np.float32] = np.frombuffer(
            self._map, np.float32, height * width).reshape(size)
        self.rgb: NDArray[np.uint8] = np.frombuffer(
            self._map, np.uint8, height * width * 3, height * width * 4).reshape(*size, 3)


def create_slot_memory(size: Size) -> int:
    """Return the descriptor of new anonymous memory for a `Slot`; the caller closes it."""
    descriptor = os.memfd_create('rgb2swir-frame', os.MFD_CLOEXEC)
    os.ftruncate(descriptor, _slot_bytes(size))
    return descriptor


def send(channel: socket.socket, message: Message, descriptor: int | None = None,
         flags: int = 0) -> None:
    """Send a message, with or without a descriptor.

    :param flags: of ``sendmsg``: with ``MSG_DONTWAIT`` it raises BlockingIOError if the other
        side does not read.
    :raises OSError: if the other side has closed the channel or died.
    """
    data = json.dumps(message).encode()
    rights = []
    if descriptor is not None:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [descriptor]))]
    channel.sendmsg([data], rights, socket.MSG_NOSIGNAL | flags)


def receive(channel: socket.socket) -> tuple[Message | None, int | None]:
    """Return the next message and the descriptor that was sent with it.

    :return: (None, None) if the other side has closed the channel or died.
    """
    space = socket.CMSG_SPACE(array.array('i', [0]).itemsize)
    try:
        data, ancillary, _, _ = channel.recvmsg(LARGEST_MESSAGE, space, socket.MSG_CMSG_CLOEXEC)
    except ConnectionError:
        return None, None
    descriptor = None
    for level, kind, content in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptor = array.array('i', content[:4])[0]
    return (json.loads(data), descriptor) if data else (None, None)


def _slot_bytes(size: Size) -> int:
    return size[0] * size[1] * 7
