"""Engine processes with a fake builder: they start at once, and have faults on request.

Real processes, real messages, real signals; only `engines.build` and `engines.arguments`, and
with them torch, are replaced, by a ``sitecustomize.py`` that the processes find on their path.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from .processes import Rig

SCRIPT = '''
import ctypes, json, os, signal, sys, time, types
import numpy as np
from rgb2swir_ros.errors import UserError

PLAN = json.loads(os.environ['STANDIN_PLAN'])
JOURNAL = os.environ['STANDIN_JOURNAL']


def note(*words):
    with open(JOURNAL, 'a') as journal:
        print(*words, file=journal)


def inject_fault(what):
    kind, _, value = what.partition(':')
    if kind == 'user':
        raise UserError(value)
    if kind == 'transient':
        from rgb2swir_ros.engines.base import TransientError
        raise TransientError(value)
    if kind == 'error':
        raise RuntimeError(value)
    if kind == 'sleep':
        time.sleep(float(value))
    if kind == 'hold':  # in native code, with Python's lock
        ctypes.PyDLL(None).usleep(int(float(value) * 1e6))
    if kind == 'die':
        os.kill(os.getpid(), signal.SIGKILL)


class Engine:
    def __init__(self, size):
        self.name = f'{size[1]}x{size[0]}'
        self.warm = 0

    def __call__(self, rgb):
        self.warm += 1
        if self.warm > 3:
            inject_fault(PLAN.get('infer ' + self.name, ''))
        return rgb[..., 0].astype(np.float32) / 255

    def __del__(self):
        try:
            note('freed', self.name)
        except Exception:
            pass

    def describe(self):
        return {'device': 'cpu'}


def open_engine(*, size, progress, **arguments):
    name = f'{size[1]}x{size[0]}'
    note('build', name, os.getpid())
    progress('building ' + name + ': step 1')
    inject_fault(PLAN.get('build ' + name, ''))
    return Engine(size)


build = types.ModuleType('rgb2swir_ros.engines.build')
build.open_engine = open_engine
arguments = types.ModuleType('rgb2swir_ros.engines.arguments')
arguments.check_arguments = lambda **_: inject_fault(PLAN.get('start', ''))
sys.modules |= {module.__name__: module for module in (build, arguments)}
'''


class StandIn:
    """Starts clients whose processes follow a plan of faults, and reads their journal."""

    def __init__(self, folder: Path, monkeypatch) -> None:
        self.folder, self._set = folder, monkeypatch.setenv
        (folder / 'sitecustomize.py').write_text(SCRIPT)
        self.journal = folder / 'journal'
        self.journal.touch()
        root = Path(__file__).parents[2]  # the package too: site does not know it yet
        self._set('PYTHONPATH', f'{folder}{os.pathsep}{root}', prepend=os.pathsep)
        self._set('STANDIN_JOURNAL', str(self.journal))

    def rig(self, plan: dict[str, str], **arguments) -> Rig:
        """Return a client whose processes do as planned.

        :param plan: of ``start``, ``build WxH`` and ``infer WxH`` to ``user:TEXT``,
            ``error:TEXT``, ``transient:TEXT``, ``sleep:SECONDS``, ``hold:SECONDS`` (with the
            global interpreter lock) or ``die:``.
        """
        self._set('STANDIN_PLAN', json.dumps(plan))
        return Rig('nano', None, **arguments)

    def replan(self, plan: dict[str, str]) -> None:
        """Change the plan for the processes that are started from now on."""
        self._set('STANDIN_PLAN', json.dumps(plan))

    def happened(self, word: str) -> list[str]:
        """Return the sizes of one kind of event in the journal, in order."""
        lines = [line.split() for line in self.journal.read_text().splitlines()]
        return [words[1] for words in lines if words[0] == word]
