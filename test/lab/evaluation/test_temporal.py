"""Steadiness: what flickers scores worse, what is right scores one, and against what."""

import itertools

import cv2
import numpy as np
import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.evaluation.models import Candidate
from rgb2swir_ros.lab.evaluation.sequences import FOOTAGE, MOVING, STILL, ClipFrame, rendered_clips
from rgb2swir_ros.lab.evaluation.temporal import RGB, TRUE, measure, summarise
from rgb2swir_ros.lab.evaluation.warp import estimate_flow
from rgb2swir_ros.lab.training.lookup import grey_sqrt_radiance

from .clips import BRIGHTER, camera, texture, write_sequences


@pytest.fixture(scope='module')
def moving(tmp_path_factory):
    return rendered_clips(write_sequences(tmp_path_factory.mktemp('moving'), 4, 5))


@pytest.fixture(scope='module')
def still(tmp_path_factory):
    return rendered_clips(write_sequences(tmp_path_factory.mktemp('still'), 4, 5, still=True))


class Video:
    """Footage in memory: a camera pans over a texture, a lamp blinks; flow is estimated."""

    name, kind, count = 'pan', FOOTAGE, 6

    def __init__(self, seed=0):
        self.seed = seed

    def clip_frames(self):
        noise = np.random.default_rng(self.seed)
        frames = [camera(texture(self.seed)[40:136, 60 - 2 * k:188 - 2 * k], noise)
                  for k in range(self.count)]
        for k, frame in enumerate(frames):
            frame[40:80, 40:80] = np.clip(frame[40:80, 40:80] + 20. * (k % 2), 0, 255)
        for now, following in itertools.pairwise(frames):
            yield ClipFrame(now, None, *estimate_flow(now, following))
        yield ClipFrame(frames[-1])


def knowing(clips):
    """Return a model that gives the true SWIR frame of each RGB frame."""
    answers = {m.rgb.tobytes(): m.true for clip in clips for m in clip.clip_frames()}
    return Candidate('knowing', 1, lambda rgb: np.square(answers[rgb.tobytes()]))


def tone_model(name, change):
    """Return a model whose square-root radiance is that of grey-scale, changed."""
    return Candidate(name, 1, lambda rgb: np.square(change(grey_sqrt_radiance(rgb))).clip(0, 1))


def flickering(size=.05):
    """Return a model that is brighter in every second call."""
    calls = itertools.count()
    return Candidate('flickering', 1, lambda rgb: np.square(
        (grey_sqrt_radiance(rgb) * (1 + size * (next(calls) % 2))).clip(0, 1)))


def judged(clips, *models, **more):
    records = measure(clips, models)
    return records, summarise(records, clips[0].kind, [m.name for m in models], **more)


def test_the_true_frames_along_the_true_flow_are_right(moving):
    """A perfect model scores one; what is left to the truth is the light that grows by 2 %."""
    records, result = judged(moving, knowing(moving))
    perfect = result.rows['knowing']
    assert (result.kind, result.reference) == (MOVING, TRUE)
    assert (perfect.ratio.value, perfect.ratio.low, perfect.ratio.high) == (1, 1, 1)
    assert perfect.gradient == pytest.approx(1)
    image = np.mean([m.true.mean() for m in moving[0].clip_frames()])
    assert result.rows[TRUE].change == pytest.approx((BRIGHTER ** .5 - 1) * image, rel=.05)
    assert (result.clips, result.steps) == (4, 16)
    assert result.seen == pytest.approx((46 / 48) * (61 / 64))
    assert len(records[0].tracks[TRUE].rows) == 5


def test_a_wrong_flow_is_seen_in_the_figures(moving, monkeypatch):
    """The same clips with the flow's sign turned: the truth itself seems to flicker."""
    right = judged(moving, knowing(moving))[1].rows[TRUE].change
    from rgb2swir_ros.lab.evaluation import sequences
    original = sequences.read_flow
    monkeypatch.setattr(sequences, 'read_flow', lambda path: (
        -original(path)[0], original(path)[1]))
    assert judged(moving, knowing(moving))[1].rows[TRUE].change > 8 * right


def test_flicker_costs_on_every_kind_of_clip(moving, still):
    for clips in (moving, still, [Video(0), Video(1)]):
        _, result = judged(clips, tone_model('steady', lambda t: t), flickering())
        steady, bad = result.rows['steady'], result.rows['flickering']
        assert steady.ratio.value == pytest.approx(result.rows[RGB].ratio.value)
        assert bad.ratio.low > 1.3 * steady.ratio.high
        assert bad.to_first.low > 1.3
        assert bad.change > 1.3 * steady.change
        assert steady.to_first is None


def test_still_change_is_over_that_of_the_input(still):
    """Half the contrast, half the change: of the noise, and of the gradient that shows it."""
    _, result = judged(still, tone_model('half', lambda t: t / 2),
                       tone_model('blank', np.zeros_like))
    half, blank = result.rows['half'], result.rows['blank']
    assert (result.kind, result.reference, result.seen) == (STILL, RGB, 1)
    assert half.ratio.value == pytest.approx(.5, abs=.01)
    assert half.gradient == pytest.approx(.5, abs=.01)
    assert (blank.ratio.value, blank.gradient) == (0, 0)
    assert result.rows[TRUE].change == 0
    assert result.rows[RGB].change * 255 == pytest.approx(2 * 1.128, rel=.25)  # |n - n'|, s = 2


def test_blur_is_told_by_the_gradient(moving):
    _, result = judged(moving, tone_model('blurred', lambda t: cv2.GaussianBlur(t, (0, 0), 4)),
                       tone_model('sharp', lambda t: t))
    assert result.rows['blurred'].change < result.rows['sharp'].change
    assert result.rows['blurred'].gradient < .5
    assert result.rows['sharp'].gradient > .9


def test_quiet_places_tell_flicker_where_rgb_hardly_changes():
    _, result = judged([Video(0)], tone_model('steady', lambda t: t), flickering(.1))
    assert result.reference == RGB
    assert .3 < result.quiet_share < .98
    assert result.rows[RGB].quiet < .8 * result.rows[RGB].change  # the lamp is left out
    assert result.rows['steady'].quiet_ratio.value == pytest.approx(1)
    assert result.rows['flickering'].quiet_ratio.value > 3
    assert result.rows['flickering'].quiet > .02
    assert np.isnan(result.rows['steady'].ratio.low)  # one clip: no interval


def test_quiet_is_for_footage_alone(moving):
    _, result = judged(moving, knowing(moving))
    assert np.isnan(result.rows['knowing'].quiet)
    assert np.isnan(result.quiet_share)


def test_ratios_weigh_clips_by_their_change(moving):
    """A ratio of sums: a clip without change cannot blow it up."""
    records, result = judged(moving, tone_model('grey', lambda t: t))
    sums = [sum(np.mean(r.tracks[n].change) for r in records) for n in ('grey', TRUE)]
    assert result.rows['grey'].ratio.value == pytest.approx(sums[0] / sums[1])
    assert [name for name, _ in result.rows['grey'].by_clip] == [c.name for c in moving]
    first = records[0].tracks
    assert result.rows['grey'].by_clip[0][1] == pytest.approx(
        np.mean(first['grey'].change) / np.mean(first[TRUE].change))


def test_kinds_that_are_not_there_have_no_result(still):
    records, _ = judged(still, tone_model('grey', lambda t: t))
    assert summarise(records, MOVING, ['grey']) is None


def test_a_clip_of_one_frame_is_refused(still):
    class Single(Video):
        count = 1

    with pytest.raises(UserError, match='pan has no two frames'):
        measure([Single()], [])


def test_a_step_with_nothing_in_common_is_refused(moving):
    class Jump(Video):
        def clip_frames(self):
            for m in super().clip_frames():
                yield ClipFrame(m.rgb, None, m.flow, None if m.seen is None else m.seen & False)

    with pytest.raises(UserError, match='frame 0 has no point in common'):
        measure([Jump()], [])
