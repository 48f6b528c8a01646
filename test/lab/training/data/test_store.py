"""The store of pairs: what it holds, how it is filled, what it draws."""

import os

import numpy as np
import pytest
import trees

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.training.data.augment import Augmentation
from rgb2swir_ros.lab.training.data.pairs import open_pairs
from rgb2swir_ros.lab.training.data.store import PairStore, cover


@pytest.fixture
def dataset(tmp_path):
    trees.twins(tmp_path / 'data', count=9)
    return reopened(tmp_path)


def reopened(tmp_path):
    return open_pairs(tmp_path / 'data', 'all')


@pytest.fixture
def store(tmp_path, dataset):
    made = PairStore(tmp_path / 'store', dataset, trees.SIZE)
    made.fill(lambda _done, _count: None)
    return made


def test_holds_the_pairs_of_the_data_set(store, dataset):
    assert len(store) == 9
    for index in range(9):
        rgb, radiance = store.pair(index)
        assert np.array_equal(rgb, dataset[index].rgb)
        assert np.abs(radiance - dataset[index].radiance).max() <= .51 / 65535
        assert radiance.dtype == np.float32


def test_opened_again_it_reads_nothing(store, dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(type(dataset), '__getitem__', None)
    again = PairStore(tmp_path / 'store', dataset, trees.SIZE)
    again.fill(lambda *_: pytest.fail('read again'))
    assert np.array_equal(again.rgb, store.rgb)


def test_interrupted_it_goes_on(tmp_path, dataset, monkeypatch):
    monkeypatch.setattr('rgb2swir_ros.lab.training.data.store.CHUNK', 2)

    def stop(done, _count):
        if done == 4:
            raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        PairStore(tmp_path / 'store', dataset, trees.SIZE).fill(stop)
    again, seen = PairStore(tmp_path / 'store', dataset, trees.SIZE), []
    assert len(again) == 4
    again.fill(lambda done, count: seen.append((done, count)))
    assert seen == [(6, 9), (8, 9), (9, 9)]
    assert np.array_equal(again.pair(8)[0], dataset[8].rgb)


def test_other_pairs_or_another_size_are_refused(store, dataset, tmp_path):
    with pytest.raises(UserError, match='another size'):
        PairStore(tmp_path / 'store', dataset, (16, 16))
    path = dataset.files[0].swir
    changed = bytearray(path.read_bytes())
    changed[len(changed) // 2] ^= 1
    path.write_bytes(changed)  # of the same size
    with pytest.raises(UserError, match='other pairs'):
        PairStore(tmp_path / 'store', reopened(tmp_path), trees.SIZE)


def test_copies_of_the_pairs_are_the_same_pairs(store, dataset, tmp_path, monkeypatch):
    path = dataset.files[0].swir
    os.utime(path, ns=(1, 1))
    said: list[str] = []
    again = PairStore(tmp_path / 'store', reopened(tmp_path), trees.SIZE, said.append)
    assert again.identity == store.identity
    assert said == [f'reading the files of {len(dataset)} pairs, to know them again']
    again.fill(lambda *_: pytest.fail('read again'))
    monkeypatch.setattr(type(dataset), 'content', property(lambda _: pytest.fail('hashed again')))
    PairStore(tmp_path / 'store', reopened(tmp_path), trees.SIZE, pytest.fail)


def test_pairs_that_cannot_be_decoded_are_left_out_and_listed(tmp_path, dataset):
    trees.put(dataset.files[2].swir, trees.picture(5))  # false colours
    store = PairStore(tmp_path / 'store', dataset, trees.SIZE)
    store.fill(lambda _done, _count: None)
    assert len(store) == 8
    assert 2 not in store.usable
    assert 'false colours' in store.skipped[0].reason
    assert np.array_equal(store.pair(2)[0], dataset[3].rgb)
    drawn, _ = store.batch(np.random.default_rng(0), 64, None)
    assert drawn.reshape(64, -1).max(axis=1).min() > 0, 'an empty place was drawn'


def test_none_that_can_be_decoded_is_an_error(tmp_path, dataset):
    for files in dataset.files:
        trees.put(files.swir, trees.picture(5))
    with pytest.raises(UserError, match='none of 9 pairs'):
        PairStore(tmp_path / 'store', dataset, trees.SIZE).fill(lambda _done, _count: None)


def test_batches_keep_rgb_and_radiance_together(store):
    rgb, radiance = store.batch(np.random.default_rng(0), 40, (16, 20))
    assert (rgb.shape, radiance.shape) == ((40, 16, 20, 3), (40, 16, 20))
    assert (rgb.dtype, radiance.dtype) == (np.uint8, np.float32)
    # radiance is the green channel with gamma 2.2, JPEG's loss aside
    assert np.abs((rgb[..., 1] / 255) ** 2.2 - radiance).mean() < .03
    again = store.batch(np.random.default_rng(0), 40, (16, 20))
    assert np.array_equal(rgb, again[0])


def test_batches_mirror_half_of_the_pairs(store):
    rgb, _ = store.batch(np.random.default_rng(1), 60, None)
    plain = [any(np.array_equal(p, store.pair(k)[0]) for k in range(9)) for p in rgb]
    mirrored = [any(np.array_equal(p[:, ::-1], store.pair(k)[0]) for k in range(9)) for p in rgb]
    assert all(a != b for a, b in zip(plain, mirrored, strict=True))
    assert 15 < sum(plain) < 45


def test_batches_are_augmented_when_asked(store):
    arguments = (8, (16, 20), Augmentation())
    rgb, radiance = store.batch(np.random.default_rng(0), *arguments)
    assert (rgb.shape, radiance.shape) == ((8, 16, 20, 3), (8, 16, 20))
    again = store.batch(np.random.default_rng(0), *arguments)
    assert np.array_equal(rgb, again[0])
    assert np.array_equal(radiance, again[1])
    plain = store.batch(np.random.default_rng(0), 8, (16, 20))
    assert not np.array_equal(rgb, plain[0])


def test_an_empty_store_says_so(tmp_path, dataset):
    with pytest.raises(ValueError, match='fill it first'):
        PairStore(tmp_path / 'store', dataset, trees.SIZE).batch(np.random.default_rng(0), 1, None)


@pytest.mark.parametrize('size', [(16, 24), (20, 20), (64, 96), (16, 48)])
def test_cover_keeps_the_aspect_and_the_middle(size):
    # rows and columns told by their values, so that scale and place can be read off
    y, x = np.mgrid[:32, :48].astype(np.float32)
    out = cover(np.dstack([y, x]), size)
    assert out.shape == (*size, 2)
    middle = out[1:-1, 1:-1]
    assert np.allclose(middle.mean(axis=(0, 1)), [15.5, 23.5], atol=.3)
    steps = np.median(np.diff(middle[..., 0], axis=0)), np.median(np.diff(middle[..., 1], axis=1))
    assert steps[0] == pytest.approx(steps[1], rel=.03)
