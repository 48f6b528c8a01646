"""Start Python processes of this package so that no stray file gets in their way.

``python -m MODULE`` looks for modules in the current folder first, so that a ``queue.py`` which
happens to lie there is taken for the standard library's. Python 3.11 has ``-P`` against that,
3.10 has nothing. So this very file is what a process of the package is started with, as a script:
it sets the path of modules right, with nothing but built-in modules, and then becomes the module.
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

    The process sees the standard library first, then what ``PYTHONPATH`` and the environment's
    packages hold, and the current folder only if ``PYTHONPATH`` names it, and last.

    :param words: the module's arguments.
    :param unbuffered: as ``python -u``.
    :param parent_death_signal: let Linux send the process SIGTERM when the calling thread
        ends, however it ends; without effect on other systems.
    """
    option = [f'{PARENT_OPTION}{os.getpid()}'] if parent_death_signal else []
    return [sys.executable, *(['-u'] if unbuffered else []), os.path.abspath(__file__), *option,
            module, *words]


def safe_path(entries: list[str], script_folder: str, current_folder: str) -> list[str]:
    """Return a path of modules on which nothing shadows the standard library.

    :param entries: `sys.path` as a script finds it.
    :param script_folder: what Python has put first for the sake of the script; left out.
    :param current_folder: goes last, where ``PYTHONPATH`` names it (an empty part does).
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
    """Set the path right and become the module that the arguments name."""
    folder = os.path.dirname(os.path.abspath(__file__))
    root = os.path.dirname(folder)
    sys.path[:] = safe_path(sys.path, folder, os.getcwd())
    # the package from where this file is, so that parent and child run the same code; then last,
    # since other things lie beside it in a checkout
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
    """Have the kernel send SIGTERM when the parent ends; end at once if it has ended already."""
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
