"""``python -m rgb2swir_ros.demo.leash MODULE WORDS...``: run a module, and end with the demo.

Linux sends the process SIGTERM when the demo dies, even by SIGKILL; elsewhere it does nothing.
"""

from __future__ import annotations

import contextlib
import ctypes
import runpy
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Set the parent's death signal and become the module."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    module, sys.argv = sys.argv[1], sys.argv[1:]
    runpy.run_module(module, run_name='__main__', alter_sys=True)


if __name__ == '__main__':
    main()
