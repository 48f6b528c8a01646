"""What the writer of data sets is made of: whole files, sheets, COCO."""

import errno
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.files import finished, write_picture
from rgb2swir_ros.lab.scenes.coco import bucket
from rgb2swir_ros.lab.scenes.contact_sheet import (
    choose_frames,
    display_picture,
    flow_picture,
    overlay_boxes,
)
from rgb2swir_ros.lab.scenes.labelling import drop_reason
from rgb2swir_ros.lab.scenes.units import SHARES, SPLITS, Unit, split_of, write_unit


def fail_at_half(target: Path, error: Exception) -> None:
    with finished(target) as part:
        part.write_text('half')
        raise error


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    target = tmp_path / 'deep' / 'a.txt'
    with finished(target) as part:
        part.write_text('old')
    with pytest.raises(ZeroDivisionError):
        fail_at_half(target, ZeroDivisionError())
    with pytest.raises(UserError, match='No space left'):
        fail_at_half(target, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert target.read_text() == 'old'
    assert {p.name for p in target.parent.iterdir()} == {'.rgb2swir', 'a.txt'}
    assert write_picture(tmp_path / 'a.png', np.zeros((2, 2), np.uint16)) == (
        tmp_path / 'a.png').stat().st_size


@pytest.mark.parametrize('first', [0, 7, 1_000_000, 12_000_000])
@pytest.mark.parametrize('step', [1, 2, 9])
def test_splits_keep_their_shares_in_any_run_of_seeds(first, step):
    # every ninth, too: a renderer may go round its places by the seed
    counts = Counter(split_of(first + step * k) for k in range(100))
    for split, share in zip(SPLITS, SHARES, strict=True):
        assert counts[split] == pytest.approx(100 * share, abs=3)


@pytest.mark.parametrize(('area', 'name'), [
    (1023, 'small'), (1024, 'medium'), (9215, 'medium'), (9216, 'large'), (1e9, 'large')])
def test_size_buckets_are_those_of_coco(area, name):
    assert bucket(area) == name


@pytest.mark.parametrize(('box', 'visible', 'lost', 'reason'), [
    ((0, 0, 3, 3), .25, False, ''), ((0, 0, 2.9, 9), 1, True, 'tiny'),
    ((0, 0, 9, 2.9), 1, False, 'tiny'), ((0, 0, 9, 9), .24, True, 'hidden'),
    ((0, 0, 3, 3), .25, True, 'lost')])
def test_objects_that_nobody_could_label_are_dropped(box, visible, lost, reason):
    assert drop_reason({'box': box, 'visible': visible, 'lost': lost}) == reason


def test_sheet_takes_scenes_from_all_over_and_weathers_evenly():
    def scene(number: int) -> dict:
        return {'seed': number, 'frames': [{'swir': f'{number}_{w}', 'weather': w}
                                           for w in ('clear', 'fog', 'night')]}
    chosen = choose_frames([scene(k) for k in range(240)])
    assert [m['seed'] for m, _ in chosen] == list(range(0, 240, 10))
    assert set(Counter(f['weather'] for _, f in chosen).values()) == {8}
    few = choose_frames([scene(k) for k in range(5)])
    assert len({f['swir'] for _, f in few}) == len(few) == 15
    assert choose_frames([]) == []


def test_pictures_to_look_at():
    grey = display_picture(np.array([[0, .5 ** 2.2, 1, 2]]))
    assert grey[0, :, 0].tolist() == [0, 128, 255, 255]
    flow = np.zeros((4, 6, 2), np.float32)
    flow[:2, :, 0], flow[2:, :, 1] = 3, 3
    seen = np.ones((4, 6), bool)
    seen[0] = False
    shown = flow_picture(flow, seen)
    assert (shown[0] == 90).all()
    assert shown[1, 0].argmax() == 0, 'to the right is red'
    assert not np.array_equal(shown[1, 0], shown[3, 0])
    boxed = overlay_boxes(np.zeros((40, 60, 3), np.uint8),
                       [{'category': 'bus', 'box': (10, 12, 20, 15)}])
    assert boxed[12, 20].any()
    assert boxed[27, 20].any()
    assert not boxed[20, 20].any()


def test_frames_that_are_not_as_promised_are_skipped_by_name(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import rectangles  # in this process, to see what write_unit itself does
    good = rectangles.draw(0, 0, (48, 64), 'town')
    unit = Unit(tmp_path, 0, (48, 64), looks=1, renderer='rectangles')
    strange = rectangles.Box('tram', (1, 1, 9, 9), 81, 1)
    for field, value, text in (('swir', good.swir * np.nan, 'not finite'),
                               ('rgb', good.rgb[:5], 'RGB is'),
                               ('objects', (strange,), 'tram')):
        bad = rectangles.Frame(**vars(good) | {field: value})
        monkeypatch.setattr(rectangles, 'render_frames', lambda *_, bad=bad, **__: [bad])
        with pytest.raises(ValueError, match=text):
            write_unit(unit)
        assert not unit.manifest.exists()
