"""Exclusive ROS domains, which isolate concurrent demos, benches and tests on one machine."""

from __future__ import annotations

import errno
import fcntl
import os
import tempfile
from pathlib import Path

from rgb2swir_ros.errors import UserError

# 0 is the default of ROS; above 101 the ports collide with ephemeral ports on some platforms.
DOMAINS = range(1, 102)
_claimed: dict[int, int] = {}  # descriptors that hold the locks until this process ends


def claim_domain(directory: Path | None = None) -> int:
    """Claim an unclaimed ROS domain until `release_domain`, and return it.

    The claim is a lock on a file, which the kernel releases when the process ends. It applies
    only between callers of this function, not to domains that are set by hand.

    :param directory: folder of the lock files; by default in the folder for temporary files.
    :raises UserError: if all domains are taken, or no file can be made.
    """
    folder = directory or Path(tempfile.gettempdir(), 'rgb2swir_ros_domains')
    try:
        folder.mkdir(mode=0o777, exist_ok=True)
        for number in range(len(DOMAINS)):
            # Start at a number that differs between processes, to avoid contention for one file
            domain = DOMAINS[(os.getpid() + number) % len(DOMAINS)]
            if (descriptor := _lock(folder / str(domain))) is not None:
                _claimed[domain] = descriptor
                return domain
    except OSError as error:
        raise UserError(f"'{folder}' cannot be used to claim a ROS domain: {error}") from error
    raise UserError(f"all ROS domains from {DOMAINS[0]} to {DOMAINS[-1]} are claimed "
                    f"(locks in '{folder}'): end what runs there")


def release_domain(domain: int) -> None:
    """Release a claimed domain."""
    os.close(_claimed.pop(domain))


def _lock(path: Path) -> int | None:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except PermissionError:  # another user's
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            raise
        return None
    return descriptor
