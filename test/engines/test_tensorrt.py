"""Decisions of the TensorRT backend, with a stand-in that records; no engine is built here."""

from __future__ import annotations

import ast
import sys
import types

import pytest
import torch

from rgb2swir_ros.engines import backends, build, tensorrt
from rgb2swir_ros.engines.base import CompileError, EngineSpec, Unavailable
from rgb2swir_ros.engines.build import open_engine
from rgb2swir_ros.engines.eager import EagerEngine
from rgb2swir_ros.engines.export import core_input
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.translator import Translator

from .registries import REGISTRIES, need_registry

SIZE = (32, 48)
# device cpu: the stand-in needs no GPU, and neither then does the model
SPEC = EngineSpec('tiny', *SIZE, 1, 'tensorrt', 'float16', 1, 'cpu', 4)


class Recorder:
    """A torch_tensorrt that writes down how it is used and writes a plain exported program."""

    def __init__(self, version):
        self.__version__ = version
        self.ENABLED_FEATURES = types.SimpleNamespace(torch_tensorrt_runtime=True)
        self.dynamo = types.SimpleNamespace(compile=self.compile)
        self.runtime = types.SimpleNamespace(
            set_cudagraphs_mode=lambda on: self.calls.append(('graphs', on)))
        self.calls, self.arguments, self.failure = [], {}, None

    def compile(self, program, **arguments):
        self.calls.append('compile')
        self.arguments = arguments
        self.dtypes = {value.dtype for value in program.state_dict.values()}
        with open(arguments['timing_cache_path'], 'ab') as timings:
            timings.write(b'+')
        if self.failure:
            raise self.failure
        return program

    def save(self, program, path, **arguments):
        self.calls.append('save')
        torch.export.save(program, path)


@pytest.fixture(scope='module')
def model(plain_model):
    """Of few layers: what they are makes no other decision, and each test exports them."""
    return plain_model


@pytest.fixture(scope='module')
def reference(model):
    return Translator.load(model)


@pytest.fixture
def fresh(monkeypatch):
    """Imports looked at anew, and a GPU that is there as far as anybody asks."""
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    tensorrt._import_once.cache_clear()
    yield monkeypatch
    tensorrt._import_once.cache_clear()


@pytest.fixture(params=['2.8.0a0', '2.13.0'])
def recorder(request, fresh):
    made = Recorder(request.param)
    fresh.setitem(sys.modules, 'torch_tensorrt', made)
    fresh.setitem(sys.modules, 'tensorrt', types.SimpleNamespace(__version__='10.3.0'))
    return made


def compiled(reference, folder, said=None):
    folder.mkdir(exist_ok=True)
    return tensorrt.compile_engine(reference, SPEC, folder, folder.parent / 'shared' / 'timings',
                                   (said if said is not None else []).append)


def test_what_each_version_is_told(recorder, reference, tmp_path):
    said = []
    file = compiled(reference, tmp_path / 'engine', said)
    assert recorder.calls == ['compile', 'save']
    assert file == tmp_path / 'engine' / 'engine.pt2'
    [example] = recorder.arguments.pop('arg_inputs')
    assert (example.shape, example.dtype) == ((1, 3, *SIZE), torch.float16)
    expected = {'min_block_size': 1, 'require_full_compilation': True, 'optimization_level': 4,
                'timing_cache_path': str(tmp_path / 'engine' / 'timings')}
    if recorder.__version__.startswith('2.8'):
        expected['use_explicit_typing'] = True
    assert recorder.arguments == expected
    assert recorder.dtypes == {torch.float16, torch.float32}  # trunk and head
    assert all('building tensorrt float16 48x32' in line for line in said)


def test_the_next_build_gets_the_timings_of_the_last(recorder, reference, tmp_path):
    for number in (1, 2):
        compiled(reference, tmp_path / f'engine{number}')
        assert (tmp_path / 'shared' / 'timings').read_bytes() == b'+' * number
        assert not (tmp_path / f'engine{number}' / 'timings').exists()


def test_a_failed_build_leaves_the_timings_alone(recorder, reference, tmp_path):
    compiled(reference, tmp_path / 'engine')
    recorder.failure = RuntimeError('no kernel\nand much more')
    with pytest.raises(CompileError, match=r'^RuntimeError: no kernel$'):
        compiled(reference, tmp_path / 'engine2')
    assert (tmp_path / 'shared' / 'timings').read_bytes() == b'+'


@pytest.mark.parametrize('version', REGISTRIES)
def test_every_argument_exists_in_the_real_package(version, tmp_path):
    folder = need_registry(version) / 'torch_tensorrt'
    told = tensorrt.compile_arguments(version, 3, tmp_path)
    assert {*told, 'arg_inputs'} <= parameters(folder / 'dynamo' / '_compiler.py', 'compile')
    assert 'arg_inputs' in parameters(folder / '_compile.py', 'save')
    assert 'mode' in parameters(folder / 'runtime' / '_cudagraphs.py', 'set_cudagraphs_mode')
    assert 'set_cudagraphs_mode' in (folder / 'runtime' / '__init__.py').read_text()


def parameters(file, function):
    """Names of a function's parameters; **kwargs is none, it would swallow anything."""
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return {a.arg for a in (*node.args.args, *node.args.kwonlyargs)}
    raise AssertionError(f'no {function} in {file}')


def test_opened_with_graphs_and_the_cast_outside(recorder, reference, tmp_path, frame, fresh):
    file = compiled(reference, tmp_path / 'engine')
    made = {}

    def engine(program, spec, facts, *, capture):
        made.update(program=program, capture=capture, facts=facts)
        return types.SimpleNamespace(warm_up=lambda: recorder.calls.append('warm up'))
    fresh.setattr(tensorrt, 'CudaEngine', engine)
    tensorrt.open_tensorrt(file, SPEC, {})
    assert recorder.calls[-2:] == [('graphs', True), 'warm up']
    assert made['capture'] is False  # TensorRT's own graphs
    assert made['facts'] == {'tensorrt': 'TensorRT 10.3.0'}
    pixels = torch.from_numpy(frame[None])
    with torch.no_grad():
        radiance, expected = made['program'](pixels), reference(pixels)
    assert radiance.shape == expected.shape == (1, *SIZE)
    assert (radiance - expected).abs().mean() * 255 < .5


def test_the_cast_keeps_every_level():
    levels = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16, 1).expand(1, 16, 16, 3)
    half = core_input(levels, torch.float16)
    assert half.is_contiguous()
    assert half.shape == (1, 3, 16, 16)
    assert (half[0, 0].double() * 255 - torch.arange(256).reshape(16, 16)).abs().max() < 1 / 16


def test_versions_for_the_manifest(recorder):
    assert tensorrt.tensorrt_versions() == {'torch_tensorrt': recorder.__version__,
                                            'tensorrt': 'TensorRT 10.3.0'}


def test_tensorrt_for_rtx_is_named(recorder, fresh, reference, tmp_path):
    fresh.setitem(sys.modules, 'tensorrt', types.SimpleNamespace(
        __version__='1.6.1.120', _package_name='tensorrt_rtx'))
    assert tensorrt.tensorrt_versions()['tensorrt'] == 'TensorRT for RTX 1.6.1.120'
    said = []
    compiled(reference, tmp_path / 'engine', said)
    assert any('TensorRT for RTX 1.6.1.120' in line for line in said)


@pytest.mark.parametrize(('version', 'expected'), [
    ('2.8.0a0+cu126', (2, 8)), ('2.13.0', (2, 13)), ('2.10', (2, 10)), ('3', (3, 0))])
def test_release(version, expected):
    assert tensorrt.release(version) == expected


def put_package(tmp_path, monkeypatch, text):
    (tmp_path / 'torch_tensorrt').mkdir()
    (tmp_path / 'torch_tensorrt' / '__init__.py').write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, 'torch_tensorrt', raising=False)


@pytest.mark.parametrize(('text', 'reason'), [
    ('raise FileNotFoundError("Could not find libnvinfer.so.10\\nSearched")',
     r'cannot be imported \(FileNotFoundError: Could not find libnvinfer.so.10\)$'),
    ('raise OSError("libcudart.so.13: cannot open")', r'OSError: libcudart'),
    ('import psutil_of_no_machine', 'psutil_of_no_machine is not installed'),
    ('__version__ = "2.3.0"', r'torch_tensorrt 2\.3\.0 is older than 2\.8'),
    ('__version__ = "2.13.0"\nclass ENABLED_FEATURES: torch_tensorrt_runtime = False',
     'has no runtime library'),
])
def test_a_package_that_cannot_be_used_counts_as_absent(fresh, tmp_path, capsys, text, reason):
    put_package(tmp_path, fresh, 'print("hello")\n' + text)
    for _ in range(2):  # the second time from memory
        with pytest.raises(Unavailable, match=reason) as caught:
            tensorrt.find_tensorrt()
    assert 'JetPack 6' in caught.value.remedy
    assert capsys.readouterr().out == ''  # standard output may be JSON


def test_without_a_gpu_the_package_is_not_even_imported(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    put_package(tmp_path, monkeypatch, 'raise SystemExit')
    with pytest.raises(Unavailable, match='TensorRT needs a GPU, and '):
        tensorrt.find_tensorrt()


def test_by_name_it_says_what_to_install(model, monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    with pytest.raises(UserError, match=r'cannot build the tensorrt engine: .* install torch, '):
        open_engine(model, SIZE, backend='tensorrt', threads=1)


class Compiling:
    """A backend that is there or not; its engines are eager ones."""

    def __init__(self, tried, name, problem=None, failure=None):
        self.tried, self.name, self.problem, self.failure = tried, name, problem, failure

    def versions(self):
        self.tried.append(self.name)
        if self.problem:
            raise Unavailable(self.problem, f'install {self.name}')
        return {'torch_tensorrt': None, 'tensorrt': None}

    def require_tools(self, device):
        self.device = device

    def compile(self, translator, spec, folder, shared, progress):
        if self.failure:
            raise self.failure
        self.spec, self.translator = spec, translator
        (folder / 'engine.pt2').write_bytes(b'engine')
        return folder / 'engine.pt2'

    def open(self, file, spec, facts=None):
        return EagerEngine(self.translator, spec, facts)


@pytest.fixture
def gpu(fresh, reference):
    """A machine whose GPU is its processor; gives a function that sets the backends."""
    facts = {'device_name': 'a GPU', 'device_capability': '8.7', 'cuda': '12.6'}
    fresh.setattr(build, 'device_facts', lambda _: facts)
    fresh.setattr(build, 'describe_device', lambda _: 'cuda (a GPU, 8.7)')
    fresh.setattr(build, 'open_eager_cuda', EagerEngine)
    tried = []

    def put(**found):
        for name, arguments in found.items():
            fresh.setitem(backends.COMPILING, name, Compiling(tried, name, **arguments))
        return tried
    return put


def open_auto(model, tmp_path, **arguments):
    return open_engine(model, SIZE, threads=1, cache=tmp_path / 'c', **arguments).describe()


def warnings_of(caplog):
    return [r.getMessage() for r in caplog.records if r.name == 'rgb2swir_ros.engines']


def test_auto_takes_tensorrt_in_half_precision(gpu, model, tmp_path, caplog):
    tried = gpu(tensorrt={}, inductor={})
    facts = open_auto(model, tmp_path, optimization_level=5)
    assert tried == ['tensorrt']
    assert (facts['backend'], facts['precision'], facts['device'], facts['optimization_level']) \
        == ('tensorrt', 'float16', 'cuda (a GPU, 8.7)', 5)
    assert open_auto(model, tmp_path, optimization_level=5)['from_cache']
    assert not open_auto(model, tmp_path, optimization_level=4)['from_cache']
    assert warnings_of(caplog) == []


@pytest.mark.parametrize(('tensorrt', 'inductor', 'backend', 'warned'), [
    ({'problem': 'no TensorRT'}, {}, 'inductor',
     ['no TensorRT, so the engine is compiled by TorchInductor: install tensorrt']),
    ({'failure': CompileError('no kernel')}, {}, 'inductor',
     ['compiling with tensorrt failed (no kernel), so the engine is compiled by TorchInductor: ']),
    ({'problem': 'no TensorRT'}, {'failure': CompileError('no triton')}, 'eager',
     ['no TensorRT, so the engine is compiled by TorchInductor: install tensorrt',
      'compiling with inductor failed (no triton), so the engine runs eagerly, layer by layer']),
])
def test_auto_goes_on_and_says_so_once(gpu, model, tmp_path, caplog, tensorrt, inductor, backend,
                                       warned):
    tried = gpu(tensorrt=tensorrt, inductor=inductor)
    for _ in range(2):
        facts = open_auto(model, tmp_path)
        assert (facts['backend'], facts['precision']) == (backend, 'float16')
    assert tried == ['tensorrt', 'inductor'] * 2
    assert [line[:len(start)] for line, start in zip(warnings_of(caplog), warned, strict=True)] \
        == warned
    assert list((tmp_path / 'c').glob('.building*')) == []


def test_device_cpu_on_a_machine_with_a_gpu(gpu, model, tmp_path, without_openvino):
    tried = gpu(tensorrt={}, inductor={})
    facts = open_auto(model, tmp_path, device='cpu')
    assert tried == ['inductor']
    assert facts['precision'] != 'float16'
    assert facts['backend'] == 'inductor'


def test_threads_make_no_other_engine_on_a_gpu(gpu, model):
    spec = EngineSpec('tiny', 8, 8, 1, 'tensorrt', 'float16', 2, 'cuda', 3)
    assert 'threads' not in build.engine_fields(spec, 'aa', {})
    assert build.engine_fields(spec, 'aa', {})['device_capability'] == '8.7'
