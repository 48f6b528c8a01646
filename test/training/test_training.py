"""The pool, the stages, checkpoints and the loop, on a training of a few steps."""

import numpy as np
import pytest
import torch

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.scenes.pairs import make_pair
from rgb2swir_ros.training import loop
from rgb2swir_ros.training.checkpoint import (
    read_checkpoint,
    restore_optimizer,
    save_checkpoint,
)
from rgb2swir_ros.training.judge import judge, psnr
from rgb2swir_ros.training.pool import PairPool
from rgb2swir_ros.training.stages import Preset, Stage, stage_loss, trained_parameters
from rgb2swir_ros.translator import Translator

TINY = Preset(pairs=6, size=(48, 64), crop=(32, 48), large_pairs=3, large_size=(64, 80),
              held_out=3, stages=(Stage('autoencoder', 4, 2, 1e-3), Stage('latent', 3, 2, 1e-3),
                                  Stage('pixels', 3, 2, 1e-3),
                                  Stage('finish', 2, 1, 1e-3, large=True)))


@pytest.fixture(scope='module')
def pool(tmp_path_factory) -> PairPool:
    pool = PairPool(tmp_path_factory.mktemp('pool'), 6, (48, 64), 100)
    pool.fill(lambda _done, _count: None)
    return pool


def test_pool_holds_the_pairs_of_its_seeds(pool):
    rgb, radiance = make_pair(103, (48, 64))
    assert np.array_equal(pool.rgb[3], rgb)
    assert np.array_equal(pool.radiance[3], radiance.astype(np.float16))


def test_pool_goes_on_where_it_stopped(tmp_path):
    first = PairPool(tmp_path, 4, (48, 64), 0)
    first.rgb[2], first.done[2] = 7, True  # pretend that pair 2 was made
    seen = []
    PairPool(tmp_path, 4, (48, 64), 0).fill(lambda done, _count: seen.append(done))
    assert seen == [2, 3, 4]
    assert (PairPool(tmp_path, 4, (48, 64), 0).rgb[2] == 7).all()


def test_pool_of_another_shape_is_refused(pool, tmp_path):
    PairPool(tmp_path, 4, (48, 64), 0)
    with pytest.raises(UserError, match='another training'):
        PairPool(tmp_path, 5, (48, 64), 0)


def test_batches_keep_rgb_and_radiance_together(pool):
    rng = np.random.default_rng(0)
    rgb, radiance = pool.batch(rng, 8, (32, 40))
    for picture, frame in zip(rgb, radiance, strict=True):
        places = [
            (k, top, left, step) for k in range(6) for top in range(17) for left in range(25)
            for step in (1, -1)
            if np.array_equal(pool.rgb[k][top:top + 32, left:left + 40][:, ::step], picture)]
        assert places
        k, top, left, step = places[0]
        expected = pool.radiance[k][top:top + 32, left:left + 40][:, ::step]
        assert np.array_equal(frame, expected.astype(np.float32))


@pytest.mark.parametrize('stage', TINY.stages, ids=lambda s: s.name)
def test_each_stage_trains_its_own_parts_and_learns(stage, pool):
    torch.manual_seed(0)
    translator = Translator()
    rgb, tone = loop.to_tensors(*pool.batch(np.random.default_rng(0), 4, None))
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


def test_checkpoint_round_trip(tmp_path):
    torch.manual_seed(0)
    layer = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=1e-2)
    for _ in range(3):
        optimizer.zero_grad()
        layer(torch.rand(4, 3)).square().sum().backward()
        optimizer.step()
    path = tmp_path / 'checkpoint.safetensors'
    save_checkpoint(path, layer.state_dict(), layer.state_dict(), optimizer, {'step': 3})
    groups, state = read_checkpoint(path)
    assert state == {'step': 3}
    twin = torch.nn.Linear(3, 2)
    twin.load_state_dict(groups['model'])
    other = torch.optim.AdamW(twin.parameters(), lr=1e-2)
    restore_optimizer(other, groups['optimizer'])
    x = torch.rand(4, 3)
    for net, opt in ((layer, optimizer), (twin, other)):
        opt.zero_grad()
        net(x).square().sum().backward()
        opt.step()
    assert torch.equal(layer.weight, twin.weight)
    assert not (tmp_path / 'checkpoint.part').exists()


@pytest.mark.slow
def test_killed_and_resumed_equals_uninterrupted(tmp_path, monkeypatch):
    whole = loop.train(TINY, tmp_path / 'whole', log=lambda _line: None)

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
        loop.train(TINY, tmp_path / 'cut', save_every_s=0, log=lambda _line: None)
    lines: list[str] = []
    resumed = loop.train(TINY, tmp_path / 'cut', log=lines.append)
    assert any('resuming stage 2 at step 2' in line for line in lines)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], tensor), name


def test_psnr_of_a_known_error():
    assert psnr(torch.full((1, 1, 4, 4), .6), torch.full((1, 1, 4, 4), .5)) == pytest.approx(20)


def test_judge_tells_the_latents_apart(pool):
    torch.manual_seed(0)
    translator = Translator().eval()
    with torch.no_grad():
        translator.decoder.inlet.weight.mul_(20)
    figures = judge(translator, pool)
    assert set(figures) == {'student', 'grey', 'autoencoder', 'zero_latent', 'foreign_latent'}
    assert figures['autoencoder'] != figures['zero_latent']
    assert figures['autoencoder'] != figures['foreign_latent']
