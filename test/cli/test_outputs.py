"""Nothing that this tool did not write is removed or replaced, by whatever verb."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import pytest

from rgb2swir_ros.replay.offline import OfflineTranslator

from ..outputs import contents, make_bag, make_inputs, run
from ..replay import footage

pytestmark = pytest.mark.usefixtures('without_network')

# verb by name: its words, and an output of it
VERBS: dict[str, tuple[list[str], str]] = {
    'picture': (['translate', 'in/a.jpg', 'out/x.png'], 'out/x.png'),
    'folder': (['translate', 'in', 'out'], 'out/b.png'),
    'video': (['translate', 'v.mp4', 'out/x.mp4'], 'out/x.mp4'),
    'bag': (['translate', 'bag', 'out/swir'], 'out/swir/swir.mcap'),
    'replay': (['replay', 'bag', '-o', 'out'], 'out/bag/swir'),
    'replay record': (['replay', 'bag', '-o', 'out'], 'out/bag/run.json'),
    'replay resumed': (['replay', 'bag', '-o', 'out'], 'out/bag/unfinished/resume.json'),
    'replay part': (['replay', 'bag', '-o', 'out'], 'out/bag/unfinished/swir/swir_0.mcap'),
    'replay live': (['replay', 'bag', '-o', 'out', '--live'], 'out/bag/logs/player.log'),
    'demo': (['demo', '--input', 'bag', '--output', 'out'], 'out/swir_bag/swir_bag.mcap'),
    'demo report': (['demo', '--input', 'bag', '--output', 'out'], 'out/report.json'),
    'demo log': (['demo', '--input', 'bag', '--output', 'out'], 'out/logs/recorder.log'),
    'scenes': (['scenes', '--count', '1', '-o', 'out'], 'out/photo.png'),
    'canary': (['train', 'canary', '--data', 'data', '--output', 'out', '--work', 'work'],
               'out/weights.safetensors'),
    'canary work': (['train', 'canary', '--data', 'data', '--output', 'out', '--work', 'work'],
                    'work/contact_sheet.png'),
    'autoencoder': (['train', 'autoencoder', '--data', 'data', '--output', 'out', '--work', 'w'],
                    'out/training.yaml'),
    'detector': (['train', 'detector', '--data', 'data', '--output', 'out', '--work', 'w'],
                 'out/model.yaml'),
    'onnx': (['train', 'detector', '--data', 'data', '--output', 'out', '--onnx', 'x.onnx'],
             'x.onnx'),
    'export': (['build', '--backend', 'export', '-o', 'out/x.pt2'], 'out/x.pt2'),
    'export manifest': (['build', '--backend', 'export', '-o', 'out/x.pt2'], 'out/x.json'),
    'detection': (['evaluate', 'detection', '--data', 'data', '-o', 'out'], 'out/boxes.png'),
    'temporal': (['evaluate', 'temporal', '--model', 'grey', '--data', 'data', '-o', 'out'],
                 'out/temporal.json'),
    'materials': (['evaluate', 'materials', '--model', 'grey', '-o', 'out'], 'out/table.txt'),
}


@pytest.mark.parametrize('extra', [[], ['--overwrite']], ids=['plain', 'overwrite'])
@pytest.mark.parametrize('verb', VERBS)
def test_what_is_not_ours_survives_every_verb(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
        verb: str, extra: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    make_inputs(tmp_path)
    words, output = VERBS[verb]
    (tmp_path / output).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / output).write_bytes(b'years of work')
    before = contents(tmp_path)
    assert run(*words, *extra) == 2
    told = capsys.readouterr().err
    assert told.count('\n') == 1, told
    assert Path(output).parts[1 if output.startswith('out/swir') else -1] in told
    assert contents(tmp_path) == before


@pytest.mark.parametrize(('words', 'text'), [
    (['translate', 'bag/bag.mcap', 'bag'], 'is the input'),
    (['translate', 'bag', '.'], 'contains the input'),
    (['translate', 'bag', 'bag/swir'], 'lies in the input'),
    (['translate', 'bag/bag.mcap', 'bag/swir'], 'lies in the input'),
    (['translate', 'in', 'in/out'], 'lies in the input'),
    (['translate', 'in', 'link/out'], 'lies in the input'),
    (['translate', 'link', 'in/out'], 'lies in the input'),
    (['translate', 'in', '.'], 'contains the input'),
    (['translate', 'in/a.jpg', 'in/a.jpg/out'], 'lies in the input'),
    (['translate', 'in/a.jpg', 'v.mp4/out.png'], 'is no folder'),
    (['replay', 'bag', '-o', 'bag/out'], 'lies in the input'),
    (['replay', 'in', '-o', '.'], 'contains the input'),
    (['demo', '--input', 'bag', '--output', '.'], 'contains the input'),
    (['demo', '--input', 'bag', '--output', 'bag'], 'is the input'),
    (['scenes', '--materials', 'in/a.jpg', '-o', 'in'], 'contains the input'),
    (['train', 'canary', '--data', 'data', '--output', 'data'], 'is the input'),
    (['train', 'canary', '--data', 'data', '--output', 'out', '--work', 'data/work'],
     'lies in the input'),
    (['train', 'detector', '--data', 'data', '--output', 'data/model'], 'lies in the input'),
    (['train', 'autoencoder', '--data', 'data', '--output', '.'], 'contains the input'),
    (['build', '--model', 'in', '-o', 'in'], 'is the input'),
    (['evaluate', 'detection', '--data', 'data', '-o', 'data'], 'is the input'),
    (['evaluate', 'temporal', '--model', 'in', '--data', 'data', '-o', 'in'], 'is the input'),
])
@pytest.mark.parametrize('extra', [[], ['--overwrite']], ids=['plain', 'overwrite'])
def test_outputs_and_inputs_never_contain_each_other(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
        words: list[str], text: str, extra: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    make_inputs(tmp_path)
    (tmp_path / 'link').symlink_to('in')
    before = contents(tmp_path)
    assert run(*words, *extra) == 2
    told = capsys.readouterr().err
    assert text in told
    assert told.count('\n') == 1, told
    assert contents(tmp_path) == before


@pytest.mark.parametrize('verb', ['picture', 'folder', 'video', 'bag'])
def test_own_output_is_refused_then_replaced_then_refused_once_changed(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
        verb: str) -> None:
    monkeypatch.chdir(tmp_path)
    make_inputs(tmp_path)
    words, output = VERBS[verb]
    assert run(*words) == 0
    first = contents(tmp_path)
    capsys.readouterr()
    assert run(*words) == 2
    told = capsys.readouterr().err
    assert 'give --overwrite' in told
    assert told.count('\n') == 1
    assert contents(tmp_path) == first
    assert run(*words, '--size', '32x32', '--overwrite') == 0
    second = contents(tmp_path)
    assert second.keys() == first.keys()
    assert second[output] != first[output]
    shutil.copytree('out', 'copy')  # the marks are in the files, and go where they go
    (tmp_path / output).write_bytes(second[output] + b'\0')
    assert run(*words, '--overwrite') == 2
    assert (tmp_path / output).read_bytes() == second[output] + b'\0'
    elsewhere = [word.replace('out', 'copy') for word in words]
    assert run(*elsewhere, '--overwrite') == 0


def test_a_batch_is_refused_before_its_first_frame(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / 'in').mkdir()
    for n in range(6):
        cv2.imwrite(str(tmp_path / f'in/{n}.jpg'), footage.picture(n))
    assert run('translate', tmp_path / 'in', tmp_path / 'out') == 0
    (tmp_path / 'out/0.png').unlink()
    monkeypatch.setattr(OfflineTranslator, 'radiance', None)
    capsys.readouterr()
    assert run('translate', tmp_path / 'in', tmp_path / 'out') == 2
    told = capsys.readouterr().err
    assert '5 outputs exist (' in told
    assert told.count('.png') == 3


def test_what_a_user_put_into_our_bag_or_folder_stays(tmp_path: Path) -> None:
    make_inputs(tmp_path)
    words = ('translate', tmp_path / 'bag', tmp_path / 'swir', '--overwrite')
    assert run(*words) == 0
    assert run(*words) == 0
    (tmp_path / 'swir/notes.txt').write_text('mine')
    assert run(*words) == 2
    (tmp_path / 'swir/notes.txt').rename(tmp_path / 'notes.txt')
    assert run(*words) == 0
    # recorded anew in its place, with the same names of files
    shutil.rmtree(tmp_path / 'swir')
    make_bag(tmp_path / 'swir')
    before = contents(tmp_path / 'swir')
    assert run(*words) == 2
    # or only its storage, the metadata being ours
    shutil.rmtree(tmp_path / 'swir')
    assert run(*words) == 0
    (tmp_path / 'swir/swir.mcap').write_bytes(before['swir.mcap'])
    assert run(*words) == 2
    assert (tmp_path / 'swir/swir.mcap').read_bytes() == before['swir.mcap']
    # a folder of ours: what else is in it is left alone
    words = ('translate', tmp_path / 'in', tmp_path / 'out', '--overwrite')
    assert run(*words) == 0
    make_bag(tmp_path / 'out/recording')
    before = contents(tmp_path / 'out/recording')
    assert run(*words) == 0
    assert contents(tmp_path / 'out/recording') == before
