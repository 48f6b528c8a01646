"""Ask torch_tensorrt's real registry which operators of exported programs it cannot convert.

Usage: python converters.py REGISTRY PROGRAM.pt2 ...

REGISTRY is a folder with torch_tensorrt as pip unpacks its wheel (``make test`` makes one for
each version). Its registry of converters, decompositions and lowering passes are pure Python and
run as they are. Only what they import and cannot have here is replaced by inert stand-ins: the
TensorRT library, which is on no public registry, and questions to a GPU. So this shows that every
operator has a converter; it builds no engine and times nothing.

Prints one JSON object: ``version``, and under ``missing`` for each program the operators without
a converter. Runs in a process of its own, because the stand-ins would spoil any other.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import json
import sys
import types
from pathlib import Path

import torch


class Inert(type):
    """A class whose every attribute is another such class: enums, flags and types alike."""

    def __getattr__(cls, name: str) -> Inert:
        if name.startswith('__') or name == 'tensorrt_rtx':  # which would be another product
            raise AttributeError(name)
        made = Inert(name, (), {'__init__': lambda self, *_, **__: None})
        setattr(cls, name, made)
        return made

    def __int__(cls) -> int:
        return 0

    __index__ = __int__


class InertLibrary(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports an inert module for a library that is not here, and for all below it."""

    def __init__(self, name: str, version: str) -> None:
        self.name, self.version = name, version
        self.contents = Inert(name, (), {})
        setattr(self.contents, name, self.contents)  # tensorrt.tensorrt holds the same classes

    def find_spec(self, fullname, path=None, target=None):
        if fullname.split('.')[0] != self.name:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        module.__version__, module.__file__ = self.version, spec.name
        return module

    def exec_module(self, module):
        module.__getattr__ = lambda name: getattr(self.contents, name)


def import_torch_tensorrt(registry: Path) -> types.ModuleType:
    """Import torch_tensorrt from a folder, without its compiled runtime."""
    sys.path.insert(0, str(registry))
    sys.meta_path.insert(0, InertLibrary('tensorrt', '11.0.0'))
    torch.cuda.get_device_capability = lambda *_: (8, 7)  # an Orin's
    torch.cuda.get_device_properties = lambda *_: types.SimpleNamespace(name='none', major=8)
    torch.cuda.current_device = lambda: 0
    torch.cuda.get_device_name = lambda *_: 'none'
    if not hasattr(torch._C, '_CudaDeviceProperties'):
        torch._C._CudaDeviceProperties = object
    import os.path
    real = os.path.isfile
    os.path.isfile = lambda path: 'libtorchtrt' not in str(path) and real(path)
    try:
        import torch_tensorrt
    finally:
        os.path.isfile = real
    return torch_tensorrt


def unconvertible(program: torch.export.ExportedProgram) -> list[str]:
    """Return the operators of a program, as TensorRT would get it, that have no converter."""
    from torch_tensorrt.dynamo._settings import CompilationSettings
    from torch_tensorrt.dynamo.conversion import DYNAMO_CONVERTERS
    from torch_tensorrt.dynamo.lowering import (
        get_decompositions,
        post_lowering,
        pre_export_lowering,
    )
    settings = CompilationSettings(min_block_size=1, require_full_compilation=True)
    DYNAMO_CONVERTERS.set_compilation_settings(settings)
    lowered = pre_export_lowering(program, settings).run_decompositions(get_decompositions(False))
    graph = post_lowering(lowered.module(), settings).graph
    calls = [node for node in graph.nodes if node.op == 'call_function']
    assert calls, 'the program does nothing'
    return sorted({str(node.target) for node in calls if node not in DYNAMO_CONVERTERS})


if __name__ == '__main__':
    output, sys.stdout = sys.stdout, sys.stderr  # the package prints
    version = import_torch_tensorrt(Path(sys.argv[1])).__version__
    missing = {path: unconvertible(torch.export.load(path)) for path in sys.argv[2:]}
    print(json.dumps({'version': version, 'missing': missing}), file=output, flush=True)
