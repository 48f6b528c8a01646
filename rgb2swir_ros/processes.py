"""Start Python processes of this package, whatever files are in the current folder.

``python -m MODULE`` looks for modules in the current folder first, so that a ``queue.py`` there
hides the standard library's. Python 3.11 has ``-P`` against that, 3.10 has nothing. So a process
of the package starts with this file as a script. It corrects the module path, using built-in
modules only, and then runs the module.
"""

from __future__ import annotations

import os
import sys

PACKAGE = 'rgb2swir_ros'
PARENT_OPTION = '--end-with='
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def python_command(module: str, *words: str, unbuffered: bool = False,
                   parent_death_signal: bool = False) -> list[str]:
    """Return the command that runs a module of this package, of this installation.

    The process finds modules in the standard library first, then in ``PYTHONPATH`` and the
    environment's packages, and last in the current folder if ``PYTHONPATH`` names it.

    :param words: the module's arguments.
    :param unbuffered: as ``python -u``.
    :param parent_death_signal: let Linux send the process SIGTERM when the calling thread
        ends, however it ends; without effect on other systems.
    """
    option = [f'{PARENT_OPTION}{os.getpid()}'] if parent_death_signal else []
    return [sys.executable, *(['-u'] if unbuffered else []), os.path.abspath(__file__), *option,
            module, *words]


def safe_path(entries: list[str], script_folder: str, current_folder: str) -> list[str]:
    """Return a module path on which nothing hides the standard library.

    :param entries: `sys.path` at the start of a script.
    :param script_folder: the entry that Python adds for the script; it is left out.
    :param current_folder: moved to the end, if ``PYTHONPATH`` names it (an empty part does).
    """
    if entries and os.path.realpath(entries[0]) == os.path.realpath(script_folder):
        entries = entries[1:]
    library = os.path.dirname(os.path.realpath(os.__file__))
    ranked = []
    for entry in entries:
        place = os.path.realpath(entry)
        if place in (library, os.path.join(library, 'lib-dynload')) or entry.endswith('.zip'):
            ranked.append((0, entry))
        else:
            ranked.append((2 if place == os.path.realpath(current_folder) else 1, entry))
    return [entry for _, entry in sorted(ranked, key=lambda pair: pair[0])]


def main() -> None:
    """Correct the module path and run the module that the arguments name."""
    folder = os.path.dirname(os.path.abspath(__file__))
    root = os.path.dirname(folder)
    sys.path[:] = safe_path(sys.path, folder, os.getcwd())
    # The package is that of this file, so that parent and child run the same code. It goes last,
    # since a checkout has other folders beside it
    sys.path.insert(0, root)
    __import__(PACKAGE)
    del sys.path[0]
    if root not in sys.path:
        sys.path.append(root)
    words = sys.argv[1:]
    if words and words[0].startswith(PARENT_OPTION):
        _end_with(int(words.pop(0)[len(PARENT_OPTION):]))
    if not words:
        sys.exit(f'{PACKAGE} starts its processes with this file; it is no command')
    import runpy
    sys.argv = words
    runpy.run_module(words[0], run_name='__main__', alter_sys=True)


def _end_with(parent: int) -> None:
    """Ask the kernel for SIGTERM when the parent ends; exit if it has ended already."""
    import ctypes
    import signal
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    except (OSError, AttributeError):  # not Linux
        return
    if os.getppid() != parent:
        sys.exit('the process that started this one is gone')


if __name__ == '__main__':
    main()
