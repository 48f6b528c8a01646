"""A ROS domain of one's own, for what must not hear others on this machine."""

from __future__ import annotations

import errno
import fcntl
import os
import tempfile
from pathlib import Path

from rgb2swir_ros.errors import UserError

# 0 is what everybody uses who sets none; above 101 the ports of some platforms run out.
DOMAINS = range(1, 102)
_claimed: dict[int, int] = {}  # descriptors whose locks last as long as this process


def claim_domain(directory: Path | None = None) -> int:
    """Return a ROS domain that nobody has claimed; it stays so until `release_domain`.

    The claim is a lock on a file, which the kernel lifts at the latest when the process ends.
    It keeps apart what asks for a domain in this way, not what has been given one by hand.

    :param directory: where the files are; by default the folder for temporary files.
    :raises UserError: if all domains are taken, or no file can be made.
    """
    folder = directory or Path(tempfile.gettempdir(), 'rgb2swir_ros_domains')
    try:
        folder.mkdir(mode=0o777, exist_ok=True)
        for number in range(len(DOMAINS)):
            # From a place that differs, so that few try the same file at the same moment
            domain = DOMAINS[(os.getpid() + number) % len(DOMAINS)]
            if (descriptor := _lock(folder / str(domain))) is not None:
                _claimed[domain] = descriptor
                return domain
    except OSError as error:
        raise UserError(f"'{folder}' cannot be used to claim a ROS domain: {error}") from error
    raise UserError(f"all ROS domains from {DOMAINS[0]} to {DOMAINS[-1]} are claimed "
                    f"(locks in '{folder}'): end what runs there")


def release_domain(domain: int) -> None:
    """Give a claimed domain back."""
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
