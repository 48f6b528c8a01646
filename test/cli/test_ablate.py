"""``rgb2swir ablate`` as a user calls it: trained, killed, resumed, judged."""

import json
import shutil
import signal
import subprocess
import sys
import time

import cv2
import pytest
import yaml

from rgb2swir_ros.cli.main import main
from rgb2swir_ros.lab.ablation.page import page
from rgb2swir_ros.lab.training import trees, validation

from .tiny_training import MODEL

TINY = MODEL + """
autoencoder:
  stages: [{name: plain, steps: 400, batch: 2, rate: 1.0e-3},
           {name: skips, steps: 400, batch: 2, rate: 1.0e-3}]
  scale_batches: 2
teacher: {stages: [{name: denoise, steps: 400, batch: 2, rate: 1.0e-3}]}
student:
  stages: [{name: latent, steps: 400, batch: 2, rate: 1.0e-3},
           {name: pixels, steps: 400, batch: 2, rate: 1.0e-3}]
  scale_batches: 2
"""


TRANSFER = {'command': 'rgb2swir evaluate transfer', 'steps': 1, 'batch': 1, 'seeds': 1,
            'first_seed': 0, 'sources': [{'name': 'true SWIR', 'by_seed': [.2], 'figures': {},
                                          'to_true': {}, 'to_last': {}}]}


@pytest.fixture
def data(toy, tmp_path):
    """Return frames whose objects look otherwise in the visible: half of them are negatives."""
    folder = shutil.copytree(toy, tmp_path / 'data')
    for path in sorted((folder / 'rgb').glob('test*_0.png')):
        cv2.imwrite(str(path), 255 - cv2.imread(str(path)))
    return folder


@pytest.fixture
def words(data, lively, tmp_path):
    preset = tmp_path / 'tiny.yaml'
    preset.write_text(TINY)

    def make(*more: str) -> list[str]:
        return ['ablate', '--data', str(data), '--output', str(tmp_path / 'out'), '--preset',
                str(preset), '--dit-preset', str(preset), '--detector', str(lively),
                '--scenes', '0', '--sequences', '0', '--resamples', '20', '--frames', '4',
                '--threads', '1', *more]
    return make


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_and_judges_its_rows(words, data, tmp_path, capsys):
    out = tmp_path / 'out'
    call = words('--only', 'grey', 'unet_lge', '--minutes', '.01')
    record = out / 'models' / 'autoencoder_plain' / 'training.yaml'
    process = subprocess.Popen([sys.executable, '-m', 'rgb2swir_ros.cli.main', *call],
                               stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not record.exists():
        assert process.poll() is None, process.stderr.read().decode()
        assert time.monotonic() < deadline
        time.sleep(.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stderr.close()
    assert not (out / 'rows' / 'unet_lge').exists()
    plan = json.loads((out / 'plan.json').read_text())
    assert plan['minutes'] == .01
    assert 0 < plan['share'] < 1
    weights = record.with_name('weights.safetensors').stat().st_mtime_ns

    assert main(call) == 0
    err = capsys.readouterr().err
    assert 'autoencoder_plain:' not in err  # not trained again
    assert record.with_name('weights.safetensors').stat().st_mtime_ns == weights
    assert json.loads((out / 'plan.json').read_text())['share'] == plan['share']
    rows = {name: json.loads((out / 'rows' / name / 'row.json').read_text())
            for name in ('grey', 'unet_lge', 'true')}
    for name, calls in (('grey', 0), ('unet_lge', 1)):
        assert rows[name]['calls'] == calls
        assert 0 < rows[name]['psnr'] < 60
        assert -1 < rows[name]['ssim'] < 1
        assert rows[name]['edges'] is None or -1 <= rows[name]['edges'] <= 1
        assert rows[name]['frechet'] > 0
        assert set(rows[name]['map']) >= {'map', 'small', 'medium', 'large'}
    assert 0 < rows['true']['contrast_objects'] < rows['true']['objects']
    assert 'to_true' in rows['grey']['map']['contrast']
    assert rows['grey']['gigaflop'] is None
    assert rows['unet_lge']['gigaflop'] > 0

    pages = tmp_path / 'docs'
    call = [*call, '--pairs', str(data), '--every', '20']  # judged again, as there is more
    pages.mkdir()
    (pages / 'ablation_concluded.md').write_text('Grey is enough for toys.')
    figures = tmp_path / 'transfer.json'
    figures.write_text(json.dumps(TRANSFER))
    second = tmp_path / 'second.json'
    second.write_text(json.dumps({**TRANSFER, 'first_seed': 1}))
    assert main([*call, '--pages', str(pages), '--transfer', str(figures), str(second)]) == 0
    assert 'autoencoder_plain is done' not in capsys.readouterr().err
    assert main(call) == 0
    assert 'is done:' not in capsys.readouterr().err  # nothing was left to do
    summary = json.loads((pages / 'ablation.json').read_text())
    assert [row['row'] for row in summary['rows']] == ['unet_lge', 'grey']
    assert summary['rows'][0]['map'] == rows['unet_lge']['map']
    assert -1 <= summary['rows'][1]['real_rank']['value'] <= 1
    assert (pages / 'ablation.md').read_text() == page(summary)
    assert 'Grey is enough for toys.' in page(summary)
    assert summary['transfer'] == [TRANSFER, {**TRANSFER, 'first_seed': 1}]
    assert f"--transfer {figures} {second}" in summary['command']
    sheet = cv2.imread(str(pages / 'images' / 'ablation.jpg'))
    assert sheet.shape[:2] == (4 * (22 + 213), 4 * 320)
    assert (pages / 'images' / 'ablation.png').exists()


@pytest.mark.slow
def test_baselines_are_fitted_or_trained_and_judged_like_the_others(words, tmp_path, monkeypatch):
    pytest.importorskip('sklearn')
    monkeypatch.setattr(trees, 'ROUNDS', 3)
    monkeypatch.setattr(validation, 'LOOKUP_FRAMES', 4)
    call = words('--only', 'canary', 'lookup', 'trees', '--share', '.004')
    assert main([*call, '--train-only']) == 0
    assert not (tmp_path / 'out' / 'rows').exists()
    record = yaml.safe_load((tmp_path / 'out' / 'models' / 'canary' / 'training.yaml').read_text())
    assert record['steps'] * record['batch'] == pytest.approx(.004 * 5 * 400 * 2, abs=4)
    assert main(call) == 0
    rows = [json.loads((tmp_path / 'out' / 'rows' / name / 'row.json').read_text())
            for name in ('canary', 'lookup', 'trees')]
    assert [row['calls'] for row in rows] == [0, 0, 0]
    assert [row['gigaflop'] is None for row in rows] == [False, True, True]
    assert all(row['psnr'] > 5 for row in rows)


def test_another_data_set_may_be_judged_on(words, data, tmp_path, capsys):
    def row():
        return json.loads((tmp_path / 'out' / 'rows' / 'grey' / 'row.json').read_text())
    other = shutil.copytree(data, tmp_path / 'other')
    for path in (other / 'rgb').glob('test*.png'):
        cv2.imwrite(str(path), cv2.imread(str(path)) // 2)
    assert main(words('--only', 'grey')) == 0
    usual = row()
    assert main(words('--only', 'grey', '--judge-on', str(other))) == 0
    assert row()['psnr'] != usual['psnr']
    assert main(words('--only', 'grey', '--judge-on', str(data))) == 0
    assert (row()['psnr'], row()['judge']) == (usual['psnr'], usual['judge'])
    assert main(words('--only', 'grey', '--judge-on', str(tmp_path / 'nowhere'))) == 2
    assert 'nowhere' in capsys.readouterr().err


def test_rows_of_an_earlier_run_join_the_page(words, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(validation, 'LOOKUP_FRAMES', 4)
    pages = tmp_path / 'docs'
    figures = pages / 'ablation.json'
    assert main(words('--only', 'grey', '--pages', str(pages))) == 0
    grey = json.loads(figures.read_text())['rows'][0]
    sheet = cv2.imread(str(pages / 'images' / 'ablation.jpg'))
    for row in (tmp_path / 'out' / 'rows').iterdir():  # as on another machine
        shutil.rmtree(row)
    joined = words('--only', 'lookup', '--pages', str(pages), '--join', str(figures))
    assert main([*joined, '--resamples', '30']) == 1 + 1
    assert '--resamples 20 there, 30 here' in capsys.readouterr().err
    assert json.loads(figures.read_text())['rows'] == [grey]
    assert main(joined) == 0
    summary = json.loads(figures.read_text())
    assert [row['row'] for row in summary['rows']] == ['grey', 'lookup']
    assert summary['rows'][0] == grey
    assert (pages / 'ablation.md').read_text() == page(summary)
    assert 'joined with `--join`: grey-scale conversion.' in page(summary)
    band = len(sheet) // 3
    larger = cv2.imread(str(pages / 'images' / 'ablation.jpg'))
    assert len(larger) == 4 * band
    assert abs(larger[:3 * band].astype(int) - sheet).mean() < 3


def test_a_second_run_keeps_the_share_of_the_first(words, capsys):
    assert main(words('--only', 'grey', '--share', '.5', '--train-only')) == 0
    assert main(words('--only', 'grey', '--share', '.4', '--train-only')) == 2
    assert 'has 0.5 for all its rows' in capsys.readouterr().err
    assert main(words('--only', 'lookup', '--minutes', '3', '--train-only')) == 0


@pytest.mark.parametrize(('more', 'text'), [
    (('--only', 'unet_lmd'), 'no such row'), (('--share', '0'), '--share 0'),
    (('--batch-share', '0'), '--batch-share 0'), (('--batch-share', '1.5'), '--batch-share 1.5'),
    (('--minutes', '-1'), '--minutes -1'), (('--scenes', '-1'), '--scenes -1'),
    (('--workers', '0'), '--workers 0'), (('--inception', 'nowhere.pt'), 'nowhere.pt'),
    (('--train-only', '--pages', 'docs'), '--pages and --train-only'),
    (('--transfer', 'x.json'), 'give --pages'),
    (('--pages', 'docs', '--transfer', 'x.json'), 'cannot read --transfer x.json'),
    (('--pages', 'docs', '--transfer', 'model.yaml'), 'cannot read --transfer model.yaml'),
    (('--pages', 'docs', '--transfer', 'old.json'), 'evaluate transfer'),
    (('--pages', 'docs', '--transfer', 'list.json'), 'evaluate transfer'),
    (('--pages', 'docs', '--transfer', 'null.json'), 'evaluate transfer'),
    (('--pages', 'docs', '--transfer', 'one.json', 'one.json'), 'both have detectors of seed 0'),
    (('--join', 'old.json'), 'give --pages'),
    (('--pages', 'docs', '--join', 'gone.json'), '--join gone.json'),
    (('--pages', 'docs', '--join', 'list.json'), '--join list.json'),
    (('--pages', 'docs', '--join', 'old.json'), '--join old.json'),
    (('--detector', 'nothing'), "no model 'nothing'"), (('--frames', '0'), '--frames 0')])
def test_wrong_arguments_are_named(words, tmp_path, monkeypatch, capsys, more, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'model.yaml').write_text('name: x')
    (tmp_path / 'old.json').write_text('{"sources": []}')
    (tmp_path / 'one.json').write_text(json.dumps(TRANSFER))
    (tmp_path / 'list.json').write_text('[1]')
    (tmp_path / 'null.json').write_text('null')
    assert main(words(*more)) == 2
    assert text in capsys.readouterr().err


def test_a_folder_of_something_else_is_refused(words, tmp_path, capsys):
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out' / 'thesis.tex').touch()
    assert main(words()) == 2
    assert 'thesis.tex' in capsys.readouterr().err


def test_rows_are_listed_without_any_data(capsys):
    with pytest.raises(SystemExit) as end:
        main(['ablate', '--list'])
    assert end.value.code == 0
    assert 'unet_scae_lge ' in capsys.readouterr().out
