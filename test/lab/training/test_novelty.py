import json
import shutil

import cv2
import numpy as np
import pytest
import torch

from rgb2swir_ros.cli.main import main
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.imaging.novelty import (
    NOVELTY_FILE,
    Novelty,
    PooledGuidance,
    open_novelty,
    shrunk,
)
from rgb2swir_ros.imaging.tensors import read_tensors
from rgb2swir_ros.lab.training import novelty
from rgb2swir_ros.translator import Translator

from ...small_models import TINY, untidy

SIZE = (48, 64)


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp('model')
    untidy(TINY).save(folder)
    return folder


def road(seed: int) -> np.ndarray:
    """Return a sky above a road with some things in between, uint8 (H, W, 3)."""
    rng = np.random.default_rng(seed)
    height, width = SIZE
    horizon = height // 2 + int(rng.integers(-6, 6))
    picture = np.full((height, width, 3), rng.integers((80, 80, 80), (110, 110, 110)), np.uint8)
    picture[:horizon] = rng.integers((120, 150, 210), (180, 200, 255))
    for _ in range(8):
        x, w, h = int(rng.integers(width - 10)), int(rng.integers(2, 10)), int(rng.integers(3, 15))
        picture[max(horizon - h, 0):horizon, x:x + w] = rng.integers((20, 50, 10), (90, 110, 60))
    noisy = picture + rng.normal(0, 4, picture.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp('roads')
    (folder / 'annotations').mkdir()
    for k, (split, count) in enumerate({'train': 40, 'validation': 15, 'test': 25}.items()):
        names = [f'{split}{n}.png' for n in range(count)]
        for n, name in enumerate(names):
            cv2.imwrite(str(folder / name), road(1000 * k + n)[..., ::-1])
        (folder / 'annotations' / f'{split}.json').write_text(json.dumps({
            'images': [{'id': n, 'file_name': name, 'rgb_file_name': name, 'height': SIZE[0],
                        'width': SIZE[1]} for n, name in enumerate(names)],
            'annotations': [], 'categories': [{'id': 1, 'name': 'car'}]}))
    return folder


@pytest.mark.parametrize('size', [(48, 64), (96, 128), (360, 640), (131, 517)])
def test_features_are_those_of_the_models_encoder(model, size):
    rgb = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    small = shrunk(rgb)
    with torch.no_grad():
        encoder = Translator.load(model).guidance
        features = encoder(torch.from_numpy(small).permute(2, 0, 1)[None].float() / 255)
    strips = features[0].reshape(8, 6, 1, 4).mean(dim=(2, 3)).T.reshape(-1)
    np.testing.assert_allclose(PooledGuidance(model)(rgb), strips.numpy(), atol=1e-5)


def test_a_shrunk_frame_is_nearly_its_mean_by_area():
    rgb = cv2.resize(road(0), (640, 360), interpolation=cv2.INTER_CUBIC)
    whole = cv2.resize(rgb, (32, 48), interpolation=cv2.INTER_AREA).astype(float)
    assert shrunk(rgb).shape == (48, 32, 3)
    assert np.abs(shrunk(rgb) - whole).mean() < 4


def test_roads_are_known_and_what_is_strange_is_not(model, data, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(novelty, 'VIEWS', 2)
    shutil.copytree(model, tmp_path / 'm')
    assert open_novelty(tmp_path / 'm') is None
    command = ['train', 'novelty', '--model', str(tmp_path / 'm'), '--data', str(data)]
    assert main([*command, '--json']) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts['frames'] == '40 train, 40 held out'
    assert facts['AUROC on held-out views'] > .85
    measure = open_novelty(tmp_path / 'm')
    scores = np.array([measure(road(5000 + k)) for k in range(20)])
    turned = np.array([measure(np.ascontiguousarray(road(5000 + k)[::-1])) for k in range(20)])
    assert (scores <= 0).mean() >= .9
    assert (turned > 0).mean() >= .9
    assert measure.facts['command'].startswith('rgb2swir train novelty --model m')
    # what is there is not replaced, and a file of other weights is refused
    assert main(command) == 2
    weights = (tmp_path / 'm' / 'weights.safetensors').read_bytes()
    (tmp_path / 'm' / 'weights.safetensors').write_bytes(weights[:-1] + b'\x01')
    with pytest.raises(UserError, match='fitted to other weights'):
        Novelty(tmp_path / 'm')


def test_the_same_command_gives_the_same_file(model, data, tmp_path, monkeypatch):
    monkeypatch.setattr(novelty, 'VIEWS', 1)
    for name in 'ab':
        assert main(['train', 'novelty', '--model', str(model), '--data', str(data), '-o',
                     str(tmp_path / name)]) == 0
    files = [read_tensors(tmp_path / name / NOVELTY_FILE)[0] for name in 'ab']
    np.testing.assert_array_equal(files[0]['weight'], files[1]['weight'])


def test_too_few_frames_and_no_frames_are_refused(model, data, tmp_path):
    with pytest.raises(UserError, match='annotations/train'):
        novelty.fit_novelty(model, tmp_path)
    shutil.copytree(data, tmp_path / 'few')
    path = tmp_path / 'few' / 'annotations' / 'validation.json'
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, 'images': content['images'][:5]}))
    with pytest.raises(UserError, match='30 frames for held out: render more'):
        novelty.fit_novelty(model, tmp_path / 'few')


def test_a_model_without_learned_guidance_cannot_tell(tmp_path):
    from dataclasses import replace
    untidy(replace(TINY, guidance=replace(TINY.guidance, learned=False))).save(tmp_path)
    with pytest.raises(UserError, match='only models with learned guidance'):
        PooledGuidance(tmp_path)


def test_auroc_counts_pairs_and_ties_half():
    assert novelty.auroc([1, 2, 3], [4, 5]) == 1
    assert novelty.auroc([1, 2], [0]) == 0
    assert novelty.auroc([1, 2], [1, 2]) == .5
    assert novelty.auroc([1, 1, 3], [1]) == pytest.approx(1 / 3)


def test_logistic_regression_is_at_its_optimum():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3)) * (1, 10, .1) + (5, 0, 0)
    labels = (rng.random(400) < 1 / (1 + np.exp(-(x[:, 0] - 5)))).astype(float)
    weight, offset = novelty.logistic(x, labels, .01)
    odds = 1 / (1 + np.exp(-(x @ weight + offset)))
    assert odds.mean() == pytest.approx(labels.mean(), abs=1e-6)  # the offset has no ridge
    deviation = x.std(0) + 1e-3
    slope = ((x - x.mean(0)) / deviation).T @ (odds - labels) + .01 * 400 * weight * deviation
    np.testing.assert_allclose(slope, 0, atol=1e-4)
    assert weight[0] > .5


@pytest.mark.parametrize('kind', novelty.STRANGE)
def test_strange_frames_keep_their_shape_and_are_drawn_from_the_generator(kind):
    rgb = road(3)
    made = [novelty.STRANGE[kind](rgb, np.random.default_rng(s)) for s in (1, 1, 2)]
    assert made[0].dtype == np.uint8
    assert made[0].ndim == 3
    np.testing.assert_array_equal(made[0], made[1])
    assert any(m.shape != rgb.shape or (m != rgb).any() for m in made)
