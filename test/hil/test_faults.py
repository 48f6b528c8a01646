"""Every fault without ROS: seeded, active between start and end, as strong as its intensity."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rgb2swir_ros.checked import Place
from rgb2swir_ros.hil.fault_entries import parse_faults
from rgb2swir_ros.hil.faults import MESSAGE, RADIANCE, RGB, fault_kinds
from rgb2swir_ros.hil.frame import HilFrame
from rgb2swir_ros.hil.injection import Injector

PERIOD = 66_666_667
PIXELS = {
    RGB: np.random.default_rng(1).integers(40, 200, (48, 64, 3), dtype=np.uint8),
    RADIANCE: np.random.default_rng(2).random((48, 64), np.float32) * .5 + .1,
    MESSAGE: np.random.default_rng(3).integers(100, 4000, (48, 64), dtype=np.uint16)}
START, END, COUNT = 20, 60, 90


def frames(point: str, camera: str = 'front') -> list[HilFrame]:
    """Return frames whose pixels differ a little from one to the next."""
    return [HilFrame(camera, i, i * PERIOD, np.roll(PIXELS[point], i, 1), draw_ns=i * PERIOD)
            for i in range(COUNT)]


def injector(kind: str, *, seed: int = 5, point: str = '', intensity: object = 1.0,
             **more: object) -> Injector:
    entry = {'kind': kind, 'intensity': intensity, 'start_s': START * PERIOD / 1e9,
             'end_s': END * PERIOD / 1e9, **more, **({'point': point} if point else {})}
    faults = parse_faults([entry], Place('test', keys=('faults',)), cameras=['front', 'rear'],
                          start_ns=0, end_ns=10**12)
    return Injector(faults, seed, PERIOD)


def passed(made: Injector, point: str, camera: str = 'front') -> list[list[HilFrame]]:
    """Return what becomes of each frame."""
    return [made.apply(frame, point)[0] for frame in frames(point, camera)]


def differs(out: list[HilFrame], before: HilFrame) -> bool:
    """Return whether anything of a frame is changed, or how many there are."""
    if len(out) != 1:
        return True
    return not equal(replace(out[0], faults=()), before)


def equal(one: HilFrame, other: HilFrame) -> bool:
    """Compare the pixels apart: Python 3.13 compares the fields of a dataclass one by one."""
    return np.array_equal(one.pixels, other.pixels) and (
        replace(one, pixels=None) == replace(other, pixels=None))


def same(a: list[list[HilFrame]], b: list[list[HilFrame]]) -> bool:
    return all(len(x) == len(y) and all(
        equal(p, q) for p, q in zip(x, y, strict=True)) for x, y in zip(a, b, strict=True))


def points() -> list[tuple[str, str]]:
    return [(name, point) for name, kind in fault_kinds().items() for point in kind.points
            if point in PIXELS]


@pytest.mark.parametrize(('kind', 'point'), points())
def test_a_fault_is_seen_while_it_is_active_and_no_longer(kind, point):
    made = injector(kind, point=point)
    out = passed(made, point)
    changed = [differs(*pair) for pair in zip(out, frames(point), strict=True)]
    assert not any(changed[:START])
    assert not any(changed[END:])
    assert np.mean(changed[START:END]) >= (.4 if kind == 'reorder' else .9)
    for index, frame in ((i, one) for i, some in enumerate(out) for one in some):
        if frame.faults:
            assert frame.faults == (kind,)
            assert START <= index < END
    assert all(not made.active(t * PERIOD) for t in (START - 1, END))
    assert [fault.name for fault in made.active(START * PERIOD)] == [kind]


@pytest.mark.parametrize(('kind', 'point'), points())
def test_the_same_seed_makes_the_same_fault_in_any_order_of_cameras(kind, point):
    first, again = (injector(kind, point=point, intensity=.6) for _ in range(2))
    front = passed(first, point)
    passed(again, point, 'rear')
    assert same(front, passed(again, point))


RANDOM = {'drop', 'burst_drop', 'jitter', 'duplicate', 'reorder', 'noise', 'banding',
          'dead_pixels', 'dead_columns', 'occlusion', 'wrong_size', 'wrong_encoding', 'truncated',
          'stamp_jump', 'camera_info_loss'}


@pytest.mark.parametrize(('kind', 'point'), [p for p in points() if p[0] in RANDOM])
def test_another_seed_or_camera_makes_another_one(kind, point):
    front = passed(injector(kind, point=point, intensity=.5), point)
    assert not same(front, passed(injector(kind, point=point, intensity=.5, seed=6), point))
    rear = passed(injector(kind, point=point, intensity=.5), point, 'rear')
    assert not same(front, [[replace(one, camera='front') for one in some] for some in rear])


@pytest.mark.parametrize(('kind', 'point'), [p for p in points() if p[0] != 'freeze'])
def test_without_intensity_there_is_no_fault(kind, point):
    out = passed(injector(kind, point=point, intensity=0), point)
    for some, before in zip(out, frames(point), strict=True):
        assert len(some) == 1
        level = 1 if point == RGB else 1e-6  # a picture goes through floats
        assert np.abs(some[0].pixels.astype(float) - before.pixels).max() <= level
        assert (some[0].delay_ns, some[0].stamp_shift_ns, some[0].info, some[0].fields) == (
            0, 0, True, {})


@pytest.mark.parametrize(('kind', 'least', 'most'), [
    ('drop', .3, .7), ('duplicate', .3, .7), ('wrong_encoding', .3, .7), ('truncated', .3, .7),
    ('wrong_size', .3, .7), ('stamp_jump', .3, .7), ('camera_info_loss', .3, .7),
    ('burst_drop', .1, .9), ('reorder', .15, .5)])
def test_half_the_intensity_hits_about_half_of_the_frames(kind, least, most):
    out = passed(injector(kind, intensity=.5), MESSAGE)
    hit = [differs(*pair) for pair in zip(out, frames(MESSAGE), strict=True)][START:END]
    assert least <= np.mean(hit) <= most


@pytest.mark.parametrize(('kind', 'more'), [
    ('noise', {}), ('banding', {}), ('dead_pixels', {}), ('dead_columns', {'share': .3}),
    ('saturation', {}), ('blur', {'sigma': .05}), ('occlusion', {'what': 'mud'}),
    ('occlusion', {'what': 'drops'})])
def test_pixels_are_the_more_wrong_the_stronger_the_fault(kind, more):
    def error(intensity: float) -> float:
        out = passed(injector(kind, point=RADIANCE, intensity=intensity, **more), RADIANCE)
        return float(np.mean([np.abs(out[i][0].pixels - frames(RADIANCE)[i].pixels).mean()
                              for i in (START, START + 5)]))
    assert 0 < error(.2) < error(.6) < error(1)


def test_a_burst_loses_frames_that_follow_one_another():
    out = passed(injector('burst_drop', intensity=.5, frames=5), MESSAGE)
    bursts = [{len(some) for some in out[i:i + 5]} for i in range(START, END, 5)]
    assert all(len(burst) == 1 for burst in bursts)
    assert {0} in bursts
    assert {1} in bursts


def test_a_frozen_picture_is_the_last_one_from_before_noise_included():
    out = passed(injector('freeze'), RGB)
    for some in out[START:END]:
        assert np.array_equal(some[0].pixels, out[START - 1][0].pixels)
        assert some[0].draw_ns == (START - 1) * PERIOD
    assert [some[0].time_ns for some in out] == [i * PERIOD for i in range(COUNT)]


def test_delays_and_jitter_have_their_milliseconds():
    late = [some[0].delay_ns for some in passed(injector('delay', ms=40, intensity=.5), MESSAGE)]
    assert set(late[START:END]) == {20_000_000}
    late = [some[0].delay_ns for some in passed(injector('jitter', ms=40), MESSAGE)]
    assert 0 <= min(late[START:END]) < 8e6
    assert 32e6 < max(late[START:END]) < 40e6


def test_a_reordered_frame_leaves_between_its_successors():
    out = [some[0] for some in passed(injector('reorder'), MESSAGE)]
    leaving = sorted(out, key=lambda one: one.time_ns + one.delay_ns)
    order = [one.index for one in leaving]
    assert order[START:START + 4] == [START + 1, START, START + 3, START + 2]
    assert order[END + 1:] == list(range(END + 1, COUNT))


def test_dead_pixels_stay_and_grow():
    out = passed(injector('dead_pixels', intensity=[0, 1], share=.1), RADIANCE)
    dead = [out[i][0].pixels != np.roll(PIXELS[RADIANCE], i, 1) for i in range(COUNT)]
    share = [mask.mean() for mask in dead]
    assert share[END - 1] == pytest.approx(.1, abs=.02)
    assert share[START + 20] == pytest.approx(.05, abs=.02)
    assert not (dead[START + 20] & ~dead[END - 1]).any()


def test_messages_are_wrong_in_their_own_way():
    def first(kind, **more):
        return passed(injector(kind, **more), MESSAGE)[START]
    assert first('wrong_encoding', encoding='bgr8')[0].fields == {'encoding': 'bgr8'}
    assert first('truncated', lost=.25)[0].fields == {'data': 48 * 64 * 2 * 3 // 4}
    assert first('wrong_size', scale=.5)[0].pixels.shape == (24, 32)
    assert first('stamp_jump', ms=-5000)[0].stamp_shift_ns == -5_000_000_000
    assert first('camera_info_loss') == []
    assert [one.info for one in first('camera_info_loss', image=False)] == [False]


def test_exposure_swings_around_the_true_one():
    out = passed(injector('exposure_hunting', stops=1, period_s=PERIOD * 8 / 1e9), RADIANCE)
    factor = [float(some[0].pixels.mean() / PIXELS[RADIANCE].mean()) for some in out]
    assert factor[START] == pytest.approx(1)
    assert factor[START + 6] == pytest.approx(.5, abs=.01)
    assert factor[START + 2] > 1.5


def test_the_loss_names_its_fault_and_the_other_camera_keeps_its_frames():
    made = injector('drop', camera='rear', name='wire')
    frame = frames(MESSAGE, 'rear')[START]
    assert made.apply(frame, MESSAGE) == ([], 'wire')
    assert all(len(some) == 1 for some in passed(made, MESSAGE, 'front'))


def test_faults_can_be_ended_while_they_run():
    made = injector('drop')
    added = parse_faults([{'kind': 'drop'}], Place('p', keys=('faults',)), cameras=['front'],
                         start_ns=5 * PERIOD, end_ns=10**12)
    assert made.add(added, 'parameter') == ['drop_2']
    assert made.end(30 * PERIOD, origins=['parameter']) == ['drop_2']
    assert made.end(30 * PERIOD) == ['drop']
    records = made.records(10**12)
    assert [(r.name, r.origin, r.end_ns) for r in records] == [
        ('drop', 'scenario', 30 * PERIOD), ('drop_2', 'parameter', 30 * PERIOD)]
    assert len(passed(made, MESSAGE)[31]) == 1
