"""The parity gate."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch

from rgb2swir_ros.engines.base import EngineSpec
from rgb2swir_ros.engines.eager import EagerEngine
from rgb2swir_ros.engines.parity import ParityError, compare, parity_frames, require_parity

SPEC = EngineSpec('tiny', 32, 48, 1, 'eager', 'float32', 1)


def offset(reference, change):
    """An engine that is the reference, changed."""
    def engine(rgb):
        with torch.inference_mode():
            return change(reference(torch.from_numpy(rgb)).numpy())
    return engine


def some_pixels(share, amount):
    def change(radiance):
        radiance = radiance.copy()
        radiance.reshape(-1)[:int(share * radiance.size)] += amount
        return radiance
    return change


def test_frames_are_fixed_and_cover_the_levels():
    frames = parity_frames(64, 80)
    assert frames.shape == (2, 64, 80, 3)
    assert frames.dtype == np.uint8
    assert (frames == parity_frames(64, 80)).all()
    assert frames[0].min() == 0
    assert frames[0].max() == 255
    assert frames[1].std() > 30
    digest = hashlib.sha256(frames.tobytes()).hexdigest()
    assert digest.startswith('75a2afe6f7f962c1'), 'recorded figures were measured on other frames'


def test_same_function_has_no_difference(reference):
    parity = compare(offset(reference, lambda r: r), reference, SPEC)
    assert (parity.mean_255, parity.tail_255, parity.frames) == (0, 0, 2)


@pytest.mark.parametrize(('change', 'passes'), [
    (lambda r: r + 0.4 / 255, True),
    (lambda r: r + 0.6 / 255, False),          # the mean
    (some_pixels(0.0005, 40 / 255), True),     # fewer pixels than the tail looks at
    (some_pixels(0.01, 5 / 255), False),       # the tail, at a mean of 0.05/255
    (lambda r: r * np.nan, False),
])
def test_limits(reference, change, passes):
    engine = offset(reference, change)
    if passes:
        assert require_parity(engine, reference, SPEC).passes()
        return
    with pytest.raises(ParityError, match=r'by (\d+\.\d+|nan)/255 on .* precision float32'):
        require_parity(engine, reference, SPEC)


def test_figures_are_in_levels(reference):
    parity = compare(offset(reference, lambda r: r + 0.25 / 255), reference, SPEC)
    assert parity.mean_255 == pytest.approx(0.25, abs=1e-4)
    assert parity.tail_255 == pytest.approx(0.25, abs=1e-4)


def test_bfloat16_differs_a_little(reference):
    """The gate reports a difference where there must be one."""
    spec = replace(SPEC, precision='bfloat16')
    parity = require_parity(EagerEngine(reference, spec), reference, spec)
    assert 0 < parity.mean_255 < parity.tail_255
