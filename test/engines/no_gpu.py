"""Stand-ins that let torch_tensorrt build engines on a machine without a GPU. All of them.

torch_tensorrt's converters, decompositions and lowering passes run as they are, and so does the
compiler of TensorRT for RTX, which takes the names of GPUs where others look for one. What asks
for a GPU, or for a library that only a GPU needs, is answered here, each with its reason. Nothing
here changes what is converted or how it is compiled.

`import_torch_tensorrt` spoils a process for anything else: only scripts in a process of their own
may call it.
"""

from __future__ import annotations

import contextlib
import importlib.machinery
import importlib.metadata
import os
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import torch

CAPABILITY = (8, 7)  # an Orin's: no wider choice of types than its users have
ORIN_TENSORRT = '10.3.0'  # JetPack 6


def import_torch_tensorrt(registry: Path, compiler: Path) -> types.ModuleType:
    """Import torch_tensorrt from one folder and TensorRT for RTX from another.

    :param registry: with torch_tensorrt as pip unpacks its wheel.
    :param compiler: with the libraries and bindings of TensorRT for RTX.
    :return: torch_tensorrt, which sees the compiler as its TensorRT.
    """
    sys.path[:0] = [str(registry), str(compiler)]
    version = importlib.metadata.version('torch_tensorrt')
    rtx = _name_tensorrt(version)
    _answer_for_cuda()
    if version.startswith('2.8.'):
        _be_an_orin()
    with _without_runtime_library():
        import torch_tensorrt
    found = Path(torch_tensorrt.__file__)
    assert found.is_relative_to(registry.resolve()), found
    from torch_tensorrt.dynamo.conversion._TRTInterpreter import TRTInterpreter
    if version.startswith('2.8.'):
        _be_no_older_than_rtx(TRTInterpreter, rtx)
    else:
        _do_not_open_engines()
    return torch_tensorrt


def _name_tensorrt(version: str) -> types.ModuleType:
    """Give TensorRT for RTX the name that torch_tensorrt imports.

    torch_tensorrt-rtx does the same, by the name of the distribution that it came in; the plain
    wheel of other versions never looks for it.
    """
    import tensorrt_rtx_bindings as rtx
    module = types.ModuleType('tensorrt')
    module.__dict__.update({name: value for name, value in vars(rtx).items()
                            if not name.startswith('__') or name == '__version__'})
    module.__spec__ = importlib.machinery.ModuleSpec('tensorrt', None)
    module.__path__ = []
    module._package_name, module.tensorrt = 'tensorrt_rtx', rtx.tensorrt_rtx
    proxy = types.ModuleType('torch_tensorrt._TensorRTProxyModule')
    proxy.package_name = 'tensorrt_rtx'
    sys.modules.update({'tensorrt': module, 'tensorrt.tensorrt': module.tensorrt,
                        proxy.__name__: proxy})
    return module


def _answer_for_cuda() -> None:
    """Answer what is asked about the GPU: which one it is, and whether its memory suffices."""
    torch.cuda.get_device_capability = lambda *_: CAPABILITY
    torch.cuda.get_device_properties = lambda *_: types.SimpleNamespace(
        major=CAPABILITY[0], minor=CAPABILITY[1], name='none', total_memory=8 << 30)
    torch.cuda.current_device = lambda: 0
    torch.cuda.get_device_name = lambda *_: 'none'
    torch.cuda.mem_get_info = lambda *_: (8 << 30, 8 << 30)
    if not hasattr(torch._C, '_CudaDeviceProperties'):  # a type in an annotation
        torch._C._CudaDeviceProperties = object


@contextlib.contextmanager
def _without_runtime_library() -> Iterator[None]:
    """Hide the library that runs engines: it is linked against torch with CUDA."""
    real = os.path.isfile
    os.path.isfile = lambda path: 'libtorchtrt' not in str(path) and real(path)
    try:
        yield
    finally:
        os.path.isfile = real


class _Bytes:
    """An engine that is not opened: its bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def serialize(self) -> bytes:
        return self.data


def _do_not_open_engines() -> None:
    """Leave an engine as bytes: opening needs a GPU, and is only for serializing it again."""
    from torch_tensorrt.dynamo.conversion import _TRTInterpreter

    class Runtime:
        def __init__(self, logger: object) -> None:
            pass

        def deserialize_cuda_engine(self, data: bytes) -> _Bytes:
            return _Bytes(data)

    _TRTInterpreter.trt.Runtime = Runtime


def _be_an_orin() -> None:
    """Have 2.8 choose its converters as on an Orin: it asks for the version of a package."""
    real = importlib.metadata.version
    importlib.metadata.version = (
        lambda name: ORIN_TENSORRT if name == 'tensorrt' else real(name))
    # a class that is gone from TensorRT, and stands in an annotation
    sys.modules['tensorrt'].IAlgorithmSelector = type('IAlgorithmSelector', (), {})


def _be_no_older_than_rtx(interpreter: type, rtx: types.ModuleType) -> None:
    """Leave out two things that 2.8 does and TensorRT for RTX does not know.

    It keeps no measured kernels, since it measures on the GPU that runs an engine; and types are
    always explicit, so that an output's cannot be set, only be right.
    """
    interpreter._create_timing_cache = interpreter._save_timing_cache = lambda *_, **__: None

    def output(self: object, target: str, args: tuple, kwargs: dict) -> list:
        outputs = args[0] if isinstance(args[0], (tuple, list)) else (args[0],)
        for number, (tensor, expected) in enumerate(
                zip(outputs, self.output_dtypes, strict=True)):
            tensor.name = f'output{number}'
            self.ctx.net.mark_output(tensor)
            self._output_names.append(tensor.name)
            assert tensor.dtype == expected.to(rtx.DataType, use_default=True), tensor.dtype
        return list(outputs)

    interpreter.output = output
