"""The bits of NumPy's reductions: a picture must not change with how a sum is written."""

from __future__ import annotations

import numpy as np
import pytest

from rgb2swir_ros.lab.scenes.vectors import row_dot, row_length


@pytest.mark.parametrize('kind', [np.float32, np.float64])
def test_they_are_those_of_numpy(kind):
    rng = np.random.default_rng(0)
    a, b = (rng.normal(0, 10.0 ** rng.uniform(-3, 3, (9999, 1)), (9999, 3)).astype(kind)
            for _ in range(2))
    assert np.array_equal(row_dot(a, b), (a * b).sum(axis=1))
    assert np.array_equal(row_dot(a, b[0]), (a * b[0]).sum(axis=1))
    assert np.array_equal(row_length(a), np.linalg.norm(a, axis=1))
    assert row_dot(a, b).dtype == row_length(a).dtype == kind
    assert not np.array_equal(row_dot(a, b), (a[:, ::-1] * b[:, ::-1]).sum(axis=1))
