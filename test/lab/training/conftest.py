"""What the tests of the training share: pairs of patches, small translators, batches."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from rgb2swir_ros.lab.training.batches import Stores, to_tensors
from rgb2swir_ros.lab.training.stages import Batch
from rgb2swir_ros.lab.training.validation import PairValidator, spread

sys.path.insert(0, str(Path(__file__).parent))  # the helper modules beside these tests

from tiny_training import PatchPairs, tiny_translator


@pytest.fixture(scope='session')
def pairs() -> PatchPairs:
    return PatchPairs(8, (64, 96))


@pytest.fixture(scope='session')
def stores(pairs) -> Stores:
    return Stores(pairs, pairs)


@pytest.fixture(scope='session')
def held_out() -> PatchPairs:
    return PatchPairs(4, (50, 70), seed=1)


@pytest.fixture(scope='session')
def validator(held_out) -> PairValidator:
    return PairValidator(spread(held_out, 2))


@pytest.fixture
def make_translator():
    """Build small translators, the same weights each time."""
    return tiny_translator


@pytest.fixture
def make_batch(pairs):
    """Draw batches, the same ones each time."""
    def make(count: int = 4, step: int = 0) -> Batch:
        rgb, sqrt_radiance = to_tensors(*pairs.batch(np.random.default_rng(step), count, None))
        return Batch(rgb, sqrt_radiance, torch.Generator().manual_seed(step), step)
    return make


@pytest.fixture
def check_learning(make_batch):
    """Check that a stage learns from one batch, and that no other part gets a gradient."""
    def check(training, stage) -> None:
        parameters = training.select(stage)
        optimizer = torch.optim.AdamW(parameters, lr=3e-3)
        losses = []
        for _ in range(25):
            optimizer.zero_grad()
            parts = training.parts(stage, make_batch())
            loss = sum(parts.values())
            loss.backward()
            optimizer.step()
            losses.append(sum(v.item() for name, v in parts.items() if name != 'lpl'))
        assert losses[-1] < .9 * losses[0]
        trained = {id(p) for p in parameters}
        for name, parameter in training.translator.named_parameters():
            if id(parameter) not in trained:
                assert parameter.grad is None, f'{name} got a gradient in {stage.name}'
    return check
