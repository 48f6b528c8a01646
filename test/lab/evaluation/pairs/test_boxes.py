"""Marked boxes: order by a margin, and what a damaged file is told."""

import json

import numpy as np
import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.evaluation.pairs.boxes import box_mean, pairs_in_order, read_boxes

FILE = {'frames': {'drive/07': {'road': [0, 0, .4, 1], 'tree': [.6, 0, 1, 1]},
                   '08': {'road': [0, 0, .4, 1], 'tree': [.6, 0, 1, 1]}},
        'darker_than': {'drive/07': [['road', 'tree']], '08': [['road', 'tree']]}}


def written(tmp_path, entries):
    path = tmp_path / 'boxes.json'
    path.write_text(json.dumps(entries))
    return path


@pytest.mark.parametrize(('ratio', 'right'), [(1.2, True), (1.1, False), (.5, False)])
def test_a_pair_is_in_order_from_the_margin_on(tmp_path, ratio, right):
    radiance = np.full((20, 40), .3, np.float32)
    radiance[:, 20:] *= ratio
    marked = read_boxes(written(tmp_path, FILE)).of('drive/07')
    assert pairs_in_order(radiance, marked) == [right]


def test_a_frame_is_found_by_scene_and_stem_or_by_its_stem(tmp_path):
    marked = read_boxes(written(tmp_path, FILE))
    assert marked.of('drive/07') == marked.of('anything/08')
    assert marked.of('other/07') is None


def test_a_box_smaller_than_a_pixel_is_the_pixel_it_lies_in():
    radiance = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert box_mean(radiance, (.55, .4, .56, .41)) == 6
    assert box_mean(radiance, (0, 0, 1, 1)) == 5.5


@pytest.mark.parametrize(('change', 'said'), [
    ({'frames': {'08': {'road': [0, 0, 2, 1]}}}, 'is no box'),
    ({'frames': {'08': {'road': [0, 0, 1, 1]}}}, "no box 'tree'"),
    ({'darker_than': {'09': [['road', 'tree']]}}, '09, which has no boxes'),
    ({'frames': []}, 'AttributeError')])
def test_a_damaged_file_is_named_with_what_is_wrong(tmp_path, change, said):
    path = written(tmp_path, {**FILE, 'darker_than': {'08': [['road', 'tree']]}, **change})
    with pytest.raises(UserError, match=said) as caught:
        read_boxes(path)
    assert str(path) in str(caught.value)
