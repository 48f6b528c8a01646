"""Differences between versions of OpenCV."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import cv2
import pytest

from rgb2swir_ros.imaging import opencv

READ_DAMAGED = """
import sys, cv2, numpy as np
from rgb2swir_ros.imaging import opencv
if sys.argv[1] == 'silent':
    opencv.silence()
cv2.imread('/no/such/picture.png')
"""


def run(word: str) -> str:
    """Return what reading a missing picture prints to stderr."""
    return subprocess.run([sys.executable, '-c', READ_DAMAGED, word], capture_output=True,
                          text=True, check=True).stderr


def test_opencv_prints_nothing_once_silenced() -> None:
    assert 'picture.png' in run('loud')
    assert run('silent') == ''


@pytest.mark.parametrize('major', [4, 5])
def test_both_places_of_the_setter_are_found(major: int, monkeypatch: pytest.MonkeyPatch) -> None:
    levels: list[int] = []
    logging = SimpleNamespace(setLogLevel=levels.append)
    if major == 4:
        monkeypatch.setattr(cv2, 'setLogLevel', levels.append, raising=False)
        monkeypatch.setattr(cv2, 'utils', SimpleNamespace())
    else:
        monkeypatch.delattr(cv2, 'setLogLevel', raising=False)
        monkeypatch.setattr(cv2, 'utils', SimpleNamespace(logging=logging))
    opencv.silence()
    assert levels == [0]
