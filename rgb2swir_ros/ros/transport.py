"""Fast DDS profiles, ROS environments, and checks of shared memory and security."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.resources import share_directory

# The first name is read by Fast DDS 2 (Humble, Jazzy), the second by Fast DDS 3 (Kilted, Lyrical).
PROFILE_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
PROFILES = ('local', 'vehicle')
# Prefixes of the variables of ROS 2 and its middlewares.
MIDDLEWARE = ('ROS_', 'RMW_', 'RCL_', 'RCUTILS_', 'FASTRTPS_', 'FASTDDS_', 'CYCLONEDDS_',
              'ZENOH_', 'NDDS', 'RTI_', 'CONNEXT', 'GURUM', 'SKIP_DEFAULT_XML')
# Variables that a local environment keeps: where ROS is installed and where it logs.
KEPT = ('ROS_DISTRO', 'ROS_VERSION', 'ROS_PYTHON_VERSION', 'ROS_ETC_DIR', 'ROS_HOME',
        'ROS_LOG_DIR', 'ROS_DOMAIN_ID')
SEGMENT_BYTES = 128 * 2**20  # segment_size in both profiles; a test compares


def profile_path(name: str = 'local') -> Path:
    """Return the path of a bundled Fast DDS profile.

    :param name: ``local`` (one machine, UDP on loopback) or ``vehicle`` (several hosts).
    :raises UserError: if there is no such profile.
    """
    if name not in PROFILES:
        raise UserError(f"no transport profile '{name}': choose one of {', '.join(PROFILES)}")
    return share_directory() / 'config' / f'fastdds_{name}.xml'


def profile_in_use(environment: Mapping[str, str] | None = None) -> str:
    """Return the profile file that the environment names, or '' if it names none."""
    environment = os.environ if environment is None else environment
    return next((environment[name] for name in PROFILE_VARIABLES if environment.get(name)), '')


def profile_environment(
    name: str = 'local', environment: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the variables that select a profile; empty if the user has set one.

    :param name: ``local`` or ``vehicle``.
    :param environment: the user's environment; by default this process's.
    """
    if profile_in_use(environment):
        return {}
    path = str(profile_path(name))
    return dict.fromkeys(PROFILE_VARIABLES, path)


def local_environment(
    base: Mapping[str, str] | None = None, domain_id: int | None = None,
) -> dict[str, str]:
    """Return the environment for ROS processes that communicate on this machine only.

    The user's settings of ROS, its middleware and its logging (another RMW, a discovery server, a
    profile for one network card, security) are for the user's own system and are removed. The
    variables in ``KEPT`` stay.

    :param base: the environment to start from; by default this process's.
    :param domain_id: the ROS domain, 0..101; by default the one in ``base``.
    """
    base = os.environ if base is None else base
    environment = {name: value for name, value in base.items()
                   if name in KEPT or not name.startswith(MIDDLEWARE)}
    environment['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'  # Jazzy and later
    if environment.get('ROS_DISTRO') == 'humble':  # Jazzy warns about it, even if it is 0
        environment['ROS_LOCALHOST_ONLY'] = '1'
    environment.update(profile_environment('local', environment))
    environment['SKIP_DEFAULT_XML_FILE'] = '1'  # a profile file in the current folder
    if domain_id is not None:
        environment['ROS_DOMAIN_ID'] = str(domain_id)
    return environment


def security_problem(environment: Mapping[str, str] | None = None) -> str:
    """Return why security is enabled but cannot work, or '' if there is no problem.

    With ``ROS_SECURITY_STRATEGY=Enforce`` no node starts then, and rcl reports ``error not set``;
    otherwise rcl continues without security and without a message.
    """
    environment = os.environ if environment is None else environment
    if environment.get('ROS_SECURITY_ENABLE') != 'true':
        return ''
    keystore = environment.get('ROS_SECURITY_KEYSTORE', '')
    way_out = ('create one with `ros2 security create_keystore`, or unset ROS_SECURITY_ENABLE')
    if not keystore:
        return ('ROS_SECURITY_ENABLE is true, but ROS_SECURITY_KEYSTORE names no keystore: '
                f'set it, {way_out}')
    if not (Path(keystore) / 'enclaves').is_dir():
        return (f'ROS_SECURITY_ENABLE is true, but ROS_SECURITY_KEYSTORE={keystore} has no '
                f'folder enclaves: {way_out}')
    return ''


def loss_advice() -> str:
    """Return the remedy for frames that the middleware loses."""
    path = profile_in_use() or str(profile_path('local'))
    own = '' if profile_in_use() else 'this node and '
    return (f'start {own}the camera driver with the large shared-memory profile: '
            f'export {PROFILE_VARIABLES[0]}={path}')


def shared_memory_shortage(
    directory: str = '/dev/shm', needed: int = SEGMENT_BYTES,
) -> str | None:
    """Return a warning if this machine's shared memory is too small for the profile, or None.

    :param directory: the mount of POSIX shared memory.
    :param needed: bytes that one sending process takes.
    """
    try:
        usage = shutil.disk_usage(directory)
    except OSError as error:
        return f'no shared memory at {directory} ({error}): large frames will be lost'
    if usage.total >= 2 * needed and usage.free >= needed:
        return None
    stale = sum(path.stat().st_blocks * 512 for path in stale_segments(directory))
    left = (f'; {stale / 2**20:.0f} MB are left by killed ROS processes, remove them with '
            "'fastdds shm clean'") if stale > 2**20 else ''
    return (f'{directory} has {usage.free / 2**20:.0f} of {usage.total / 2**20:.0f} MB free, but '
            f'each sender of images takes {needed / 2**20:.0f} MB: large frames may be lost; '
            'enlarge it (docker run --shm-size=1g, or mount -o remount,size=1G /dev/shm)'
            + left)


def stale_segments(directory: str | Path = '/dev/shm') -> list[Path]:
    """Return the shared-memory segments of Fast DDS whose process was killed.

    They take memory until they are removed. A running owner holds a lock on the file with the
    suffix ``_el``; ``fastdds shm clean`` uses the same criterion.

    :param directory: the mount of POSIX shared memory.
    """
    stale = []
    for path in Path(directory).iterdir():
        if not re.fullmatch(r'fast(rtps|dds)_[0-9a-f]{16}', path.name):
            continue
        try:
            # a segment is created before its owner takes the lock
            if time.time() - path.stat().st_mtime > 2 and not _locked(Path(f'{path}_el')):
                stale.append(path)
        except OSError:  # removed meanwhile, or another user's
            continue
    return stale


def remove_stale_segments(directory: str | Path = '/dev/shm') -> int:
    """Remove the shared-memory segments of killed processes, and return the bytes freed.

    :param directory: the mount of POSIX shared memory.
    """
    freed = 0
    for path in stale_segments(directory):
        with contextlib.suppress(OSError):
            size = path.stat().st_blocks * 512
            path.unlink()
            freed += size
            Path(f'{path}_el').unlink(missing_ok=True)
    return freed


def _locked(path: Path) -> bool:
    if not path.exists():
        return False
    with path.open('rb') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
