"""Properties of this machine's processor, and the C++ compiler."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import shutil
from pathlib import Path

from rgb2swir_ros.errors import UserError

CPUINFO = Path('/proc/cpuinfo')
BFLOAT16_FLAGS = frozenset({'avx512_bf16', 'amx_bf16'})
COMPILERS = ('g++', 'clang++', 'c++')


@functools.lru_cache(maxsize=1)
def _cpuinfo() -> dict[str, str]:
    """Return the first processor's entries of /proc/cpuinfo; empty if there is no such file."""
    try:
        text = CPUINFO.read_text()
    except OSError:
        return {}
    pairs = (line.split(':', 1) for line in text.split('\n\n')[0].splitlines() if ':' in line)
    return {key.strip(): value.strip() for key, value in pairs}


def processor_name() -> str:
    """Return the processor's product name."""
    return _cpuinfo().get('model name') or platform.processor() or platform.machine()


def instruction_flags() -> frozenset[str]:
    """Return the instruction-set flags that the kernel reports (x86 and ARM alike)."""
    entries = _cpuinfo()
    return frozenset((entries.get('flags') or entries.get('Features') or '').split())


def processor_identity() -> str:
    """Return a short hash of architecture and instruction set: compiled code depends on both."""
    text = ' '.join([platform.machine(), *sorted(instruction_flags())])
    return f'{platform.machine()}-{hashlib.sha256(text.encode()).hexdigest()[:16]}'


def has_bfloat16() -> bool:
    """Return whether the processor multiplies bfloat16 natively; emulation is slow."""
    return bool(instruction_flags() & BFLOAT16_FLAGS)


def resolve_threads(threads: int) -> int:
    """Return the number of cores to use: ``threads``, or for 0 all that this process may use.

    :raises UserError: if it is negative or exceeds that number.
    """
    available = len(os.sched_getaffinity(0))
    if not 0 <= threads <= max(available, 1):
        raise UserError(f'threads {threads}: give 0 (all) to {available}, '
                        'the cores that this process may use')
    return threads or available


def find_compiler() -> str | None:
    """Return the path of the C++ compiler: ``$CXX`` if set, else g++, clang++ or c++; or None."""
    chosen = os.environ.get('CXX')
    for name in (chosen,) if chosen else COMPILERS:
        if path := shutil.which(name):
            return path
    return None


def waiting_environment() -> dict[str, str]:
    """Return environment variables for a process that runs an engine, to set before torch loads.

    By default, OpenMP threads spin at the end of each parallel loop. On an idle machine that
    saves microseconds. Beside a busy camera driver they take time from the thread that they wait
    for: measured on two loaded cores, an inference takes 541 ms with spinning and 119 ms with
    sleeping threads. A value that the user has set is kept.
    """
    return {'OMP_WAIT_POLICY': os.environ.get('OMP_WAIT_POLICY', 'passive')}
