import json

import numpy as np
import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.imaging.tensors import read_tensors


@pytest.fixture
def path(tmp_path):
    save = pytest.importorskip('safetensors.numpy').save
    rng = np.random.default_rng(0)
    target = tmp_path / 'a.safetensors'
    target.write_bytes(save({
        'half': rng.random((2, 3)).astype(np.float16), 'single': rng.random(5).astype(np.float32),
        'double': rng.random((1, 2, 2)), 'whole': np.arange(3)}, {'format': '1'}))
    return target


def test_reads_what_the_library_wrote(path):
    expected = pytest.importorskip('safetensors.numpy').load_file(path)
    tensors, metadata = read_tensors(path, lambda name: name != 'whole')
    assert metadata == {'format': '1'}
    assert set(tensors) == {'half', 'single', 'double'}
    for name, tensor in tensors.items():
        assert tensor.dtype == np.float32
        np.testing.assert_array_equal(tensor, expected[name].astype(np.float32))


def test_another_type_is_refused_by_name(path):
    with pytest.raises(UserError, match='type I64, known are F16, F32, F64'):
        read_tensors(path)


def damaged(data: bytes, kind: str) -> bytes:
    header = json.loads(data[8:8 + int.from_bytes(data[:8], 'little')])
    if kind == 'cut off':
        return data[:-4]
    if kind == 'empty':
        return b''
    if kind == 'huge header':
        return b'\xff' * 8 + data[8:]
    if kind == 'no offsets':
        for entry in header.values():
            entry.pop('data_offsets', None)
    if kind == 'a list':
        header = [1]
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, 'little') + text + data[8 + int.from_bytes(data[:8], 'little'):]


@pytest.mark.parametrize('kind', ['cut off', 'empty', 'huge header', 'no offsets', 'a list'])
def test_a_damaged_file_is_named(path, kind):
    path.write_bytes(damaged(path.read_bytes(), kind))
    with pytest.raises(UserError, match=r'a\.safetensors'):
        read_tensors(path, lambda name: name != 'whole')


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r'cannot read .*none\.safetensors'):
        read_tensors(tmp_path / 'none.safetensors')
