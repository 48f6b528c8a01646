"""Gradient-boosted trees as a baseline."""

import numpy as np
import pytest

from rgb2swir_ros.lab.training import trees
from rgb2swir_ros.lab.training.trees import BoostedTrees, pixel_features
from rgb2swir_ros.lab.training.validation import fit_lookup, validate


def test_features_are_colour_place_and_local_statistics():
    rgb = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    features = pixel_features(rgb)
    assert features.shape == (40, 60, 5 + 3 * 4)
    assert np.allclose(features[..., :3], rgb / 255, atol=1e-6)
    assert features[0, 0, 3:5].tolist() == [-1, -1]
    assert features[-1, -1, 3:5].tolist() == [1, 1]
    flat = pixel_features(np.full((40, 60, 3), 100, np.uint8))
    assert np.allclose(flat[..., [8, 12, 16]], 0, atol=1e-3)  # deviations
    assert np.allclose(flat[..., 5:8], 100 / 255, atol=1e-5)


def test_trees_tell_texture_where_a_look_up_of_colours_cannot(pairs, held_out, monkeypatch):
    pytest.importorskip('sklearn')
    monkeypatch.setattr(trees, 'PIXELS', 512)
    fitted = BoostedTrees(pairs)
    frames = [held_out[k] for k in range(2)]
    assert fitted(frames[0].rgb).shape == frames[0].radiance.shape
    assert fitted(frames[0].rgb).dtype == np.float32
    figures = validate(lambda pair: np.sqrt(fitted(pair.rgb)), frames, fit_lookup(pairs))
    assert figures['model'] > figures['lookup'] + 1
    assert np.array_equal(BoostedTrees(pairs)(frames[0].rgb), fitted(frames[0].rgb))
