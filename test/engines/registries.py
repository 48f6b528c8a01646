"""Where the parts of TensorRT lie that ``make test`` unpacks beside the environment."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

# torch_tensorrt: 2.8 is what a Jetson Orin has (JetPack 6), 2.13 what Thor and desktops have
REGISTRIES = ('2.8.0', '2.13.0')
COMPILER = '1.7.1.116'  # of TensorRT for RTX


def need_registry(version: str) -> Path:
    """Return the folder of a version of torch_tensorrt, or skip the test."""
    folder = Path(sys.prefix) / 'tensorrt-registry' / version
    if not (folder / 'torch_tensorrt').is_dir():
        pytest.skip(f'torch-tensorrt {version} is not unpacked in {folder} (make test does so)')
    return folder


def need_compiler() -> Path:
    """Return the folder of TensorRT for RTX, or skip the test."""
    folder = Path(sys.prefix) / 'tensorrt-rtx' / COMPILER
    if not all((folder / part).is_dir() for part in ('tensorrt_rtx_libs',
                                                     'tensorrt_rtx_bindings')):
        pytest.skip(f'TensorRT for RTX {COMPILER} is not unpacked in {folder} (make test does so '
                    'where there are wheels: Linux on x86-64)')
    return folder
