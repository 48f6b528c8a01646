"""Augmented crops keep boxes on their objects; batches follow from seed and step."""

import dataclasses

import cv2
import numpy as np
import pytest

from rgb2swir_ros.lab.detector import data
from rgb2swir_ros.lab.detector.data import (
    FrameCache,
    augment_display_values,
    draw,
    draw_batch,
    order,
)
from rgb2swir_ros.lab.scenes.annotations import read_annotations


@pytest.fixture
def block(toy, tmp_path):
    """Return a cache of one black frame with one white object."""
    frame = read_annotations(toy, 'train').frames[0]
    pixels = np.zeros((64, 96), np.uint16)
    pixels[20:36, 30:54] = 65535
    cv2.imwrite(str(tmp_path / 'block.png'), pixels)
    return FrameCache([dataclasses.replace(
        frame, path=tmp_path / 'block.png', boxes=np.array([[30, 20, 24, 16]], np.float32),
        labels=np.array([2]), areas=np.array([384.]), ignored=np.array([False]))])


@pytest.mark.parametrize('size', [(64, 96), (32, 64), (96, 96)])
def test_boxes_stay_on_their_objects(block, monkeypatch, size):
    monkeypatch.setattr(data, 'augment_display_values', lambda display_value, _rng: display_value)
    seen = 0
    for seed in range(60):
        sample = draw(block, 0, size, np.random.default_rng(seed))
        assert sample.display_value.shape == size
        if len(sample.labels) == 0:
            continue
        seen += 1
        rows, columns = np.nonzero(sample.display_value > .5)
        inside = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert np.abs(sample.boxes[0] - inside).max() <= 1.01
        assert sample.labels.tolist() == [2]
    assert seen > 20


def test_native_crops_are_exact(block, monkeypatch):
    monkeypatch.setattr(data, 'augment_display_values', lambda display_value, _rng: display_value)
    monkeypatch.setattr(data, 'NATIVE_SHARE', 1.0)
    for seed in range(10):
        sample = draw(block, 0, (64, 96), np.random.default_rng(seed))
        assert set(np.unique(sample.display_value)) == {0., 1.}
        assert sample.boxes[0].tolist() in ([30, 20, 54, 36], [96 - 54, 20, 96 - 30, 36])


def test_slivers_and_crowds_are_ignored_not_taught(block, monkeypatch):
    kept = ignored = 0
    for seed in range(60):
        sample = draw(block, 0, (16, 32), np.random.default_rng(seed))
        for box in sample.boxes:
            assert (box >= 0).all()
            assert (box <= [32, 16, 32, 16]).all()
        kept, ignored = kept + len(sample.boxes), ignored + len(sample.ignored)
        assert len(sample.boxes) + len(sample.ignored) <= 1
    assert kept
    assert ignored
    crowd = FrameCache([dataclasses.replace(block.frames[0], ignored=np.array([True]))])
    sample = draw(crowd, 0, (64, 96), np.random.default_rng(0))
    assert (len(sample.boxes), len(sample.ignored)) == (0, 1)


def test_tones_stay_in_range_and_mild(block):
    display_value = np.linspace(0, 1, 64 * 96, dtype=np.float32).reshape(64, 96)
    shifts = []
    for seed in range(40):
        other = augment_display_values(display_value, np.random.default_rng(seed))
        assert other.dtype == np.float32
        assert 0 <= other.min() <= other.max() <= 1
        shifts.append(np.abs(other - display_value).mean())
    assert .02 < np.mean(shifts) < .15


def test_every_epoch_shows_every_frame_once():
    seen = np.concatenate([order(7, 3, step, 1) for step in range(14)])
    for epoch in range(6):
        assert sorted(seen[7 * epoch:7 * epoch + 7]) == list(range(7))
    assert seen[:7].tolist() != seen[7:14].tolist()
    assert order(7, 3, 4, 1).tolist() != order(7, 3, 4, 2).tolist()


def test_batches_follow_from_seed_and_step(toy):
    cache = FrameCache(read_annotations(toy, 'train').frames)
    first, again = (draw_batch(cache, 3, (64, 96), 5, 1) for _ in range(2))
    other = draw_batch(cache, 3, (64, 96), 6, 1)
    for a, b, c in zip(first, again, other, strict=True):
        assert np.array_equal(a.display_value, b.display_value)
        assert np.array_equal(a.boxes, b.boxes)
        assert not np.array_equal(a.display_value, c.display_value)


def test_frames_beyond_the_memory_limit_are_read_each_time(toy):
    frames = read_annotations(toy, 'train').frames[:3]
    cache, free = FrameCache(frames, limit=2 * 64 * 96 * 2), FrameCache(frames)
    for _ in range(2):
        for k in range(3):
            assert np.array_equal(cache.display_value(k), free.display_value(k))
    assert len(cache._kept) == 2
