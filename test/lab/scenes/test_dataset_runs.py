"""Runs that write a data set: interrupted, failed, at the same time, over another one."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.scenes.dataset import remove_other, write_dataset

from .data_sets import calls, contents, spec, write

pytestmark = pytest.mark.usefixtures('rectangle_renderer')


def _ends(group: int) -> bool:
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(.05)
    return False


def test_same_files_whatever_the_number_of_workers(tmp_path):
    write(tmp_path / 'one', workers=1, sequences=1, length=3)
    write(tmp_path / 'two', workers=2, sequences=1, length=3)
    assert contents(tmp_path / 'one') == contents(tmp_path / 'two')
    assert (tmp_path / 'one' / 'dataset.yaml').read_text() == (
        tmp_path / 'two' / 'dataset.yaml').read_text()


def test_interrupted_and_called_again_gives_the_same_files(tmp_path):
    def stop(progress):
        if progress.done >= 6:
            raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        write_dataset(spec(tmp_path / 'a'), 1, stop)
    assert yaml.safe_load((tmp_path / 'a' / 'dataset.yaml').read_text())['complete'] is False
    (tmp_path / 'calls').unlink()
    seen = []
    write_dataset(spec(tmp_path / 'a'), 1, lambda p: seen.append((p.done, p.kept)))
    assert seen[0][0] == seen[0][1] >= 6
    assert len(calls(tmp_path)) == 8 - seen[0][1] // 2
    write(tmp_path / 'b')
    assert contents(tmp_path / 'a') == contents(tmp_path / 'b')


def test_ctrl_c_stops_all_processes_and_leaves_no_part(tmp_path):
    code = ('import sys; sys.path.insert(0, sys.argv[2]);'
            'from rgb2swir_ros.cli import scenes, main;'
            'import functools;'
            'scenes.DatasetSpec = functools.partial(scenes.DatasetSpec, renderer="rectangles");'
            'sys.exit(main.main(["scenes", "--count", "400", "--looks", "2", "--workers", "2",'
            ' "--size", "64x48", "-o", sys.argv[1]]))')
    child = subprocess.Popen([sys.executable, '-c', code, str(tmp_path / 'a'),
                              str(Path(__file__).parent)], stderr=subprocess.PIPE, text=True,
                             start_new_session=True, env=os.environ | {'NAP': '.05'})
    for _ in range(300):
        if len(calls(tmp_path)) > 3:
            break
        time.sleep(.05)
    os.killpg(child.pid, signal.SIGINT)
    _, error = child.communicate(timeout=20)
    assert child.returncode == 130
    assert 'call again to go on' in error
    assert 'Traceback' not in error
    assert not list((tmp_path / 'a').rglob('*.partial-*'))
    assert _ends(child.pid), 'a process of the run goes on'


def test_what_is_there_is_kept_and_what_is_missing_is_made_again(tmp_path):
    write(tmp_path / 'a')
    before = contents(tmp_path / 'a')
    for scene in ('data_3_desert', 'data_5_desert'):
        victim = next((tmp_path / 'a').glob(f'*/*/{scene}/*/swir/*'))
        victim.unlink()
    (tmp_path / 'a' / 'manifests' / 'scene_6.json').unlink()
    (tmp_path / 'calls').unlink()
    write(tmp_path / 'a')
    assert calls(tmp_path) == [3, 5, 6]
    assert contents(tmp_path / 'a') == before


def test_what_was_changed_is_refused_by_name_and_stays(tmp_path):
    write(tmp_path / 'a')
    victim = next((tmp_path / 'a').glob('*/*/data_3_desert/*/swir/*'))
    victim.write_bytes(b'retouched by hand')
    (tmp_path / 'calls').unlink()
    with pytest.raises(UserError, match=rf'1 files .*{victim.name}.* first: remove them'):
        write(tmp_path / 'a')
    assert victim.read_bytes() == b'retouched by hand'
    assert calls(tmp_path) == []
    victim.unlink()
    write(tmp_path / 'a')
    assert calls(tmp_path) == [3]


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / 'photos').mkdir()
    (tmp_path / 'photos' / 'a.jpg').write_bytes(b'mine')
    with pytest.raises(UserError, match=r'holds no data set, but a\.jpg'):
        write(tmp_path / 'photos')
    assert contents(tmp_path / 'photos') == {'a.jpg': b'mine'}


def test_overwrite_removes_the_other_data_set_and_nothing_else(tmp_path):
    folder = tmp_path / 'a'
    write(folder, scenes=2)
    (folder / 'train' / 'notes.txt').write_text('mine')
    changed = next(folder.glob('*/*/data_0_*/*/rgb/*'))
    changed.write_bytes(b'retouched')
    remove_other(spec(folder, scenes=2))  # the same settings: it is to be resumed
    assert len(list(folder.rglob('*.png'))) == 9
    remove_other(spec(folder, scenes=2, looks=3))
    left = {path.name: path.read_bytes() for path in folder.rglob('*')
            if path.is_file() and path.name not in {'.lock', '.rgb2swir'}}
    assert left == {'notes.txt': b'mine', changed.name: b'retouched'}


def test_grows_without_moving_a_scene_and_never_shrinks(tmp_path):
    write(tmp_path / 'a', scenes=4, sequences=1, length=2)
    small = set((tmp_path / 'a').glob('*/*/data_*'))
    index = write(tmp_path / 'a', scenes=8)
    assert small < set((tmp_path / 'a').glob('*/*/data_*'))
    assert (index['scenes'], index['sequences'], index['length']) == (8, 1, 2)
    assert write(tmp_path / 'a', scenes=2)['scenes'] == 8


def test_a_split_alone_is_that_of_the_whole_set_which_may_follow(tmp_path):
    index = write(tmp_path / 'a', scenes=16, split='test')
    assert index['scenes'] == index['splits']['test']['scenes'] == 2
    assert index['splits']['train']['frames'] == 0
    judged = contents(tmp_path / 'a' / 'test')
    assert write(tmp_path / 'a', scenes=16)['splits']['train']['scenes'] == 13
    assert contents(tmp_path / 'a' / 'test') == judged
    write(tmp_path / 'b', scenes=16)
    assert contents(tmp_path / 'a') == contents(tmp_path / 'b')
    with pytest.raises(UserError, match='none of 3 scenes is in the split test'):
        write(tmp_path / 'c', scenes=3, split='test')
    assert not (tmp_path / 'c').exists()


@pytest.mark.parametrize(('changes', 'text'), [
    ({'seed': 1}, 'seed 0, not 1'), ({'size': (32, 64)}, 'size 64x48, not 64x32'),
    ({'looks': 3}, 'looks 2, not 3'), ({'sequences': 1, 'length': 5}, 'length 3, not 5')])
def test_another_data_set_in_the_same_folder_is_refused(tmp_path, changes, text):
    write(tmp_path / 'a', scenes=1, sequences=1, length=3)
    before = contents(tmp_path / 'a')
    with pytest.raises(UserError, match=text):
        write(tmp_path / 'a', **changes)
    assert contents(tmp_path / 'a') == before


def test_a_second_run_at_the_same_time_is_refused(tmp_path):
    (tmp_path / 'a').mkdir()
    with (tmp_path / 'a' / '.lock').open('w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(UserError, match='another run'):
            write(tmp_path / 'a')


def test_a_scene_that_raises_and_a_worker_that_dies_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv('RAISE', '2')
    monkeypatch.setenv('DIE', '5')
    monkeypatch.setenv('REFUSE', '6')
    news = []
    index = write_dataset(spec(tmp_path / 'a'), 2, lambda p: news.append(p.news))
    assert {s['seed']: s['reason'].split(' (rect')[0].split(' (units')[0]
            for s in index['skipped']} == {
        2: 'ZeroDivisionError: no such scene',
        6: 'ValueError: no such thing as a sign',
        5: 'its worker process died (SIGKILL: out of memory?)'}
    assert (index['scenes'], index['complete']) == (5, False)
    assert 'scene 5 skipped' in ' '.join(news)
    monkeypatch.undo()
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    assert write(tmp_path / 'a')['complete'] is True


def test_gives_up_when_no_scene_can_be_rendered(tmp_path, monkeypatch):
    monkeypatch.setenv('RAISE', ','.join(map(str, range(99))))
    with pytest.raises(UserError, match='no such scene'):
        write(tmp_path / 'a', scenes=50)
    assert len(calls(tmp_path)) < 12


def test_a_full_disk_stops_the_run_with_its_reason(tmp_path, monkeypatch):
    folder = tmp_path / 'a'
    write(folder, scenes=1)
    (folder / 'train').rename(folder / 'away')
    (folder / 'train').write_text('a file where a folder must be')
    with pytest.raises(UserError, match='cannot be written'):
        write(folder, scenes=1)
