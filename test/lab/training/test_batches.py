"""Kinds of batches, their sizes, and who prepares them."""

import itertools
import os
import signal
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.training import batches
from rgb2swir_ros.lab.training.data.pairs import open_pairs
from rgb2swir_ros.lab.training.stages import Batch


def test_padding_repeats_the_edge():
    rgb = np.arange(5 * 40 * 3, dtype=np.uint8).reshape(1, 5, 40, 3)
    radiance = rgb[..., 0].astype(np.float32)
    wide, light = batches.padded(rgb, radiance)
    assert wide.shape == (1, 32, 64, 3)
    assert light.shape == (1, 32, 64)
    assert np.array_equal(wide[:, :5, :40], rgb)
    assert (wide[0, 5:, 7] == rgb[0, 4, 7]).all()
    assert (light[0, 2, 40:] == radiance[0, 2, 39]).all()


class Asked:
    """Pairs that remember what was asked of them."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size, self.augmented = size, []

    def batch(self, rng, count, crop, augmentation=None):
        self.asked = count, crop
        self.augmented.append(augmentation is not None)
        size = crop or self.size
        return np.zeros((count, *size, 3), np.uint8), np.zeros((count, *size), np.float32)


@pytest.mark.parametrize(('kind', 'asked', 'shape'), [
    ('whole', (8, None), (8, 192, 320)), ('crop', (8, (256, 320)), (8, 256, 320)),
    ('large', (3, None), (3, 384, 640))])
def test_kinds_of_batches_have_about_equal_pixels(kind, asked, shape):
    small, large = Asked((180, 320)), Asked((360, 640))
    rgb, radiance = batches.draw(batches.Stores(small, large), np.random.default_rng(0), 8, kind)
    assert (small if kind == 'whole' else large).asked == asked
    assert radiance.shape == shape
    assert rgb.shape == (*shape, 3)


@pytest.mark.parametrize('kind', ['whole', 'crop', 'large'])
def test_small_frames_serve_for_everything(kind):
    pairs = Asked((100, 200))
    _, radiance = batches.draw(batches.Stores(pairs, pairs), np.random.default_rng(0), 4, kind)
    assert radiance.shape == (4, 128, 224)


def test_most_batches_are_augmented_and_some_are_not():
    pairs, rng = Asked((32, 32)), np.random.default_rng(0)
    for _ in range(300):
        batches.draw(batches.Stores(pairs, pairs), rng, 1, 'whole')
    assert .7 < np.mean(pairs.augmented) < .9


def write_pairs(folder, count: int, size: tuple[int, int]) -> None:
    for name in ('rgb', 'swir'):
        (folder / name).mkdir(parents=True)
    for k in range(count):
        cv2.imwrite(str(folder / 'rgb' / f'd{k}_0.png'), np.full((*size, 3), 10 * k, np.uint8))
        cv2.imwrite(str(folder / 'swir' / f'd{k}_0.png'), np.full(size, 1000 * k, np.uint16))


def test_stores_hold_the_pairs_at_both_sizes_and_are_read_once(tmp_path):
    write_pairs(tmp_path / 'data', 5, (720, 1280))
    dataset = open_pairs(tmp_path / 'data', 'all')
    lines: list[str] = []
    stores = batches.open_stores([dataset], tmp_path / 'work', lines.append)
    assert stores.small.size == (180, 320)
    assert stores.large.size == (360, 640)
    rng = np.random.default_rng(0)
    for store in (stores.small, stores.large):
        rgb, radiance = store.batch(rng, 6, None)
        assert np.allclose(radiance[:, 0, 0] * 65535, 100. * rgb[:, 0, 0, 0], atol=1)
    assert any('reading 5 pairs' in line for line in lines)
    lines.clear()
    batches.open_stores([dataset], tmp_path / 'work', lines.append)
    assert not lines


def test_small_frames_are_stored_once(tmp_path):
    write_pairs(tmp_path / 'data', 3, (120, 160))
    stores = batches.open_stores([open_pairs(tmp_path / 'data', 'all')], tmp_path / 'work', print)
    assert stores.small is stores.large
    assert stores.small.size == (120, 160)


def test_of_several_data_sets_the_large_frames_are_those_of_the_largest(tmp_path):
    write_pairs(tmp_path / 'a', 4, (256, 320))
    write_pairs(tmp_path / 'b', 2, (512, 640))
    datasets = [open_pairs(tmp_path / name, 'all') for name in 'ab']
    stores = batches.open_stores(datasets, tmp_path / 'work', print)
    assert stores.small.size == (256, 320)
    assert stores.large.size == (512, 640)
    rng = np.random.default_rng(0)
    drawn = [int(stores.small.batch(rng, 1, None)[0].max()) for _ in range(200)]
    assert {0, 10, 20, 30} == set(drawn)
    assert np.mean(np.array(drawn) >= 20) == pytest.approx(1 / 3, abs=.1)  # of b there are none
    write_pairs(tmp_path / 'c', 1, (360, 640))
    with pytest.raises(UserError, match=r'one shape.*320x256, 640x360'):
        batches.open_stores([datasets[0], open_pairs(tmp_path / 'c', 'all')],
                            tmp_path / 'other', print)


def test_tensors_are_tone_and_unit_rgb():
    rgb, sqrt_radiance = batches.to_tensors(np.full((1, 4, 6, 3), 255, np.uint8),
                                   np.full((1, 4, 6), .25, np.float16))
    assert rgb.shape == (1, 3, 4, 6)
    assert rgb.max() == 1
    assert torch.equal(sqrt_radiance, torch.full((1, 1, 4, 6), .5))


def test_prepared_items_come_in_order_from_another_thread():
    threads = set()

    def make(step: int) -> int:
        threads.add(threading.get_ident())
        return step * step

    assert list(batches.prefetched(make, range(3, 20))) == [k * k for k in range(3, 20)]
    assert threads
    assert threading.get_ident() not in threads


def drawn(step: int) -> Batch:
    rng = np.random.default_rng(step)
    return Batch(torch.from_numpy(rng.random((1, 3, 4, 4))), torch.full((1, 1, 4, 4), step),
                 torch.Generator().manual_seed(step), step)


def test_processes_prepare_what_a_thread_would_in_the_same_order():
    def facts(batch: Batch) -> tuple:
        return batch.step, batch.rgb.tolist(), batch.sqrt_radiance.tolist(), float(batch.uniform())

    threaded = [facts(batch) for batch in batches.prefetched(drawn, range(2, 15))]
    assert [facts(batch) for batch in batches.prefetched(drawn, range(2, 15), 2)] == threaded
    assert [fact[0] for fact in threaded] == list(range(2, 15))


def test_it_is_other_processes_that_prepare_and_they_end():
    items = batches.prefetched(lambda _step: os.getpid(), itertools.count(), 2)
    found = {next(items) for _ in range(8)}
    items.close()
    assert os.getpid() not in found
    assert len(found) == 2
    assert not [pid for pid in found if Path(f'/proc/{pid}').exists()]


def test_ctrl_c_at_the_terminal_leaves_the_processes_to_the_training():
    items = batches.prefetched(lambda step: (step, os.getpid()), itertools.count(), 2)
    _, pid = next(items)
    os.kill(pid, signal.SIGINT)
    assert [next(items)[0] for _ in range(30)] == list(range(1, 31))
    items.close()


@pytest.mark.parametrize('workers', [0, 2])
def test_an_error_while_preparing_reaches_the_training(workers):
    def make(step: int) -> int:
        if step == 5:
            raise OSError('disk gone')
        return step

    items = batches.prefetched(make, range(100), workers)
    with pytest.raises(OSError, match='disk gone'):
        list(items)


def test_closing_ends_the_thread():
    items = batches.prefetched(lambda step: step, itertools.count())
    assert next(items) == 0
    items.close()
    assert not [t for t in threading.enumerate() if t.name.startswith('read-ahead')]
