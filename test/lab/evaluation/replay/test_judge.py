"""A rendered drive with true SWIR: the report's figures are those of the field's own libraries."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip('pycocotools')
pytest.importorskip('jinja2')

from rgb2swir_ros.cli.replay_judgement import (
    add_judgement_arguments,
    check_judgement,
    run_judgement,
    wants_judgement,
)
from rgb2swir_ros.errors import UserError

from .recordings import SIZE, TRUE, Recording, record


@pytest.fixture(scope='module', autouse=True)
def _one_thread():
    """Frames are small: threads of torch would only wait for one another."""
    import torch
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope='module')
def drive(tmp_path_factory) -> Recording:
    return record(tmp_path_factory.mktemp('recording'))


def arguments(output: Path, *words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument('--output', type=Path)
    parser.add_argument('--overwrite', action='store_true')
    add_judgement_arguments(parser)
    return parser.parse_args(['--output', str(output), *words])


def judged(drive: Recording, output: Path, *words: str) -> tuple[int, dict, list[dict]]:
    """Return exit code, report.json and the lines of frames.jsonl."""
    given = arguments(output, *words)
    assert wants_judgement(given)
    check_judgement(given)
    code = run_judgement(given, [drive.folder / 'drive'])
    lines = (output / 'frames.jsonl').read_text().splitlines()
    return (code, json.loads((output / 'report.json').read_text()),
            [json.loads(line) for line in lines])


@pytest.fixture(scope='module')
def outcome(drive, tmp_path_factory):
    output = tmp_path_factory.mktemp('judged')
    (output / 'limits.yaml').write_text('ssim: {min: 0.1}\nmap: {min: 0}\npsnr_db: {max: 1}\n')
    code, report, lines = judged(
        drive, output, '--true-swir', TRUE, '--labels', str(drive.labels), '--sensor',
        'imx991_low_gain', '--thresholds', str(output / 'limits.yaml'), '--resamples', '30')
    figures = {row['measure']: row['own']
               for row in report['sections'][0]['items'][0]['rows']}
    return output, code, report, lines, figures


def test_every_frame_has_a_line_and_every_file_is_there(outcome, drive):
    output, code, report, lines, _ = outcome
    assert [line['stamp_ns'] for line in lines] == drive.stamps
    assert {line['bag'] for line in lines} == {'drive'}
    verdicts = {check['name']: check['verdict'] for check in report['checks']}
    assert verdicts == {'input.whole': 'pass', 'ssim': 'pass', 'map': 'pass', 'psnr_db': 'fail'}
    assert code == 1
    assert '<h1>Replay judged: drive</h1>' in (output / 'report.html').read_text()
    assert 'failures="1" errors="0"' in (output / 'junit.xml').read_text()


def test_psnr_and_ssim_are_those_of_torchmetrics(outcome, drive):
    image = pytest.importorskip('torchmetrics.functional.image')
    import torch
    *_, lines, figures = outcome
    made, true = (torch.from_numpy(np.sqrt(x / 65535).astype(np.float32))[:, None]
                  for x in (drive.made, drive.true))

    def similarity(a: torch.Tensor, b: torch.Tensor) -> float:
        """Leave out windows that reach over the edge, which torchmetrics fills by reflection."""
        full = image.structural_similarity_index_measure(a, b, data_range=1.,
                                                         return_full_image=True)[1]
        return float(full[..., 5:-5, 5:-5].mean())

    def peak(a: torch.Tensor, b: torch.Tensor) -> float:
        return float(image.peak_signal_noise_ratio(a, b, data_range=1.))

    for name, title, function in (('psnr_db', 'PSNR', peak), ('ssim', 'SSIM', similarity)):
        own = [line[name] for line in lines]
        theirs = [function(made[k:k + 1], true[k:k + 1]) for k in range(len(made))]
        np.testing.assert_allclose(own, theirs, rtol=1e-3, atol=1e-4)
        assert figures[title]['value'] == pytest.approx(np.mean(theirs), rel=1e-3)
        assert figures[title]['low'] < figures[title]['value'] < figures[title]['high']


def test_the_frechet_distance_is_that_of_torchmetrics(outcome, drive):
    pytest.importorskip('torchmetrics')
    import torch
    from torchmetrics.image.fid import FrechetInceptionDistance

    from rgb2swir_ros.lab.detector.model import load_detector
    from rgb2swir_ros.lab.evaluation.pairs.frechet import describe
    from rgb2swir_ros.resources import model_directory
    network = load_detector(model_directory('detector')).network
    everywhere = np.ones(SIZE, bool)

    class Given(torch.nn.Module):
        num_features = 160

        def forward(self, vectors: torch.Tensor) -> torch.Tensor:
            return vectors

    distance = FrechetInceptionDistance(feature=Given())
    for frames, real in ((drive.true, True), (drive.made, False)):
        for samples in frames:
            vectors = describe(network, np.sqrt(samples / np.float32(65535)), everywhere)
            distance.update(torch.from_numpy(vectors), real=real)
    figures = outcome[4]
    assert figures['Frechet distance']['value'] == pytest.approx(float(distance.compute()),
                                                                 rel=1e-3)


def test_map_is_that_of_pycocotools(outcome, drive):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    from rgb2swir_ros.lab.detector.model import load_detector
    from rgb2swir_ros.resources import model_directory
    detector = load_detector(model_directory('detector'))
    results = []
    for k, samples in enumerate(drive.made):
        value = np.power(samples / 65535, 1 / 2.2).astype(np.float32)
        found = detector.detect([value])[0]
        for box, score, label in zip(found.boxes.tolist(), found.scores.tolist(),
                                     found.labels.tolist(), strict=True):
            name = detector.classes[label]
            if name in drive.classes:
                results.append({'image_id': k + 1, 'score': score,
                                'category_id': drive.classes.index(name) + 1,
                                'bbox': [box[0], box[1], box[2] - box[0], box[3] - box[1]]})
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(drive.labels))
        evaluation = COCOeval(truth, truth.loadRes(results), 'bbox')
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    figures = outcome[4]
    expected = dict(zip(('mAP', 'mAP at IoU .50', None, 'mAP, small', 'mAP, medium',
                         'mAP, large'), evaluation.stats, strict=False))
    assert expected['mAP'] > .005  # the detector finds something: the comparison says something
    for title, value in expected.items():
        if title and value >= 0:
            assert figures[title]['value'] == pytest.approx(value, abs=1e-6), title


def test_true_frames_are_matched_by_stamp_and_accounted_for(outcome):
    report = outcome[2]
    account = next(facts['entries'] for facts in report['facts']
                   if facts['title'].startswith('True SWIR of'))
    assert (account['matched'], account['unmatched'], account['true frames unused']) == (40, 0, 0)
    assert account['skew, mean, ms'] == pytest.approx(20)
    assert account['half a period, ms'] == 500


def test_measures_without_truth_are_there_too(outcome):
    *_, lines, figures = outcome
    assert figures['edges agree with the source']['value'] > .3
    assert figures['warp error over the source\'s']['value'] > 0
    assert 0 < figures['agreement mAP']['value'] <= 1
    assert figures['noise over the preset\'s']['value'] > 1
    # a step belongs to its first frame; the last has none
    assert 'warp_error' in lines[0]
    assert 'warp_error' not in lines[-1]


def test_a_model_compared_with_itself_does_not_differ(drive, tmp_path):
    """The other translation is of the replay's own frames: every paired difference is 0."""
    from rgb2swir_ros.lab.evaluation.replay.judge import TruthSettings, figures_of, judge
    from rgb2swir_ros.lab.evaluation.replay.measure import Judges
    from rgb2swir_ros.lab.evaluation.replay.report import open_replay
    replay = open_replay(drive.folder / 'drive')
    made = {stamp: (samples / np.float32(65535)).astype(np.float32)
            for stamp, samples in zip(drive.stamps, drive.made, strict=True)}
    result = judge(replay.runs, Judges(), TruthSettings(topic=TRUE),
                   other=lambda rgb, stamp: made[stamp])
    own, other = figures_of(result, resamples=20)
    for name, figure in own.items():
        difference = other[name].less(figure)
        assert difference.value == 0, name
        assert (difference.draws == 0).all(), name
    better = judge(replay.runs, Judges(temporal=False), TruthSettings(topic=TRUE),
                   other=lambda rgb, stamp: (drive.true[drive.stamps.index(stamp)]
                                             / np.float32(65535)))
    own, other = figures_of(better, resamples=50)
    difference = other['ssim'].less(own['ssim']).as_value()
    assert 0 < difference.low < difference.value < difference.high


def test_one_frame_of_so_many_with_its_step(drive, tmp_path):
    _, _, lines = judged(drive, tmp_path, '--judge', '--every', '5', '--detector', 'none')
    assert [line['frame'] for line in lines] == list(range(0, 40, 5))
    assert all('warp_error' in line for line in lines)


def test_a_folder_of_true_pictures_named_by_stamp(drive, tmp_path):
    truth = tmp_path / 'truth'
    truth.mkdir()
    for stamp, samples in list(zip(drive.stamps, drive.true, strict=True))[:32]:
        cv2.imwrite(str(truth / f'{stamp + 1000}.png'), samples)
    _, report, lines = judged(drive, tmp_path, '--true-swir', str(truth), '--detector', 'none',
                              '--every', '4')
    assert sum('psnr_db' in line for line in lines) == 8
    account = next(facts['entries'] for facts in report['facts']
                   if facts['title'].startswith('True SWIR of'))
    assert (account['matched'], account['unmatched']) == (32, 8)


def test_the_verb_replays_and_judges_and_compares(drive, tmp_path, capsys):
    from rgb2swir_ros.cli.main import main

    from ....small_models import TINY, untidy
    for name in 'ab':
        untidy(TINY).save(tmp_path / name)
    code = main(['replay', str(drive.bag), '-o', str(tmp_path / 'out'),
                 '--model', str(tmp_path / 'a'), '--backend', 'eager',
                 '--true-swir', TRUE, '--detector', 'none', '--every', '3', '--compare',
                 str(tmp_path / 'b'), '--playback-duration', '9.5', '--compare-backend', 'eager'])
    assert code == 0, capsys.readouterr()
    report = json.loads((tmp_path / 'out' / 'report.json').read_text())
    rows = {row['measure']: row for row in report['sections'][0]['items'][0]['rows']}
    # equal weights: equal figures, through the same 8-bit sensor
    assert rows['PSNR']['difference']['value'] == 0
    assert rows['PSNR']['own'] == rows['PSNR']['other']
    times = {facts['title']: facts['entries'] for facts in report['facts']}
    assert times['Times, by the names of ros2_benchmark']['p99_latency_ms'] > 0
    lines = (tmp_path / 'out' / 'frames.jsonl').read_text().splitlines()
    assert len(lines) == 4
    # the camera of true SWIR is not taken for one to translate
    assert {json.loads(line)['camera'] for line in lines} == {'/camera/image_raw'}
    run = json.loads((tmp_path / 'out' / 'drive' / 'run.json').read_text())
    assert run['left_out'] == {TRUE: 'true SWIR'}
    assert json.loads(lines[0])['compare']['psnr_db'] == json.loads(lines[0])['psnr_db']


@pytest.mark.parametrize(('words', 'says'), [
    (['--every', '0'], '--every 0'), (['--compare', 'nowhere'], "no model 'nowhere'"),
    (['--pseudo-label-score', '2'], '--pseudo-label-score 2.0'),
    (['--detector', 'nowhere'], "no model 'nowhere'"), (['--resamples', '3'], '--resamples 3'),
    (['--horizon', '1'], '--horizon 1.0'),
    (['--true-gamma', '0'], '--true-gamma 0.0'),
    (['--homography', 'h.txt'], '--homography is of true frames'),
    (['--sensor', 'imx'], "no sensor preset 'imx'"),
    (['--labels', 'none.json'], 'cannot read the labels none.json'),
    (['--labels', 'none.json', '--detector', 'none'], '--labels are for a detector')])
def test_wrong_arguments_are_refused_before_the_work(tmp_path, words, says):
    with pytest.raises(UserError, match=re.escape(says)):
        check_judgement(arguments(tmp_path, '--judge', *words))


def test_a_report_that_is_there_is_not_replaced(tmp_path):
    (tmp_path / 'report.html').write_text('mine')
    with pytest.raises(UserError, match=r'report\.html'):
        check_judgement(arguments(tmp_path, '--judge'))
