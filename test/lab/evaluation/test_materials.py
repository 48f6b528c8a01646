"""How bright materials come out: on frames whose answer is known, and as a user calls it."""

import argparse
import json
import math

import cv2
import numpy as np
import pytest

from rgb2swir_ros.cli import evaluate_materials
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.evaluation.materials import (
    Patch,
    frame_patches,
    jobs,
    measure,
    rendered,
    summarise,
)
from rgb2swir_ros.lab.evaluation.materials_report import materials_table, plot_materials
from rgb2swir_ros.lab.evaluation.models import Candidate
from rgb2swir_ros.lab.scenes.frames import RenderedFrame
from rgb2swir_ros.lab.scenes.material_map import MaterialMap

from .tiny import save_tiny


def frame(grass=.4, road=.1, night=.01):
    """A frame of 40 rows: 20 of grass, 10 of road, 9 of black plastic, and one of both."""
    index = np.repeat(np.array([0] * 20 + [1] * 10 + [2] * 9 + [-1], np.int16)[:, None], 50, 1)
    swir = np.select([index == 0, index == 1, index == 2], [grass, road, night], .9)
    return RenderedFrame(np.zeros((40, 50, 3), np.uint8), swir.astype(np.float32), (), 'test',
                         'clear', MaterialMap(('grass', 'asphalt', 'plastic', 'brick'), index))


def test_patches_are_means_of_pure_pixels():
    """What is nearly black, mixed or not there is left out."""
    made = {'m': np.full((40, 50), .2, np.float32)}
    made['m'][0] = 1.0
    grass, road = frame_patches('7', 1, frame(), made)
    assert (grass.scene, grass.frame, grass.material) == ('7', 1, 'grass')
    assert grass.true == pytest.approx(.4)
    assert grass.made['m'] == pytest.approx((.2 * 19 + 1) / 20)
    assert (road.material, road.true) == ('asphalt', pytest.approx(.1))
    assert road.made['m'] == pytest.approx(.2)
    with pytest.raises(ValueError, match='no map'):
        list(frame_patches('7', 1, RenderedFrame(made['m'], made['m'], (), '', ''), made))


def test_a_small_patch_is_left_out():
    few = frame()
    few.materials.index[:] = 0
    few.materials.index[0, :3] = 1  # 3 of 2000 pixels
    assert [p.material for p in frame_patches('1', 0, few, {'m': few.swir})] == ['grass']
    few.materials.index[0, :4] = 1
    assert len(list(frame_patches('1', 0, few, {'m': few.swir}))) == 2


def patches(factor, scenes=12):
    """Grass as ``factor`` of what it is, asphalt as it is."""
    return [p for k in range(scenes) for p in (
        Patch(str(k), 0, 'grass', .4, {'m': .4 * factor}),
        Patch(str(k), 0, 'asphalt', .1, {'m': .1}))]


def test_a_lawn_half_as_bright_is_said_so():
    result = summarise(patches(.5), 'm')
    assert result.error.value == pytest.approx(.5)  # one stop for half of the patches
    grass, road = result.by_material['grass'], result.by_material['asphalt']
    assert (grass.patches, grass.true, grass.made) == (12, pytest.approx(.4), pytest.approx(.2))
    assert grass.factor == grass.low == grass.high == pytest.approx(.5)
    assert road.factor == pytest.approx(1)


@pytest.mark.parametrize(('factor', 'kept'), [(1, 1), (.29, 1), (.28, 0), (.2, 0)])
def test_order_is_kept_by_a_margin(factor, kept):
    """Grass is four times as bright; .28 of it is only 1.12 times the asphalt."""
    result = summarise(patches(factor), 'm')
    assert (result.pairs, result.order.value) == (12, kept)


def test_only_clear_pairs_of_one_frame_count():
    near = [Patch('1', 0, 'a', .2, {'m': .1}), Patch('1', 0, 'b', .29, {'m': .1}),
            Patch('1', 1, 'c', .9, {'m': .1}), Patch('2', 0, 'd', .02, {'m': .1})]
    result = summarise(near, 'm')
    assert result.pairs == 0
    assert math.isnan(result.order.value)
    assert result.by_material == {}
    assert 'order kept' in materials_table({'m': result})


def test_intervals_are_over_scenes():
    """Half of the scenes keep the order: many scenes say so more surely than few."""
    def half(scenes, frames=1):
        mixed = [p for k in range(scenes) for f in range(frames) for p in (
            Patch(str(k), f, 'grass', .4, {'m': .4 if k % 2 else .1}),
            Patch(str(k), f, 'asphalt', .1, {'m': .1}))]
        return summarise(mixed, 'm').order

    few, many, looks = half(10), half(200), half(10, 20)
    assert few.value == many.value == looks.value == .5
    assert few.high - few.low > 2 * (many.high - many.low) > 0
    assert looks == few  # many looks of few scenes say no more


def test_nothing_to_measure_is_said():
    with pytest.raises(UserError, match='render more scenes'):
        summarise([], 'm')


def test_scenes_are_measured_in_order_of_their_numbers():
    """Workers end in any order; the figures must not depend on it."""
    grey = Candidate('m', 0, lambda rgb: np.full(rgb.shape[:2], .3, np.float32))
    found = measure([('11', [frame()]), ('9', [frame(), frame()])], [grey], 3)
    assert [(p.scene, p.frame, p.material) for p in found] == [
        ('9', 0, 'asphalt'), ('9', 0, 'grass'), ('9', 1, 'asphalt'), ('9', 1, 'grass'),
        ('11', 0, 'asphalt'), ('11', 0, 'grass')]


@pytest.mark.slow
def test_scenes_come_from_workers_as_they_would_from_one_process(monkeypatch):
    lost = []
    scenes = dict(rendered(jobs(2, 1, (64, 96), 9), 2, lost))
    assert sorted(scenes) == ['9000000', '9000001']
    assert lost == []
    again = dict(rendered(jobs(1, 1, (64, 96), 9), 1, lost))
    np.testing.assert_array_equal(again['9000000'][0].rgb, scenes['9000000'][0].rgb)


def test_a_scene_that_cannot_be_rendered_is_named():
    lost = []
    assert list(rendered(jobs(1, 1, (0, 96), 9), 1, lost)) == []
    assert len(lost) == 1
    assert lost[0].startswith('scene 9000000: ')


def test_plot_shows_every_patch(tmp_path):
    plot_materials(tmp_path / 'p.png', patches(.5), ['m'])
    assert cv2.imread(str(tmp_path / 'p.png')).std() > 10


def call(*words):
    parser = argparse.ArgumentParser()
    evaluate_materials.configure(parser)
    return evaluate_materials.run(parser.parse_args([*map(str, words), '--resamples', '20']))


@pytest.mark.slow
def test_report(tmp_path, capsys):
    model, out = save_tiny(tmp_path / 'tiny'), tmp_path / 'out'
    assert call('--model', model, '--model', 'grey', '--scenes', 6, '--looks', 2, '--size',
                '96x64', '--workers', 1, '-o', out) == 0
    text, progress = capsys.readouterr()
    assert text.strip() == (out / 'table.txt').read_text().strip()
    assert '6 scenes of seed 9, 12 frames of 96x64' in progress
    assert '12/12 frames' in progress
    figures = json.loads((out / 'materials.json').read_text())
    assert (figures['scenes'], figures['left_out']) == (6, [])
    grey = figures['models']['grey']
    assert grey['pairs'] > 20
    assert .2 < grey['order']['value'] < .9
    assert grey['by_material']['leaf']['factor'] < .5  # leaves are bright in SWIR, dark to the eye
    assert 'sky' in text
    assert 'order kept' in text
    assert sorted(p.name for p in out.glob('[!.]*')) == ['materials.json', 'materials.png',
                                                     'table.txt']


@pytest.mark.parametrize(('words', 'text'), [
    (('--scenes', 0), '--scenes 0'), (('--looks', 0), '--looks 0'),
    (('--scene-seed', -1), '--scene-seed -1'), (('--workers', 0), '--workers 0'),
    (('--seed', -1), '--seed -1')])
def test_wrong_arguments_are_named(words, text):
    with pytest.raises(UserError, match=text):
        call('--model', 'grey', *words)
