import json

import numpy as np
import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.detector.decode import Detections
from rgb2swir_ros.lab.evaluation.replay.labels import pseudo_labels, read_labels

CONTENT = {
    'images': [{'id': 7, 'stamp_ns': 1_500_000_000_123_456_789, 'width': 64, 'height': 48},
               {'id': 8, 'file_name': 'swir/1500000001000000000.png', 'width': 64, 'height': 48}],
    'annotations': [{'id': 1, 'image_id': 7, 'category_id': 3, 'bbox': [1, 2, 10, 20],
                     'area': 150, 'iscrowd': 0},
                    {'id': 2, 'image_id': 7, 'category_id': 1, 'bbox': [5, 5, 8, 8],
                     'iscrowd': 1}],
    'categories': [{'id': 3, 'name': 'person'}, {'id': 1, 'name': 'car'}]}


def read(tmp_path, content):
    path = tmp_path / 'labels.json'
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_labels(path)


def test_frames_are_found_by_stamp_with_crowds_ignored(tmp_path):
    labels = read(tmp_path, CONTENT)
    assert labels.classes == ('car', 'person')
    frame = labels.of(1_500_000_000_123_456_789, (48, 64), 'a/0')
    assert frame.scene == 'a/0'
    assert frame.labels.tolist() == [1, 0]
    assert frame.ignored.tolist() == [False, True]
    assert frame.areas.tolist() == [150, 64]
    assert len(labels.of(1_500_000_001_000_000_000, (48, 64), 'a/0').labels) == 0
    assert labels.of(1, (48, 64), 'a/0') is None


def test_boxes_of_another_size_are_refused(tmp_path):
    with pytest.raises(UserError, match='for 64x48 pixels, the SWIR frame has 128x96'):
        read(tmp_path, CONTENT).of(1_500_000_000_123_456_789, (96, 128), '')


@pytest.mark.parametrize(('change', 'says'), [
    ({'images': [{'id': 7, 'file_name': 'front.png', 'width': 6, 'height': 4}]}, "'front'"),
    ({'images': [*CONTENT['images'], {**CONTENT['images'][0], 'id': 9}]}, 'two images have the'),
    ({'images': [*CONTENT['images'], CONTENT['images'][0]]}, 'the same id'),
    ({'annotations': [{'id': 1, 'image_id': 9, 'category_id': 3, 'bbox': [0, 0, 1, 1]}]}, '9'),
    ({'annotations': [{'id': 1, 'image_id': 7, 'category_id': 3, 'bbox': [0, 0, 0, 1]}]},
     'without an area'),
    ({'categories': []}, '3'), ({'images': 5}, 'TypeError')])
def test_a_wrong_file_is_named(tmp_path, change, says):
    with pytest.raises(UserError, match=r'labels\.json') as caught:
        read(tmp_path, {**CONTENT, **change})
    assert says in str(caught.value)


def test_no_json_is_named(tmp_path):
    with pytest.raises(UserError, match='is no JSON'):
        read(tmp_path, '{')


def test_pseudo_labels_are_detections_from_a_score_on():
    found = Detections(np.array([[0, 0, 10, 5], [1, 1, 4, 4]], np.float32),
                       np.array([.9, .3], np.float32), np.array([2, 0], np.int64))
    made = pseudo_labels(found, .4, (48, 64), 'g')
    assert made.boxes.tolist() == [[0, 0, 10, 5]]
    assert made.labels.tolist() == [2]
    assert made.areas.tolist() == [50]
    assert not made.ignored.any()
