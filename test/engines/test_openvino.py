"""OpenVINO's engines where it is installed, and the behaviour where it is not."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from rgb2swir_ros.engines import backends, build, openvino, parity, processor
from rgb2swir_ros.engines.arguments import resolve_engine_device
from rgb2swir_ros.engines.base import CompileError, NotInstalled
from rgb2swir_ros.engines.build import open_engine
from rgb2swir_ros.engines.eager import EagerEngine
from rgb2swir_ros.engines.parity import ParityError
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.nets.dit import DiTConfig
from rgb2swir_ros.nets.regression import RegressionConfig
from rgb2swir_ros.translator import Regressor, Translator, TranslatorConfig

from .processes import Rig

SIZE = (32, 48)
needs_openvino = pytest.mark.skipif(
    importlib.util.find_spec('openvino') is None,
    reason="openvino is not installed (pip install '.[openvino]')")
needs_bfloat16 = pytest.mark.skipif(not processor.has_bfloat16(),
                                    reason='the processor does not multiply bfloat16')


@pytest.fixture(scope='module')
def engine(model, tmp_path_factory):
    """The tiny model in bfloat16, built here, once."""
    return open_engine(model, SIZE, backend='openvino', precision='bfloat16', threads=1,
                       cache=tmp_path_factory.mktemp('openvino') / 'engines')


@pytest.fixture
def fresh(monkeypatch):
    """The cached result of the import is cleared, before and after."""
    openvino._import_once.cache_clear()
    yield monkeypatch
    openvino._import_once.cache_clear()


def warnings_of(caplog):
    return [r.getMessage() for r in caplog.records if r.name == 'rgb2swir_ros.engines']


@needs_openvino
def test_it_agrees_with_the_translator(engine, reference, frame):
    with torch.inference_mode():
        expected = reference(torch.from_numpy(frame[None])).numpy()
    radiance = engine(frame[None])
    assert (radiance.shape, radiance.dtype) == ((1, *SIZE), np.float32)
    assert expected.std() > .01  # a flat picture would agree with anything flat
    assert np.abs(radiance - expected).mean() * 255 <= .5
    assert engine.describe()['parity']['mean_255'] <= .5


@needs_openvino
def test_same_frame_same_bits_in_an_own_array(engine, frame):
    first = engine(frame[None])
    kept = first.copy()
    assert (engine(255 - frame[None]) != kept).any()
    assert (first == kept).all()
    assert (engine(frame[None]) == kept).all()


@needs_openvino
def test_float32_is_float32(model, reference, frame, tmp_path):
    """By default, OpenVINO computes in bfloat16 on a processor that supports it."""
    exact = open_engine(model, SIZE, backend='openvino', precision='float32', threads=1,
                        cache=tmp_path / 'engines')
    assert exact.describe()['parity']['tail_255'] < .001


@needs_openvino
@needs_bfloat16
def test_the_trunk_is_bfloat16_and_the_head_float32(engine):
    types = {True: set(), False: set()}
    for node in engine.compiled.get_runtime_model().get_ordered_ops():
        facts = node.get_rt_info()
        if facts['layerType'].astype(str) == 'Convolution':
            head = '.head.' in facts['originalLayersNames'].astype(str)
            types[head].add(facts['runtimePrecision'].astype(str))
    assert types == {True: {'f32'}, False: {'bf16'}}


@needs_openvino
def test_a_batch_is_filled_up_and_other_frames_refused(model, frame, tmp_path):
    pair_engine = open_engine(model, SIZE, batch=2, backend='openvino', threads=1,
                              cache=tmp_path / 'engines')
    pair = pair_engine(np.stack([frame, 255 - frame]))
    alone = pair_engine(np.frombuffer(frame.tobytes(), np.uint8).reshape(1, *SIZE, 3))
    assert (pair.shape, alone.shape) == ((2, *SIZE), (1, *SIZE))
    assert (alone[0] == pair[0]).all()
    with pytest.raises(UserError, match=r'uint8 \(B, 32, 48, 3\)'):
        pair_engine(frame)


def lively(model):
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * .02)
    return model.eval()


@needs_openvino
@pytest.mark.parametrize('kind', ['regression', 'DiT', 'two steps'])
def test_every_kind_of_model_converts(kind, tmp_path):
    """At a size that the network pads; the build checks parity."""
    model = {'regression': lambda: Regressor(RegressionConfig('m', (8, 8, 8, 8, 8), (1,))),
             'DiT': lambda: Translator(TranslatorConfig(name='m', denoiser=DiTConfig())),
             'two steps': lambda: Translator(TranslatorConfig(name='m', steps=2))}[kind]()
    lively(model).save(tmp_path / 'm')
    opened = open_engine(tmp_path / 'm', (34, 50), backend='openvino', threads=1,
                         cache=tmp_path / 'engines')
    assert opened(np.zeros((1, 34, 50, 3), np.uint8)).shape == (1, 34, 50)


@needs_openvino
def test_auto_takes_it_and_needs_no_compiler(model, tmp_path, monkeypatch, caplog):
    monkeypatch.setenv('CXX', '/nowhere/g++')
    said = []
    for found in (False, True):
        facts = open_engine(model, SIZE, threads=1, cache=tmp_path / 'engines',
                            progress=said.append).describe()
        assert (facts['backend'], facts['from_cache']) == ('openvino', found)
    assert sum('compiling' in line for line in said) == 1
    [folder] = (tmp_path / 'engines').glob('tiny-*')
    assert sorted(os.listdir(folder)) == ['engine.blob', 'manifest.json']
    fields = json.loads((folder / 'manifest.json').read_text())['fields']
    assert fields['openvino'] == openvino.openvino_version()
    assert (fields['tensorrt'], fields['torch_tensorrt']) == (None, None)
    assert warnings_of(caplog) == []


@needs_openvino
def test_it_computes_on_no_more_cores_than_told(model, tmp_path):
    """Counts the threads that do work: with one core to use, it is one."""
    environment = {key: value for key, value in os.environ.items() if key != 'OMP_NUM_THREADS'}
    done = subprocess.run([sys.executable, '-c', BUSY, str(model), str(tmp_path)],
                          env=environment, text=True, capture_output=True, check=True)
    assert len(json.loads(done.stdout)) == 1, done.stdout


BUSY = """
import json, pathlib, sys, time
import numpy as np
from rgb2swir_ros.engines.build import open_engine
model, cache = sys.argv[1:]
engine = open_engine(model, (512, 640), backend='openvino', threads=1, cache=cache)
frames = np.zeros((1, 512, 640, 3), np.uint8)

def ticks():
    found = {}
    for stat in pathlib.Path('/proc/self/task').glob('*/stat'):
        user, system = stat.read_text().rsplit(')', 1)[1].split()[11:13]
        found[stat.parent.name] = int(user) + int(system)
    return found

for _ in range(3):
    engine(frames)
before, end = ticks(), time.process_time() + 1.5
while time.process_time() < end:
    engine(frames)
spent = {task: count - before.get(task, 0) for task, count in ticks().items()}
print(json.dumps([count for count in spent.values() if count > .1 * sum(spent.values())]))
"""


@needs_openvino
def test_it_may_use_as_many_cores_as_told(model, tmp_path):
    cores = len(os.sched_getaffinity(0))
    opened = open_engine(model, SIZE, backend='openvino', cache=tmp_path / 'engines')
    assert opened.compiled.get_property('INFERENCE_NUM_THREADS') == cores
    assert opened.describe()['threads'] == cores


@needs_openvino
def test_in_the_engine_process_it_gives_the_same_bits(model, tmp_path, frame):
    here = open_engine(model, SIZE, backend='openvino', threads=1, cache=tmp_path / 'engines')
    rig = Rig(model, tmp_path / 'engines', backend='openvino')
    with rig.client as client:
        client.prepare(SIZE)
        rig.until_ready()
        assert client.status().engines[SIZE]['from_cache']
        assert (client.infer(frame).radiance == here(frame[None])[0]).all()
    assert rig.lines == []


@needs_openvino
def test_nothing_is_reported_over_the_network():
    """OpenVINO's package for that is not even imported."""
    script = ('import sys; from rgb2swir_ros.engines.openvino import find_openvino; '
              'find_openvino(); print(sys.modules["openvino_telemetry"])')
    done = subprocess.run([sys.executable, '-c', script], text=True, capture_output=True,
                          check=True)
    assert done.stdout == 'None\n'


@needs_openvino
def test_a_blob_it_does_not_take_is_one_line(model, tmp_path, monkeypatch, caplog):
    def write(translator, spec, folder, progress):
        (folder / 'engine.blob').write_bytes(b'no blob')
        return folder / 'engine.blob'
    monkeypatch.setattr(backends, 'compile_blob', write)
    monkeypatch.setattr(build, 'AUTO_ORDER', {'cpu': ('openvino', 'eager')})
    facts = open_engine(model, SIZE, threads=1, cache=tmp_path / 'engines').describe()
    assert facts['backend'] == 'eager'
    [warning] = warnings_of(caplog)
    assert f'compiling with openvino failed (openvino {openvino.openvino_version()}: ' in warning
    assert '\n' not in warning


def test_where_it_is_not_installed_its_name_says_what_to_install(model, without_openvino):
    with pytest.raises(NotInstalled):
        openvino.find_openvino()
    with pytest.raises(UserError, match=r"cannot build the openvino engine: openvino is not "
                                        r"installed; pip install 'rgb2swir_ros\[openvino\]'"):
        open_engine(model, SIZE, backend='openvino', threads=1)


def test_where_it_is_not_installed_auto_says_nothing(compiled, model, cache, without_openvino,
                                                     caplog):
    facts = open_engine(model, SIZE, threads=1, cache=cache).describe()
    assert (facts['backend'], facts['from_cache']) == ('inductor', True)
    assert warnings_of(caplog) == []


@pytest.mark.parametrize('text', [
    'raise ImportError("libtbb.so.12: cannot open shared object file")',
    'raise RuntimeError("libtbb.so.12: cannot open shared object file\\nSearched here")'])
def test_one_that_cannot_be_imported_is_one_warning(compiled, model, cache, fresh, tmp_path,
                                                    caplog, text):
    (tmp_path / 'openvino').mkdir()
    (tmp_path / 'openvino' / '__init__.py').write_text(text)
    fresh.syspath_prepend(str(tmp_path))
    fresh.delitem(sys.modules, 'openvino', raising=False)
    for _ in range(2):
        assert open_engine(model, SIZE, threads=1, cache=cache).describe()['backend'] == 'inductor'
    [warning] = warnings_of(caplog)
    assert 'openvino is installed but cannot be imported (' in warning
    assert 'libtbb.so.12: cannot open shared object file), so the engine is compiled by' in warning
    with pytest.raises(UserError, match='cannot build the openvino engine: openvino is installed'):
        open_engine(model, SIZE, backend='openvino', threads=1)


@pytest.mark.parametrize(('arguments', 'text'), [
    ({'precision': 'float16'}, "'float16' needs a GPU"),
    ({'device': 'cuda'}, "'openvino' runs on the processor: choose device cpu"),
    ({'device': 'npu'}, "no device 'npu'")])
def test_what_it_cannot_do_is_refused(model, without_openvino, arguments, text):
    with pytest.raises(UserError, match=text):
        open_engine(model, SIZE, backend='openvino', **arguments)


def test_on_a_machine_with_a_gpu_it_runs_on_the_processor(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    assert resolve_engine_device('auto', 'openvino', 'auto') == 'cpu'
    assert 'openvino' not in build.AUTO_ORDER['cuda']


@pytest.fixture
def pretended(monkeypatch, reference):
    """An OpenVINO whose engines are eager ones; yields the function that sets its version."""
    def write(translator, spec, folder, progress):
        (folder / 'engine.blob').write_bytes(b'blob')
        return folder / 'engine.blob'

    def put(version):
        monkeypatch.setattr(backends, 'openvino_version', lambda: version)
    monkeypatch.setattr(backends, 'find_openvino', lambda: None)
    monkeypatch.setattr(backends, 'compile_blob', write)
    monkeypatch.setattr(backends, 'OpenVinoEngine',
                        lambda file, spec, facts=None: EagerEngine(reference, spec, facts))
    put('2026.4')
    return put


def test_another_version_makes_a_new_engine_and_is_named(pretended, model, tmp_path):
    said = []
    for version, found in (('2026.4', False), ('2026.4', True), ('2027.0', False)):
        pretended(version)
        facts = open_engine(model, SIZE, backend='openvino', threads=1, cache=tmp_path / 'e',
                            progress=said.append).describe()
        assert facts['from_cache'] is found
    assert [line for line in said if 'no engine fits' in line] == [
        "no engine fits: openvino changed from '2026.4' to '2027.0'; rebuilding"]


def test_the_parity_gate_holds_here_too(pretended, model, tmp_path, monkeypatch):
    monkeypatch.setattr(parity, 'TAIL_LIMIT', .001 / 255)
    with pytest.raises(ParityError, match='the engine openvino bfloat16 48x32 of tiny differs'):
        open_engine(model, SIZE, backend='openvino', precision='bfloat16', threads=1,
                    cache=tmp_path / 'e')
    assert not list((tmp_path / 'e').glob('tiny-*'))


def test_a_failure_is_one_warning_and_the_next_backend(pretended, compiled, model, cache,
                                                       monkeypatch, caplog):
    def fail(*_):
        raise CompileError('openvino 2026.4: RuntimeError: no such operator')
    monkeypatch.setattr(backends, 'compile_blob', fail)
    for _ in range(2):
        assert open_engine(model, SIZE, threads=1, cache=cache).describe()['backend'] == 'inductor'
    [warning] = warnings_of(caplog)
    assert 'compiling with openvino failed (openvino 2026.4: RuntimeError: no such' in warning


def test_its_source_is_part_of_what_an_engine_depends_on(monkeypatch):
    read, original = [], build.Path.read_bytes
    monkeypatch.setattr(build.Path, 'read_bytes', lambda path: read.append(path) or original(path))
    build.code_hash.__wrapped__()
    assert openvino.__file__ in map(str, read)


def test_a_reason_is_what_went_wrong_not_where():
    text = ('Exception from src/inference/src/cpp/core.cpp:217:\nException from src/plugin.cpp:74:'
            '\n[ CORE ] Unable to read the model.\n\n')
    assert openvino.reason(RuntimeError(text)) == \
        'RuntimeError: [ CORE ] Unable to read the model.'
    assert openvino.reason(RuntimeError('')) == 'RuntimeError: no reason given'
    assert openvino.reason(ValueError('only:')) == 'ValueError: only:'
