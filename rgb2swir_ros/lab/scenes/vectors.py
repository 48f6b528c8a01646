"""Sums over the three coordinates of many vectors.

NumPy's reductions over a short last axis take six times as long; these give the same bits.
"""

from __future__ import annotations

import numpy as np


def row_dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the products (N,) of vectors (N, 3) with others, (N, 3) or (3,)."""
    return np.asarray(a[:, 0] * b[..., 0] + a[:, 1] * b[..., 1] + a[:, 2] * b[..., 2])


def row_length(a: np.ndarray) -> np.ndarray:
    """Return the lengths (N,) of vectors (N, 3)."""
    return np.asarray(np.sqrt(row_dot(a, a)))
