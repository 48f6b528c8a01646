"""Where the converter registries of torch_tensorrt lie that ``make test`` unpacks."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

# 2.8 is what a Jetson Orin has (JetPack 6), 2.13 what Thor and desktops have
REGISTRIES = ('2.8.0', '2.13.0')


def need_registry(version: str) -> Path:
    """Return the folder of a version, or skip the test."""
    folder = Path(sys.prefix) / 'tensorrt-registry' / version
    if not (folder / 'torch_tensorrt').is_dir():
        pytest.skip(f'torch-tensorrt {version} is not unpacked in {folder} (make test does so)')
    return folder
