"""A hash of the code that determines an engine's graph. Imports no torch."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path


@functools.lru_cache(maxsize=1)
def code_hash() -> str:
    """Return a hash of the source files that determine the graph: an update rebuilds engines."""
    package = Path(__file__).parents[1]
    shaping = ('cuda', 'eager', 'export', 'inductor', 'openvino', 'tensorrt')
    files = [package / 'translator.py', package / 'model_config.py',
             *(package / 'engines' / f'{name}.py' for name in shaping),
             *sorted(package.glob('nets/*.py')), *sorted(package.glob('diffusion/*.py'))]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
