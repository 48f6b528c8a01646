"""COCO files and pictures come in as written; what is wrong is named."""

import json

import cv2
import numpy as np
import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.scenes.annotations import (
    find_counterparts,
    read_annotations,
    read_display_value,
)

from ..toy import CLASSES


def test_reads_what_was_written(toy):
    content = json.loads((toy / 'annotations' / 'test.json').read_text())
    annotated = read_annotations(toy, 'test')
    assert annotated.classes == CLASSES
    assert len(annotated.frames) == 12
    frame, image = annotated.frames[3], content['images'][3]
    objects = [a for a in content['annotations'] if a['image_id'] == image['id']]
    assert frame.boxes.tolist() == [o['bbox'] for o in objects]
    assert (frame.labels + 1).tolist() == [o['category_id'] for o in objects]
    assert frame.areas.tolist() == [o['area'] for o in objects]
    assert (frame.size, frame.scene, frame.weather) == ((64, 96), 'test0001', 'clear')
    assert read_display_value(frame.path, frame.size).shape == (64, 96)


def test_categories_may_have_any_ids_in_any_order(toy, tmp_path):
    content = json.loads((toy / 'annotations' / 'test.json').read_text())
    for entry in content['annotations']:
        entry['category_id'] = 10 * entry['category_id']
    content['categories'] = [{'id': 10 * c['id'], 'name': c['name']}
                             for c in reversed(content['categories'])]
    (tmp_path / 'annotations').mkdir()
    (tmp_path / 'annotations' / 'test.json').write_text(json.dumps(content))
    other, ours = read_annotations(tmp_path, 'test'), read_annotations(toy, 'test')
    assert other.classes == ours.classes
    assert all((a.labels == b.labels).all()
               for a, b in zip(other.frames, ours.frames, strict=True))


def test_missing_split_names_those_there(toy):
    with pytest.raises(UserError, match='splits there: test, train, validation'):
        read_annotations(toy, 'night')


@pytest.mark.parametrize(('change', 'text'), [
    (lambda c: c.pop('categories'), 'categories'),
    (lambda c: c['images'].append(c['images'][0]), 'same id'),
    (lambda c: c['annotations'][0].update(bbox=[1, 1, 0, 3]), 'without an area'),
    (lambda c: c['annotations'][0].update(category_id=77), '77'),
    (lambda c: c['annotations'][0].update(image_id='no'), "'no'")])
def test_inconsistent_files_are_refused(toy, tmp_path, change, text):
    content = json.loads((toy / 'annotations' / 'test.json').read_text())
    change(content)
    (tmp_path / 'annotations').mkdir()
    (tmp_path / 'annotations' / 'test.json').write_text(json.dumps(content))
    with pytest.raises(UserError, match=text):
        read_annotations(tmp_path, 'test')


def test_no_json_is_refused(tmp_path):
    (tmp_path / 'annotations').mkdir()
    (tmp_path / 'annotations' / 'test.json').write_text('{')
    with pytest.raises(UserError, match='no JSON'):
        read_annotations(tmp_path, 'test')


def test_pictures_of_both_depths_give_the_same_display_value(tmp_path):
    radiance = np.linspace(0, 1, 48).reshape(6, 8)
    cv2.imwrite(str(tmp_path / 'deep.png'), np.round(radiance * 65535).astype(np.uint16))
    cv2.imwrite(str(tmp_path / 'flat.png'), np.round(radiance ** (1 / 2.2) * 255).astype(np.uint8))
    deep, flat = (read_display_value(tmp_path / name) for name in ('deep.png', 'flat.png'))
    assert deep.dtype == flat.dtype == np.float32
    assert np.abs(deep - radiance ** (1 / 2.2)).max() < .01
    assert np.abs(deep - flat).max() < .01


def test_unfit_pictures_are_refused(tmp_path):
    with pytest.raises(UserError, match='missing or no picture'):
        read_display_value(tmp_path / 'none.png')
    cv2.imwrite(str(tmp_path / 'small.png'), np.zeros((4, 5), np.uint8))
    with pytest.raises(UserError, match='5x4 pixels, its annotations 6x4'):
        read_display_value(tmp_path / 'small.png', (4, 6))


def test_translated_pictures_are_found_at_either_path(toy, tmp_path):
    frames = read_annotations(toy, 'test').frames
    picture = np.zeros((64, 96), np.uint8)
    for k, frame in enumerate(frames):
        target = (tmp_path / frame.names[k % 2]).with_suffix('.png' if k % 3 else '.tif')
        target.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(target), picture)
    found = find_counterparts(frames, tmp_path)
    assert [p.parent.name for p in found] == ['swir', 'rgb'] * 6
    found[4].unlink()
    found[5].unlink()
    with pytest.raises(UserError, match='2 of 12 pictures are missing') as raised:
        find_counterparts(frames, tmp_path)
    assert frames[4].names[0] in str(raised.value)
