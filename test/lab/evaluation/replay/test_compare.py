"""Two models on one replay: alike in all but the model, and measured once where they share."""

from __future__ import annotations

import argparse
import re

import numpy as np
import pytest

pytest.importorskip('pycocotools')

from rgb2swir_ros.cli.replay_judgement import add_judgement_arguments, refuse_unused
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.detector.decode import Detections
from rgb2swir_ros.lab.evaluation.intervals import RESAMPLES
from rgb2swir_ros.lab.evaluation.replay import measure, page, report
from rgb2swir_ros.lab.evaluation.replay.blocks import Drawn
from rgb2swir_ros.lab.evaluation.replay.judge import figures_of, judge
from rgb2swir_ros.lab.evaluation.replay.measure import FrameFigures, Judges
from rgb2swir_ros.lab.evaluation.replay.summary import COSTLY, JudgedSet, summarise
from rgb2swir_ros.replay.offline import WORTH_COMPILING
from rgb2swir_ros.replay.run_record import BAG_FOLDER, RunRecord, SwirTopic, write_run
from rgb2swir_ros.report.model import TimePlot

from ....replay.footage import START, image, picture, write_bag
from .recordings import SOURCE, SWIR, grey16

COUNT, SIZE = 6, (48, 64)
OPTIONS = {'model': 'nano', 'backend': 'openvino', 'precision': 'float32', 'threads': 3}


@pytest.fixture
def replay(tmp_path):
    """Return a finished replay of few frames; its SWIR frames are the red channel."""
    rgbs = [np.roll(picture(0, SIZE), k, axis=1) for k in range(COUNT)]
    stamps = [START + k * 10**9 for k in range(COUNT)]
    bag = write_bag(tmp_path / 'drive', [(SOURCE, image(rgb, stamp))
                                         for rgb, stamp in zip(rgbs, stamps, strict=True)])
    out = tmp_path / 'out' / 'drive'
    out.mkdir(parents=True)
    write_bag(out / BAG_FOLDER, [(SWIR, grey16(rgb[..., 0].astype(np.uint16) * 257, stamp))
                                 for rgb, stamp in zip(rgbs, stamps, strict=True)])
    write_run(out, RunRecord(str(bag), options=OPTIONS, cameras=[SwirTopic(
        SOURCE, 'sensor_msgs/msg/Image', SWIR, source_size=SIZE, size=SIZE, encoding='mono16',
        gamma=1., announced=COUNT, frames=COUNT)]))
    return report.open_replay(out)


def green(rgb: np.ndarray, stamp_ns: int) -> np.ndarray:
    """Stand for another model."""
    return (rgb[..., 1] / np.float32(255)).astype(np.float32)


class Counting:
    """A detector that finds nothing, and remembers how many pictures it got."""

    classes = ('car',)

    def __init__(self) -> None:
        self.pictures = 0

    def detect(self, pictures: list[np.ndarray]) -> list[Detections]:
        self.pictures += len(pictures)
        return [Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32),
                           np.zeros(0, np.int64)) for _ in pictures]


def test_each_model_knows_what_it_knows(replay):
    result = judge(replay.runs, Judges(novelty=lambda rgb: -1.), other=green,
                   other_novelty=lambda rgb: 2.)
    assert result.own.column('input_novelty').tolist() == [-1.] * COUNT
    assert result.other.column('input_novelty').tolist() == [2.] * COUNT
    assert result.other.column('input_known').tolist() == [0.] * COUNT
    silent = judge(replay.runs, Judges(novelty=lambda rgb: -1.), other=green)
    figures = figures_of(silent)
    table = page.judgement_section(figures, page.Names('a', 'b'), COUNT, '').items[0]
    row = next(row for row in table.rows if row['measure'] == 'novelty of the input')
    assert row['own'].value == -1
    assert 'other' not in row
    assert 'difference' not in row


def test_the_source_is_measured_once_for_both(replay, monkeypatch):
    flows = []
    found = measure.estimate_flow

    def counted(*frames):
        flows.append(frames)
        return found(*frames)

    monkeypatch.setattr(measure, 'estimate_flow', counted)
    detector = Counting()
    result = judge(replay.runs, Judges(detector=detector), other=green)
    assert len(flows) == COUNT - 1
    assert detector.pictures == 3 * COUNT  # the source, and what either model makes of it
    for name in ('warp_error_source', 'flicker_source'):
        np.testing.assert_array_equal(result.own.column(name), result.other.column(name))
    assert np.isfinite(result.own.column('warp_error')[:-1]).all()
    assert (result.own.column('warp_error')[:-1] != result.other.column('warp_error')[:-1]).all()
    alone = judge(replay.runs, Judges())
    np.testing.assert_array_equal(alone.own.column('warp_error'), result.own.column('warp_error'))


def test_the_progress_has_an_end(replay, capsys):
    judge(replay.runs, Judges(), every=3)
    assert '4/4 frames judged' in capsys.readouterr().err  # 0 and 3, and the ones after them


@pytest.mark.parametrize('backend', [None, 'eager'])
def test_a_compared_model_gets_the_replays_kind_of_engine(replay, monkeypatch, backend):
    asked = []

    class Translator:
        def __init__(self, options):
            asked.append(options)

        def radiance(self, rgb, frames):
            asked.append(frames)
            return green(rgb, 0)

        def pixels(self, radiance, stamp_ns):
            return np.rint(65535 * radiance).astype(np.uint16)

        def engines(self):
            return {SIZE: {'backend': 'openvino', 'engine_hash': 'abc'}}

    monkeypatch.setattr(report, 'OfflineTranslator', Translator)
    other = report.ComparedModel('nano', [replay], backend)
    rgb = picture(0, SIZE)
    np.testing.assert_allclose(other(rgb, START), green(rgb, 0), atol=1e-5)
    options, frames = asked
    assert (options.backend, options.precision, options.threads) == (
        backend or 'openvino', 'float32', 3)
    assert frames == WORTH_COMPILING
    assert options.linear16
    entries = other.facts().entries
    assert entries['engine 64x48: engine_hash'] == 'abc'
    assert re.fullmatch('[0-9a-f]{64}', entries['model sha256'])


def test_the_table_says_which_way_is_better_and_by_which_unit():
    rng = np.random.default_rng(0)
    own = {'ssim': Drawn(.8, .8 + .01 * rng.random(20)), 'map_large': Drawn(np.nan, np.zeros(0)),
           'warp_error': Drawn(.02, np.zeros(0)), 'radiance_mean': Drawn(.2, np.zeros(0))}
    other = {**own, 'ssim': Drawn(.9, .9 + .01 * rng.random(20))}
    section = page.judgement_section([own, other], page.Names('a', 'b'), 40, '')
    table, notes = section.items
    rows = {row['measure']: row for row in table.rows}
    assert [column.title for column in table.columns] == [
        'measure', 'unit', 'a', 'b', 'b less a', 'better if', 'better model']
    assert list(rows) == ['SSIM', 'warp error', 'mean radiance']  # no large object: no row
    assert list(notes.entries) == list(rows)
    assert [row['sense'] for row in rows.values()] == ['higher', 'lower', '']
    assert (rows['SSIM']['better'], rows['warp error'].get('better')) == ('b', None)
    assert all(row['unit'] for row in rows.values())


def test_plots_show_both_models(replay):
    result = judge(replay.runs, Judges(), other=green)
    section = page.time_section(result.own, [], result.other, page.Names('a', 'b'))
    plots = {one.title: one for one in section.items if isinstance(one, TimePlot)}
    assert [line.name for line in plots['warp error'].series] == [
        f'a: drive {SOURCE}', f'b: drive {SOURCE}']


@pytest.mark.parametrize(('words', 'says'), [
    (['--every', '2'], '--every'), (['--sensor', 'ideal'], '--sensor'),
    (['--compare-backend', 'eager'], '--compare-backend'), (['--resamples', '30'], '--resamples')])
def test_settings_of_no_judgement_are_refused(words, says):
    parser = argparse.ArgumentParser()
    add_judgement_arguments(parser)
    refuse_unused(parser.parse_args([]))
    with pytest.raises(UserError, match=f'{says} is of the judgement'):
        refuse_unused(parser.parse_args(words))


def test_means_get_all_resamples_and_costly_figures_the_first_of_them():
    judged = JudgedSet()
    for k in range(40):
        box = np.array([[4, 4, 20, 20 + k % 3]], np.float32)
        found = Detections(box, np.array([.9], np.float32), np.array([0]))
        judged.add(FrameFigures({'stamp_ns': k * 10**9, 'edges_source': float(k)}, SIZE, found,
                                found), 'drive', SOURCE)
    figures = summarise(judged, classes=('car',))
    assert len(figures['edges_source'].draws) == RESAMPLES
    assert len(figures['agreement_map'].draws) == COSTLY < RESAMPLES
    asked = summarise(judged, classes=('car',), resamples=30)
    assert {len(one.draws) for one in asked.values()} == {30}


def test_the_title_names_a_few_recordings():
    assert report._listed(['a', 'b', 'c', 'd']) == 'a, b, c, d'
    assert report._listed([*'abcdefg']) == 'a, b, c and 4 more'
    assert report.counted(1, 'block of five seconds') == '1 block of five seconds'
    assert report.counted(19, 'block of five seconds') == '19 blocks of five seconds'
