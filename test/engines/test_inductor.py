"""The compiled engine: what it computes, when it is found again, and what it leaves behind."""

import json
import logging
import os
import re
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch

from rgb2swir_ros.engines import backends, build, inductor, processor
from rgb2swir_ros.engines.base import TransientError, Unavailable
from rgb2swir_ros.engines.build import open_engine
from rgb2swir_ros.errors import UserError

SIZE = (32, 48)
LOGGER = 'rgb2swir_ros.engines'


class Compiled(Exception):
    """Raised in place of a compilation."""


@pytest.fixture
def no_compilation(monkeypatch):
    """Raise `Compiled` in place of a compilation."""
    def refuse(*_):
        raise Compiled
    monkeypatch.setattr(backends, 'compile_package', refuse)


def warnings_of(caplog):
    return [r.getMessage() for r in caplog.records
            if r.name == LOGGER and r.levelno >= logging.WARNING]


@pytest.mark.slow
def test_compiled_engine_agrees_with_the_translator(compiled, reference, frame):
    with torch.inference_mode():
        expected = reference(torch.from_numpy(frame[None])).numpy()
    radiance = compiled(frame[None])
    assert radiance.shape == (1, *SIZE)
    assert radiance.dtype == np.float32
    assert expected.std() > 0.01  # a flat picture would agree with anything flat
    assert np.abs(radiance - expected).mean() * 255 <= 0.5
    assert np.percentile(np.abs(radiance - expected), 99.9) * 255 <= 3


def test_same_frame_same_bits(compiled, frame):
    first = compiled(frame[None])
    kept = first.copy()
    compiled(255 - frame[None])
    assert (first == kept).all()  # an own array, not the engine's buffer
    assert (compiled(frame[None]) == kept).all()


def test_description_is_plain_and_complete(compiled):
    facts = json.loads(json.dumps(compiled.describe()))
    best = 'bfloat16' if processor.has_bfloat16() else 'float32'
    assert (facts['backend'], facts['precision'], facts['threads']) == ('inductor', best, 1)
    assert (facts['model'], facts['height'], facts['width'], facts['batch']) == ('tiny', 32, 48, 1)
    assert len(facts['model_hash']) == 64
    assert facts['build_s'] > 0
    assert facts['built_at'].endswith('+00:00')
    assert 0 <= facts['parity']['mean_255'] <= 0.5


def test_built_engine_needs_no_compiler_and_no_build(compiled, model, cache, frame, monkeypatch,
                                                     no_compilation, caplog):
    monkeypatch.setenv('CXX', '/nowhere/g++')
    engine = open_engine(model, SIZE, backend='inductor', threads=1, cache=cache)
    assert engine.describe()['from_cache']
    assert engine.describe()['parity'] == compiled.describe()['parity']
    assert (engine(frame[None]) == compiled(frame[None])).all()
    assert warnings_of(caplog) == []


def test_loading_leaves_nothing_unpacked(compiled, model, cache):
    """Torch unpacks a package under /tmp; a killed process could not remove it."""
    engine = open_engine(model, SIZE, backend='inductor', threads=1, cache=cache)
    with open('/proc/self/maps') as maps:
        mapped = {line.split(maxsplit=5)[5].strip() for line in maps if '.wrapper.so' in line}
    assert mapped
    assert all(path.endswith('(deleted)') for path in mapped)
    assert engine.describe()['from_cache']


def test_nothing_else_under_tmp_is_removed(compiled, model, cache, tmp_path, monkeypatch):
    """A library that other code maps meanwhile may lie in a checkout under /tmp."""
    package = compiled.describe()['file']
    with zipfile.ZipFile(package) as archive:
        [library] = [name for name in archive.namelist() if name.endswith('.so')]
    temporary = tmp_path / 'tmp'
    monkeypatch.setenv('TMPDIR', str(temporary))
    other, same = temporary / 'checkout', temporary / 'unpacked-by-the-user'
    for path in (other / 'build' / 'lib.so', same / library):
        path.parent.mkdir(parents=True)
        path.write_text('')
    before = sorted(temporary.rglob('*'))
    mapped = iter([set(), {str(other / 'build' / 'lib.so'), str(same / library)}])
    monkeypatch.setattr(inductor, '_mapped_files', lambda: next(mapped))
    with inductor._unpacked_removed(package):
        late = temporary / 'new' / 'build' / 'lib.so'
        late.parent.mkdir(parents=True)
        late.write_text('')
    assert sorted(temporary.rglob('*')) == sorted([*before, *late.parents[:2], late])


def test_of_an_unpacked_folder_only_the_packages_files_are_removed(compiled, tmp_path,
                                                                   monkeypatch):
    package = compiled.describe()['file']
    monkeypatch.setenv('TMPDIR', str(tmp_path))
    folder = tmp_path / 'aBcDeF'
    with zipfile.ZipFile(package) as archive:
        [library] = [name for name in archive.namelist() if name.endswith('.so')]
        mapped = iter([set(), {str(folder / library)}])
        monkeypatch.setattr(inductor, '_mapped_files', lambda: next(mapped))
        with inductor._unpacked_removed(package):
            archive.extractall(folder)
            (folder / 'mine.txt').write_text('')
    assert [path.name for path in folder.rglob('*')] == ['mine.txt']


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason='torch has no oneDNN')
def test_weights_are_baked_in(compiled):
    """TorchInductor's freezing, which it silently skips if gradients are enabled."""
    with zipfile.ZipFile(compiled.describe()['file']) as package:
        [wrapper] = [name for name in package.namelist() if name.endswith('.wrapper.cpp')]
        text = package.read(wrapper).decode()
    assert 'aoti_torch_cpu_mkldnn__convolution_pointwise' in text
    assert 'aoti_torch_cpu_convolution(' not in text


def changed_processor(monkeypatch, model):
    monkeypatch.setattr(build, 'processor_identity', lambda: 'x86_64-other')


def changed_torch(monkeypatch, model):
    monkeypatch.setattr(build.torch, '__version__', '9.9.0')


def changed_code(monkeypatch, model):
    monkeypatch.setattr(build, 'code_hash', lambda: 'other')


def changed_device(monkeypatch, model):
    monkeypatch.setattr(build, 'device_facts', lambda _: {
        'device_name': 'another', 'device_capability': None, 'cuda': None})


def changed_model(monkeypatch, model):
    (model / 'model.yaml').write_text((model / 'model.yaml').read_text() + '\n# retrained\n')


@pytest.mark.parametrize(('change', 'field'), [
    (changed_processor, 'processor'), (changed_torch, 'torch'), (changed_code, 'code_hash'),
    (changed_model, 'model_hash'), (changed_device, 'device_name')])
def test_what_the_engine_depends_on_makes_a_new_one(compiled, model, cache, tmp_path, monkeypatch,
                                                    no_compilation, change, field):
    copy = shutil.copytree(model, tmp_path / 'tiny')
    change(monkeypatch, copy)
    said = []
    with pytest.raises(Compiled):
        open_engine(copy, SIZE, backend='inductor', threads=1, cache=cache, progress=said.append)
    [line] = [line for line in said if 'no engine fits' in line]
    assert re.fullmatch(rf"no engine fits: {field} changed from '.+' to '.+'; rebuilding", line)


def test_engine_that_this_machine_cannot_load_is_built_again(compiled, model, cache, tmp_path,
                                                             monkeypatch, no_compilation):
    """Manifest and hash are correct, but the libraries do not load the engine."""
    copy = shutil.copytree(cache, tmp_path / 'engines')
    monkeypatch.setattr(backends, 'InductorEngine', lambda *_: 1 / 0)
    said = []
    with pytest.raises(Compiled):
        open_engine(model, SIZE, backend='inductor', threads=1, cache=copy, progress=said.append)
    [line] = [line for line in said if 'cannot be loaded' in line]
    assert 'ZeroDivisionError: division by zero); rebuilding' in line
    assert list(copy.glob('*/engine.pt2'))  # until there is a better one


@pytest.mark.parametrize('trouble', [
    MemoryError(), PermissionError(13, 'Permission denied'), OSError(24, 'Too many open files'),
    RuntimeError('std::bad_alloc'), RuntimeError('CUDA error: out of memory'),
    torch.OutOfMemoryError('CUDA out of memory')])
def test_an_intact_engine_is_kept_on_a_transient_error(compiled, model, cache, monkeypatch,
                                                       no_compilation, trouble):
    def fail(*_):
        raise trouble
    monkeypatch.setattr(backends, 'InductorEngine', fail)
    said = []
    with pytest.raises(TransientError, match='is kept'):  # and no Compiled
        open_engine(model, SIZE, backend='inductor', threads=1, cache=cache, progress=said.append)
    assert not [line for line in said if 'rebuilding' in line]
    monkeypatch.undo()
    assert open_engine(model, SIZE, backend='inductor', threads=1, cache=cache
                       ).describe()['from_cache']


@pytest.mark.parametrize('trouble', [ImportError('libfoo.so.1: cannot open shared object file'),
                                     Unavailable('torch_foo is gone', 'install it')])
def test_an_intact_engine_is_kept_if_a_library_is_missing(
        compiled, model, cache, monkeypatch, no_compilation, without_openvino, caplog, trouble):
    def fail(*_):
        raise trouble
    monkeypatch.setattr(backends, 'InductorEngine', fail)
    with pytest.raises(UserError, match=r'libfoo|torch_foo'):
        open_engine(model, SIZE, backend='inductor', threads=1, cache=cache)
    assert open_engine(model, SIZE, threads=1, cache=cache).describe()['backend'] == 'eager'
    assert len(warnings_of(caplog)) == 1
    monkeypatch.undo()
    assert open_engine(model, SIZE, backend='inductor', threads=1, cache=cache
                       ).describe()['from_cache']


def test_damaged_engine_is_never_loaded(compiled, model, cache, tmp_path, no_compilation):
    copy = shutil.copytree(cache, tmp_path / 'engines')
    [file] = copy.glob('*/engine.pt2')
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    said = []
    with pytest.raises(Compiled):
        open_engine(model, SIZE, backend='inductor', threads=1, cache=copy, progress=said.append)
    assert any('another hash' in line for line in said), said


def test_frames_that_cannot_be_written_to(compiled, frame):
    """A message's bytes are read-only, and a picture may be a view."""
    read_only = np.frombuffer(frame.tobytes(), np.uint8).reshape(1, *SIZE, 3)
    mirrored = frame[None, :, ::-1]
    assert (compiled(read_only) == compiled(frame[None])).all()
    assert (compiled(mirrored) == compiled(np.ascontiguousarray(mirrored))).all()


@pytest.mark.parametrize('wrong', [
    np.zeros((1, 48, 32, 3), np.uint8), np.zeros((32, 48, 3), np.uint8),
    np.zeros((2, 32, 48, 3), np.uint8), np.zeros((0, 32, 48, 3), np.uint8),
    np.zeros((1, 32, 48, 3), np.float32), np.zeros((1, 32, 48, 4), np.uint8), None])
def test_other_frames_are_refused(compiled, wrong):
    with pytest.raises(UserError, match=r'uint8 \(B, 32, 48, 3\)'):
        compiled(wrong)


THREADS = """
import os, sys
import numpy as np
from rgb2swir_ros.engines.build import open_engine
model, cache, *given = sys.argv[1:]
for backend, threads, height, width in zip(*[iter(given)] * 4):
    size = (int(height), int(width))
    engine = open_engine(model, size, backend=backend, threads=int(threads), cache=cache)
    for _ in range(3):
        engine(np.zeros((1, *size, 3), np.uint8))
    print(len(os.listdir('/proc/self/task')))
"""


def test_an_engine_starts_no_more_threads_than_told(compiled, model, cache):
    """In one process, whose threads stay: each engine is seen by those that it adds."""
    large = (256, 320)  # worth sharing among cores
    given = [('eager', 1, *large), ('inductor', 1, *SIZE), ('eager', 2, *large)]
    environment = {key: value for key, value in os.environ.items() if key != 'OMP_NUM_THREADS'}
    done = subprocess.run([sys.executable, '-c', THREADS, str(model), str(cache),
                           *(str(word) for words in given for word in words)], env=environment,
                          text=True, capture_output=True, check=True)
    alone, compiled_too, two = map(int, done.stdout.split())
    assert compiled_too == alone
    if len(os.sched_getaffinity(0)) > 1:
        assert two == alone + 1


def test_build_keeps_nothing_but_engine_and_manifest(compiled, cache):
    [folder] = cache.glob('tiny-*-inductor-*')
    assert sorted(os.listdir(folder)) == ['engine.pt2', 'manifest.json']
    assert str(cache) not in os.environ.get('TORCHINDUCTOR_CACHE_DIR', '')


def test_manifest_has_all_that_an_engine_depends_on(compiled, cache):
    manifest = json.loads(next(cache.glob('tiny-*-inductor-*/manifest.json')).read_text())
    assert {'model', 'height', 'width', 'batch', 'backend', 'precision', 'threads', 'device',
            'optimization_level', 'model_hash', 'code_hash', 'torch', 'torch_tensorrt', 'tensorrt',
            'openvino', 'cuda', 'device_name', 'device_capability', 'processor',
            'engine_format'} == set(manifest['fields'])
    assert set(manifest['facts']) == {'parity', 'built_at', 'build_s'}
    assert manifest['fields']['torch'] == torch.__version__
