"""Unlisted encodings are converted by cv_bridge; without a working one they are refused.

cv_bridge is on no package index, so stand-ins of it are put on the import path.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from rgb2swir_ros.imaging import bridge, raw
from rgb2swir_ros.imaging.errors import ImageError

WORKING = """
import numpy as np
class CvBridgeError(TypeError):
    pass
class CvBridge:
    def imgmsg_to_cv2(self, image, desired_encoding='passthrough'):
        assert desired_encoding == 'rgb8'
        if image.encoding not in ('bgr8', 'yuv444'):
            raise CvBridgeError(f'Unrecognized image encoding [{image.encoding}]')
        pixels = np.frombuffer(image.data, np.uint8).reshape(image.height, image.width, 3)
        return pixels[..., ::-1]
"""


@pytest.fixture(autouse=True)
def fresh():
    """Clear the cached result of the search for cv_bridge, before and after."""
    def forget() -> None:
        bridge._bridge.cache_clear()
        for name in [name for name in sys.modules if name.split('.')[0] == 'cv_bridge']:
            del sys.modules[name]
    forget()
    yield
    forget()


def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiled: str,
            core: str = WORKING) -> None:
    """Put a cv_bridge on the import path; like the real one, it ignores a failing import."""
    package = tmp_path / 'cv_bridge'
    (package / 'boost').mkdir(parents=True)
    (package / '__init__.py').write_text(
        f'{core}\ntry:\n    import cv_bridge.boost.cv_bridge_boost\n'
        'except ImportError:\n    pass\n')
    (package / 'boost' / '__init__.py').touch()
    (package / 'boost' / 'cv_bridge_boost.py').write_text(compiled)
    monkeypatch.syspath_prepend(tmp_path)


def image(encoding: str = 'yuv444', data: bytes = bytes(range(4 * 6 * 3))) -> SimpleNamespace:
    return SimpleNamespace(height=4, width=6, encoding=encoding, step=18, is_bigendian=0,
                           data=data)


def refusal(message: SimpleNamespace) -> str:
    with pytest.raises(ImageError) as caught:
        raw.to_rgb(message)
    assert caught.value.reason == 'unsupported_encoding'
    assert '\n' not in str(caught.value)
    assert 'known: rgb8' in str(caught.value)
    return str(caught.value)


def test_an_unlisted_encoding_is_converted(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch, '')
    one = image()
    expected = np.frombuffer(one.data, np.uint8).reshape(4, 6, 3)[..., ::-1]
    rgb = raw.to_rgb(one)
    assert np.array_equal(rgb, expected)
    assert rgb.flags.c_contiguous
    assert rgb.flags.writeable
    assert raw.to_rgb(one, (2, 3)).shape == (2, 3, 3)


def test_one_that_is_imported_already_is_not_tried_out_again(monkeypatch):
    package, boost = ModuleType('cv_bridge'), ModuleType('cv_bridge.boost')
    exec(WORKING, package.__dict__)
    for module in (package, boost, ModuleType(bridge.COMPILED)):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(bridge.subprocess, 'run', lambda *_, **__: pytest.fail('tried out'))
    assert raw.to_rgb(image())[0, 0].tolist() == [2, 1, 0]


def test_listed_encodings_never_use_cv_bridge(monkeypatch):
    monkeypatch.setattr(bridge, 'to_rgb', lambda _: pytest.fail('cv_bridge was asked'))
    assert raw.to_rgb(image('bgr8'))[0, 0].tolist() == [2, 1, 0]


def test_a_refusal_of_cv_bridge_is_passed_on_with_its_text(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch, '')
    assert "cv_bridge refuses it: Unrecognized image encoding [8UC4]" in refusal(image('8UC4'))
    assert 'cv_bridge refuses it: cannot reshape' in refusal(image(data=b'short'))


def test_a_result_of_another_shape_is_refused(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch, '', core=(
        'import numpy as np\nclass CvBridge:\n    def imgmsg_to_cv2(self, image, encoding):\n'
        "        small = (2, 2, 3) if image.encoding == 'bgr8' else (1, 1, 3)\n"
        '        return np.full(small, [2, 1, 0], np.uint8)\n'))
    assert 'shape (1, 1, 3) of 6x4 pixels' in refusal(image())


def test_without_cv_bridge_the_refusal_says_so():
    if bridge.importlib.util.find_spec('cv_bridge'):
        pytest.skip('cv_bridge is installed here')
    assert 'cv_bridge, which may know it, is not installed' in refusal(image())


@pytest.mark.parametrize(('compiled', 'says'), [
    ("raise ImportError('numpy.core.multiarray failed to import')",
     'numpy.core.multiarray failed to import'),
    ("raise AttributeError('_ARRAY_API not found')", '_ARRAY_API not found'),
    ('import os, signal; os.kill(os.getpid(), signal.SIGSEGV)', 'killed by signal 11'),
])
@pytest.mark.parametrize('numpy', ['1.26.4', '2.1.0'])
def test_a_broken_one_is_named_and_ends_nothing(tmp_path, monkeypatch, compiled, says, numpy):
    """Under NumPy 2 an import may end the process: it must be tried in another process."""
    if numpy == '1.26.4' and 'SIGSEGV' in compiled:
        pytest.skip('NumPy 1 has never ended the process')
    install(tmp_path, monkeypatch, compiled)
    monkeypatch.setattr(bridge.np, '__version__', numpy)
    text = refusal(image())
    assert f'cv_bridge, which may know it, is broken here under NumPy {numpy}' in text
    assert says in text
    assert ("pip install 'numpy<2'" in text) == (numpy[0] == '2')


@pytest.mark.parametrize(('field', 'value', 'reason'), [
    ('height', 0, 'zero_size'), ('width', 'six', 'bad_field')])
def test_malformed_fields_are_refused_before_cv_bridge_sees_them(monkeypatch, field, value,
                                                                  reason):
    monkeypatch.setattr(bridge, '_bridge', lambda: pytest.fail('cv_bridge was asked'))
    one = image()
    setattr(one, field, value)
    with pytest.raises(ImageError) as caught:
        raw.to_rgb(one)
    assert caught.value.reason == reason
