"""Read tensors from a safetensors file with NumPy alone.

The node's process loads neither torch nor the library that goes with it. The format is eight bytes
with the length of a JSON header (little-endian), the header, and the values, row by row
(https://github.com/huggingface/safetensors, "Format").
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError

TYPES = {'F16': '<f2', 'F32': '<f4', 'F64': '<f8'}
LONGEST_HEADER = 100_000_000  # bytes, the library's own limit

Tensors = dict[str, NDArray[np.float32]]


def read_tensors(path: Path, wanted: Callable[[str], bool] = lambda _: True
                 ) -> tuple[Tensors, dict[str, str]]:
    """Return the tensors of a file as float32, and its metadata.

    :param wanted: says by a tensor's name whether to read it.
    :raises UserError: if the file is missing or damaged, or a tensor is of another type than
        float16, float32 and float64.
    """
    try:
        with path.open('rb') as file:
            length = int.from_bytes(file.read(8), 'little')
            if length > LONGEST_HEADER:
                raise ValueError(f'its header would have {length} bytes')
            header = json.loads(file.read(length))
            metadata = {str(k): str(v) for k, v in header.pop('__metadata__', {}).items()}
            tensors = {}
            for name, entry in header.items():
                if wanted(name):
                    begin, end = entry['data_offsets']
                    file.seek(8 + length + begin)
                    tensors[name] = _tensor(file.read(end - begin), entry['dtype'],
                                            entry['shape'])
    except OSError as error:
        raise UserError(f'cannot read {path}: {error.strerror or error}') from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise UserError(f'{path} is no whole safetensors file: {error}') from error
    return tensors, metadata


def _tensor(data: bytes, kind: str, shape: list[int]) -> NDArray[np.float32]:
    if kind not in TYPES:
        raise ValueError(f'it has a tensor of type {kind}, known are {", ".join(TYPES)}')
    values = np.frombuffer(data, TYPES[kind])
    if values.size != math.prod(shape):
        raise ValueError(f'a tensor of {shape} has {values.size} values')
    return values.reshape(shape).astype(np.float32)
