"""The translator's stages, and the loop that runs, stops and resumes them."""

import numpy as np
import pytest
import torch

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.training import loop
from rgb2swir_ros.training.batches import to_tensors
from rgb2swir_ros.training.stages import Preset, Stage, stage_loss, trained_parameters
from rgb2swir_ros.translator import Translator

TINY = Preset((Stage('autoencoder', 4, 2, 1e-3), Stage('latent', 3, 2, 1e-3),
               Stage('pixels', 3, 2, 1e-3), Stage('finish', 2, 1, 1e-3, large=True)))


@pytest.mark.parametrize('stage', TINY.stages, ids=lambda s: s.name)
def test_each_stage_trains_its_own_parts_and_learns(stage, pairs):
    torch.manual_seed(0)
    translator = Translator()
    rgb, tone = to_tensors(*pairs.batch(np.random.default_rng(0), 4, None))
    parameters = list(trained_parameters(translator, stage))
    optimizer = torch.optim.AdamW(parameters, lr=1e-3)
    losses = []
    for _ in range(25):
        optimizer.zero_grad()
        loss = stage_loss(translator, stage, 0.9, rgb, tone, torch.Generator().manual_seed(4))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]
    trained = {id(p) for p in parameters}
    for name, parameter in translator.named_parameters():
        if id(parameter) not in trained:
            assert parameter.grad is None, f'{name} got a gradient in {stage.name}'


def test_killed_and_resumed_equals_uninterrupted(stores, tmp_path, monkeypatch):
    whole = loop.train(stores, TINY, tmp_path / 'whole', log=lambda _line: None)

    calls = 0
    original = loop.stage_loss

    def interrupted(*arguments):
        nonlocal calls
        calls += 1
        if calls == 7:  # in the middle of the second stage
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(loop, 'stage_loss', interrupted)
    with pytest.raises(KeyboardInterrupt):
        loop.train(stores, TINY, tmp_path / 'cut', save_every_s=0, log=lambda _line: None)
    lines: list[str] = []
    resumed = loop.train(stores, TINY, tmp_path / 'cut', log=lines.append)
    assert any('resuming stage 2 at step 2' in line for line in lines)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], tensor), name


def test_a_checkpoint_of_another_model_is_refused(stores, tmp_path):
    from rgb2swir_ros.nets.regression import RegressionConfig
    from rgb2swir_ros.training.canary import CanaryPlan, train_canary

    small = RegressionConfig(widths=(8, 8, 8, 8, 8), dilations=(1,))
    train_canary(stores, CanaryPlan(steps=1, batch=1, network=small), tmp_path,
                 log=lambda _line: None)
    with pytest.raises(UserError, match='another training'):
        loop.train(stores, TINY, tmp_path, log=lambda _line: None)


def test_scaled_keeps_every_stage():
    scaled = Preset().scaled(.001)
    assert [stage.name for stage in scaled.stages] == [s.name for s in Preset().stages]
    assert [stage.steps for stage in scaled.stages] == [2, 1, 4, 2]
    assert [stage.large for stage in scaled.stages] == [False, False, False, True]


def test_small_stages_take_turns_between_frames_and_crops():
    assert [TINY.stages[0].kind(step) for step in range(3)] == ['whole', 'crop', 'whole']
    assert {TINY.stages[-1].kind(step) for step in range(3)} == {'large'}
