"""Build engines of exported programs with the compiler of TensorRT for RTX, without a GPU.

Usage: python build_engines.py REGISTRY COMPILER < JOBS

REGISTRY is a folder with torch_tensorrt as pip unpacks its wheel, COMPILER one with TensorRT for
RTX (``make test`` makes both). JOBS are lines of JSON, {"program": PATH.pt2, "capabilities":
["SM86", ...]}, taken as they come. Prints a line of JSON with ``version`` of torch_tensorrt and
``compiler``, and one for each job: either ``error`` and ``missing`` (operators without a
converter), or

- ``layers`` of the network that the compiler is given, ``operations`` that it makes of them: the
  kernels that run one after the other, without the waits between streams;
- ``engine_bytes``, ``activation_bytes`` (what it needs of the GPU's memory beside its weights);
- ``products``: kind, type and module (as a path in the model) of each matrix product and
  convolution of the network.

Proves conversion, types, fusion and memory: not kernels, which are chosen on the GPU, nor
numerics, nor speed. Runs in a process of its own: see ``no_gpu.py``.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parent))
from no_gpu import import_torch_tensorrt

from rgb2swir_ros.engines.tensorrt import compile_arguments

# of a network's layers, those that multiply matrices; an attention is two products
PRODUCTS = {'CONVOLUTION', 'DECONVOLUTION', 'MATRIX_MULTIPLY', 'EINSUM', 'ATTENTION_INPUT'}
# what torch_tensorrt calls a layer: [kind]-[operator]-[module/node]
LAYER_NAME = re.compile(r'\[[^]]*\]-\[[^]]*\]-\[(?:(?P<module>[^]/]*)/)?[^]]*\]')
OPTIMIZATION_LEVEL = 3


class Log(logging.Handler):
    """What the compiler says of an engine that it has made, or why it made none."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.clear()

    def clear(self) -> None:
        self.facts: dict[str, int] = {}
        self.errors: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.levelno >= logging.ERROR:
            self.errors.append(text)
        elif found := re.match(r'Total Activation Memory: (\d+) bytes', text):
            self.facts['activation_bytes'] = int(found[1])
        elif text.startswith('Layers:\n'):
            kinds = re.findall(r'^Name: .*?, LayerType: (\w+),', text, re.MULTILINE)
            self.facts['operations'] = sum(kind not in ('signal', 'wait') for kind in kinds)


def listen() -> Log:
    """Return a log of the compiler's messages."""
    log = Log()
    messages = logging.getLogger('torch_tensorrt [TensorRT Conversion Context]')
    messages.addHandler(log)
    messages.setLevel(logging.DEBUG)
    messages.propagate = False
    return log


class Observer:
    """Names the GPUs to a build, and looks at the network that it is given."""

    def __init__(self, tensorrt: Any) -> None:
        self.tensorrt = tensorrt
        self.capabilities: list[str] = []
        self.facts: dict[str, Any] = {}
        self._build = tensorrt.Builder.build_serialized_network

        def observed(builder: Any, network: Any, config: Any) -> Any:
            return self.build(builder, network, config)

        tensorrt.Builder.build_serialized_network = observed

    def build(self, builder: Any, network: Any, config: Any) -> Any:
        layers = [network.get_layer(number) for number in range(network.num_layers)]
        self.facts = {'layers': len(layers), 'products': [
            (layer.type.name, layer.get_input(0).dtype.name, module_of(layer.name))
            for layer in layers if layer.type.name in PRODUCTS]}
        # without a GPU the compiler must be told for which ones it builds
        config.num_compute_capabilities = len(self.capabilities)
        for number, name in enumerate(self.capabilities):
            config.set_compute_capability(
                getattr(self.tensorrt.ComputeCapability, name), number)
        config.profiling_verbosity = self.tensorrt.ProfilingVerbosity.DETAILED
        return self._build(builder, network, config)


def module_of(layer: str) -> str:
    """Return the path of the module that a layer computes a part of; '' if it is not known.

    torch_tensorrt gives the layers of an attention no name.
    """
    found = LAYER_NAME.match(layer)
    return (found['module'] or '') if found else ''


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


def build(torch_tensorrt: Any, job: dict[str, Any], log: Log, observer: Observer,
          timings: Path) -> dict[str, Any]:
    """Build one engine and return what is known of it: see the top of this file."""
    log.clear()
    observer.facts, observer.capabilities = {}, job['capabilities']
    program = torch.export.load(job['program'])
    [example] = program.example_inputs[0]
    try:
        engine = torch_tensorrt.dynamo.convert_exported_program_to_serialized_trt_engine(
            program, arg_inputs=(example,),
            **compile_arguments(torch_tensorrt.__version__, OPTIMIZATION_LEVEL, timings))
    except Exception as error:
        return {'error': '\n'.join([f'{type(error).__name__}: {error}', *log.errors]),
                'missing': unconvertible(torch.export.load(job['program']))}
    return {'engine_bytes': len(engine), **observer.facts, **log.facts}


def main() -> None:
    """Build all and print."""
    warnings.simplefilter('ignore')
    output, sys.stdout = sys.stdout, sys.stderr  # the packages print
    torch_tensorrt = import_torch_tensorrt(Path(sys.argv[1]), Path(sys.argv[2]))
    tensorrt = sys.modules['tensorrt']
    log, observer = listen(), Observer(tensorrt)
    logging.getLogger('torch_tensorrt').setLevel(logging.ERROR)
    print(json.dumps({'version': torch_tensorrt.__version__, 'compiler': tensorrt.__version__}),
          file=output, flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        for line in sys.stdin:
            built = build(torch_tensorrt, json.loads(line), log, observer,
                          Path(scratch) / 'timings')
            print(json.dumps(built), file=output, flush=True)


if __name__ == '__main__':
    main()
