"""Halos along crowns, on frames whose halos are known by construction."""

import argparse
import json

import cv2
import numpy as np
import pytest

from rgb2swir_ros.cli import evaluate_halos
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.evaluation.halos import frame_rings, halo_table, measure, summarise
from rgb2swir_ros.lab.evaluation.models import Candidate
from rgb2swir_ros.lab.scenes.frames import RenderedFrame
from rgb2swir_ros.lab.scenes.material_map import MaterialMap

from .tiny import save_tiny

SIZE = 160, 240
NAMES = 'asphalt', 'leaf', 'sky'


def crown_before_sky() -> tuple[RenderedFrame, np.ndarray]:
    """A round crown, dark in the visible and bright in SWIR, before a sky; and its distance."""
    y, x = np.mgrid[:SIZE[0], :SIZE[1]]
    outside = np.hypot(y - 80, x - 120) - 45  # pixels from the crown's edge
    index = np.where(outside < 0, 1, 2).astype(np.int16)
    swir = np.where(outside < 0, .36, .04).astype(np.float32)  # square roots .6 and .2
    rgb = np.repeat(np.where(outside < 0, 40, 200).astype(np.uint8)[..., None], 3, axis=2)
    return RenderedFrame(rgb, swir, [], 'town', 'clear', MaterialMap(NAMES, index)), outside


def figures(made):
    frame, _ = crown_before_sky()
    sky, crown = frame_rings('0', frame, {'m': made})
    return summarise([sky], [crown], 'm')


def test_the_truth_has_no_halo_and_a_wrong_level_is_none():
    frame, outside = crown_before_sky()
    for made in (frame.swir, np.square(np.sqrt(frame.swir) + .1),
                 np.where(outside < 0, frame.swir, .2)):
        result = figures(made.astype(np.float32))
        assert result.sky.value == pytest.approx(0, abs=1e-3)
        assert result.crown.value == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize('glow', [.1, -.1])
def test_a_glow_in_the_ring_is_its_share_of_the_contrast(glow):
    frame, outside = crown_before_sky()
    root = np.sqrt(frame.swir) + glow * ((outside >= 0) & (outside <= 6))
    result = figures(np.square(root).astype(np.float32))
    assert result.sky.value == pytest.approx(.1 / .4, abs=.005)
    assert result.sky_bright.value == pytest.approx(glow / .4, abs=.005)
    assert result.crown.value == pytest.approx(0, abs=1e-3)


def test_a_blurred_border_is_a_halo_on_both_sides():
    frame, _ = crown_before_sky()
    root = cv2.GaussianBlur(np.sqrt(frame.swir), (0, 0), 3)
    result = figures(np.square(root))
    assert result.sky_bright.value > .1
    assert result.crown_bright.value < -.1


def test_frames_without_a_crown_or_without_contrast_have_no_ring():
    frame, _ = crown_before_sky()
    flat = np.full_like(frame.swir, .2)
    assert frame_rings('0', RenderedFrame(frame.rgb, flat, [], 'town', 'clear', frame.materials),
                       {'m': flat}) == (None, None)
    none = MaterialMap(NAMES, np.zeros(SIZE, np.int16))
    assert frame_rings('0', RenderedFrame(frame.rgb, frame.swir, [], 'town', 'clear', none),
                       {'m': flat}) == (None, None)
    with pytest.raises(UserError, match='no frame shows a crown before a sky'):
        summarise([], [], 'm')


def test_models_are_measured_on_every_frame(capsys):
    frame, _ = crown_before_sky()
    right = Candidate('right', 0, lambda rgb: frame.swir)
    soft = Candidate('soft', 0, lambda rgb: cv2.GaussianBlur(frame.swir, (0, 0), 3))
    sky, crown = measure([('1', [frame, frame]), ('0', [frame])], [right, soft], 3)
    assert [ring.scene for ring in sky] == ['0', '1', '1']
    results = {name: summarise(sky, crown, name, resamples=20) for name in ('right', 'soft')}
    assert results['soft'].sky.value > .1 > results['right'].sky.value
    text = halo_table(results, (len(sky), len(crown)))
    assert '3 frames with sky at crowns' in text
    assert '3/3 frames' in capsys.readouterr().err


@pytest.mark.slow
def test_report(tmp_path, capsys):
    parser = argparse.ArgumentParser()
    evaluate_halos.configure(parser)
    out = tmp_path / 'out'
    words = ['--model', 'grey', '--model', save_tiny(tmp_path / 'tiny'), '--scenes', 2, '--looks',
             1, '--size', '240x192', '-o', out, '--resamples', 20]
    assert evaluate_halos.run(parser.parse_args([*map(str, words)])) == 0
    text, _ = capsys.readouterr()
    assert text.strip() == (out / 'table.txt').read_text().strip()
    figures = json.loads((out / 'halos.json').read_text())
    assert figures['rings']['sky'] > 0
    assert 0 < figures['models']['grey']['sky']['value'] < 2
