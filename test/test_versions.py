"""The oldest NumPy and OpenCV that the package claims, in the leg of `make test` that has them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

import rgb2swir_ros

SHOW = 'import cv2, numpy; print(cv2.__version__, numpy.__version__)'


@pytest.mark.skipif(Path(sys.prefix).name != 'oldest', reason='only in the environment of '
                    'test/oldest.py, the second leg of make test')
def test_this_process_and_its_children_have_the_oldest_versions() -> None:
    child = subprocess.run([sys.executable, '-c', SHOW], capture_output=True, text=True,
                           check=True)
    assert child.stdout.split() == ['4.6.0', '1.26.4']


def test_this_opencv_has_all_that_the_package_names() -> None:
    """Names that only some versions have belong behind `getattr` or `hasattr`."""
    missing = set()
    for file in Path(rgb2swir_ros.__file__).parent.rglob('*.py'):
        for name in re.findall(r'\bcv2\.(\w+)', file.read_text()):
            if not hasattr(cv2, name):
                missing.add(f'{file.name}: {name}')
    assert not missing
