"""The detectors that ship, on frames of scenes that no data set with seed 0 to 8 has."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
import yaml

from rgb2swir_ros.lab.detector.model import load_detector
from rgb2swir_ros.lab.detector.network import DetectorConfig
from rgb2swir_ros.lab.detector.targets import box_overlap
from rgb2swir_ros.lab.scenes.frames import render_frames
from rgb2swir_ros.model_files import model_hash
from rgb2swir_ros.resources import model_directory

SURE = .3
NAMES = ('detector', 'detector_640x512')


@pytest.fixture(scope='module', params=NAMES)
def detector(request):
    return load_detector(model_directory(request.param))


@cache
def frames():
    """Return three frames, rendered once for all detectors."""
    return [render_frames(seed, (256, 320), 1)[0] for seed in (9_000_003, 9_000_005, 9_000_006)]


def test_knows_the_six_classes(detector):
    assert tuple(detector.classes) == DetectorConfig().classes


def test_finds_most_of_what_is_well_seen(detector):
    """Of objects of 12 by 12 pixels and more, in the right class and place."""
    wanted = hits = 0
    for frame in frames():
        found = detector.detect([frame.swir ** np.float32(1 / 2.2)])[0]
        for item in frame.objects:
            if item.area < 144 or item.visible < .5 or item.lost:
                continue
            x, y, width, height = item.box
            true = torch.tensor([[x, y, x + width, y + height]])
            wanted += 1
            hits += any(
                score > SURE and detector.classes[label] == item.category
                and float(box_overlap(torch.from_numpy(box[None]), true)[0]) > .5
                for box, score, label in zip(found.boxes, found.scores, found.labels, strict=True))
    assert wanted >= 10
    assert hits >= .6 * wanted


def test_the_one_for_large_frames_goes_on_from_the_other():
    first, second = (model_directory(name) for name in NAMES)
    about = yaml.safe_load((second / 'model.yaml').read_text())
    assert about['training']['start'] == model_hash(first)
    assert about['training']['crop'] == [512, 640]
    assert load_detector(second).min_side == about['min_side'] == 6


@pytest.mark.parametrize('display_value', [0.0, .5, 1.0])
def test_finds_nothing_in_a_blank_frame(detector, display_value):
    found = detector.detect([np.full((256, 320), display_value, np.float32)])[0]
    assert not (found.scores > SURE).any()
