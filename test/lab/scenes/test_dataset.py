"""Data sets of rendered frames: what is written, and that nothing is lost or changed."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from pycocotools.coco import COCO

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.scenes import dataset
from rgb2swir_ros.lab.scenes.dataset import (
    SEQUENCE_SEEDS,
    DatasetSpec,
    remove_other,
    write_dataset,
)

SIZE = (48, 64)


@pytest.fixture(autouse=True)
def _renderer(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))  # spawned processes inherit it
    monkeypatch.setenv('CALLS', str(tmp_path / 'calls'))


def spec(folder: Path, **changes) -> DatasetSpec:
    return DatasetSpec(**{'folder': folder, 'seed': 0, 'size': SIZE, 'looks': 2, 'scenes': 8,
                          'renderer': 'rectangles'} | changes)


def write(folder: Path, workers: int = 1, **changes) -> dict:
    return write_dataset(spec(folder, **changes), workers, lambda _: None)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob('*')
            if p.is_file() and p.name != 'dataset.yaml'}


def calls(tmp_path: Path) -> list[int]:
    path = tmp_path / 'calls'
    return sorted(map(int, path.read_text().split())) if path.exists() else []


def _ends(group: int) -> bool:
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(.05)
    return False


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    """A finished data set and its index."""
    folder = tmp_path_factory.mktemp('made')
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent))
        return folder, write(folder, scenes=26, sequences=2, length=3)


def test_layout_names_split_weather_scene_and_place(made):
    folder, _ = made
    names = {str(p.relative_to(folder)) for p in folder.rglob('*.png')}
    assert 'train/1_clear/data_0_town/croped_data/rgb/rgb_aligned_000000.png' in names
    assert 'train/1_clear/data_0_town/croped_data/swir/swir_original_000000.png' in names
    assert 'train/5_fog/data_0_town/croped_data/swir/swir_original_000001.png' in names
    assert any('/0_hail/' in name for name in names), 'a weather of no number'
    assert not list(folder.rglob('*.partial-*'))


def test_a_scene_is_in_one_split_only_and_all_splits_get_some(made):
    folder, index = made
    splits = {split: {p.name for p in (folder / split).glob('*/data_*')}
              for split in ('train', 'validation', 'test')}
    assert all(splits.values())
    assert sum(map(len, splits.values())) == len(set.union(*splits.values())) == 26
    assert {s: part['scenes'] for s, part in index['splits'].items()} == {
        'train': 21, 'validation': 2, 'test': 3}


def test_pictures_hold_the_rendered_frames(made):
    import rectangles
    folder, _ = made
    want = rectangles.render_frames(4, SIZE, 2)[1]
    swir_path, = folder.glob('*/*/data_4_town/croped_data/swir/swir_original_000001.png')
    rgb_path = swir_path.parents[1] / 'rgb' / 'rgb_aligned_000001.png'
    assert np.array_equal(cv2.imread(str(rgb_path))[..., ::-1], want.rgb)
    swir = cv2.imread(str(swir_path), cv2.IMREAD_UNCHANGED)
    assert swir.dtype == np.uint16
    assert np.abs(swir / 65535 - want.swir).max() <= .51 / 65535


def test_annotations_load_as_coco_and_count_what_is_dropped(made):
    folder, index = made
    boxes = 0
    for split in ('train', 'validation', 'test'):
        coco = COCO(str(folder / 'annotations' / f'{split}.json'))
        assert [c['name'] for c in coco.loadCats([1, 2, 3, 4, 5, 6])] == [
            'car', 'truck', 'person', 'bus', 'motorcycle', 'bicycle']
        for image in coco.loadImgs(coco.getImgIds()):
            picture = cv2.imread(str(folder / image['file_name']), cv2.IMREAD_UNCHANGED)
            assert picture.shape == (image['height'], image['width'])
            assert (folder / image['rgb_file_name']).is_file()
            note, = coco.loadAnns(coco.getAnnIds(image['id']))
            assert note['category_id'] == image['scene'] % 6 + 1
            x, y, width, height = map(int, note['bbox'])
            assert (picture[y:y + height, x:x + width] > .7 * 65535).all()
            assert note['visible'] == 1.0
            boxes += 1
    assert boxes == 52 == sum(part['boxes'] for part in index['splits'].values())
    assert index['boxes_dropped'] == {'tiny': 52, 'hidden': 52, 'lost': 52}
    assert index['splits']['train']['sizes']['small'] == 42


def test_index_tells_settings_encoding_and_counts(made):
    folder, index = made
    assert yaml.safe_load((folder / 'dataset.yaml').read_text()) == index
    assert index['complete'] is True
    assert index['swir']['encoding'] == 'linear'
    assert index['size'] == '64x48'
    assert sum(index['splits']['train']['weathers'].values()) == 42
    assert set(index['splits']['train']['places']) == {'town', 'desert'}


def test_sheet_shows_24_scenes(made):
    sheet = cv2.imread(str(made[0] / 'contact_sheet.png'))
    assert sheet.shape == (8 * (48 + 3), 3 * (2 * 64 + 3), 3)
    assert sheet.reshape(8, 51, 3, 131, 3)[:, :48, :, :128].max(axis=(1, 3, 4)).min() > 200


def test_sequences_have_flow_index_and_boxes(made):
    folder, _ = made
    index = json.loads((folder / 'sequences' / 'index.json').read_text())
    assert [s['seed'] for s in index] == [SEQUENCE_SEEDS, SEQUENCE_SEEDS + 1]
    base = folder / index[0]['folder']
    assert base.name == f'clear_{SEQUENCE_SEEDS}'
    assert sorted(p.name for p in (base / 'swir').iterdir()) == [f'00000{k}.png' for k in range(3)]
    assert sorted(p.name for p in (base / 'flow').glob('*.npz')) == ['000000.npz', '000001.npz']
    stored = np.load(base / 'flow' / '000001.npz')
    assert stored['flow'].dtype == np.float16
    assert (stored['flow'] == 1.5).all()
    assert stored['seen'].mean() == 62 / 64
    assert cv2.imread(str(base / 'strip.png')).shape[0] == 3 * 48
    coco = COCO(str(folder / 'annotations' / 'sequences.json'))
    assert len(coco.getImgIds()) == len(coco.getAnnIds()) == 6


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


def test_renderer_that_cannot_be_imported_is_one_clear_error(tmp_path):
    with pytest.raises(UserError, match='no_such_renderer'):
        write(tmp_path / 'a', renderer='no_such_renderer')


@pytest.mark.parametrize('changes', [
    {'scenes': 0}, {'looks': 0}, {'seed': -1}, {'sequences': 1, 'length': 1},
    {'scenes': SEQUENCE_SEEDS + 1}])
def test_figures_out_of_range_are_refused(tmp_path, changes):
    with pytest.raises(UserError):
        spec(tmp_path, **changes).units()


def test_data_sets_of_different_seeds_share_no_scene(tmp_path, monkeypatch):
    """With as many scenes and sequences as there may be; here fewer may be."""
    assert dataset.SEEDS == 2 * SEQUENCE_SEEDS
    monkeypatch.setattr(dataset, 'SEEDS', 200)
    monkeypatch.setattr(dataset, 'SEQUENCE_SEEDS', 100)
    seeds = [{u.seed for u in spec(tmp_path, seed=s, scenes=100, sequences=100,
                                   length=2).units()} for s in (0, 1)]
    assert not seeds[0] & seeds[1]
    assert len(seeds[0]) == len(seeds[1]) == 200


@pytest.mark.parametrize('version', ['3', None])
def test_a_data_set_of_an_earlier_renderer_is_not_mixed_with_this_one(tmp_path, version):
    """Nor is one whose index says no version: the pictures of a seed were others."""
    write(tmp_path, scenes=1, looks=1)
    index = tmp_path / 'dataset.yaml'
    kept = [line for line in index.read_text().splitlines() if not line.startswith('pictures')]
    index.write_text('\n'.join([*kept, *([f'pictures: {version}'] if version else [])]) + '\n')
    with pytest.raises(UserError, match=f'pictures {version}, not'):
        write(tmp_path, scenes=2, looks=1)


def test_materials_of_ones_own_reach_the_pictures_and_are_part_of_the_set(tmp_path):
    """Ground that is white in SWIR: other pictures, and no mixing with the package's."""
    own = tmp_path / 'own.yaml'
    own.write_text('materials:\n' + ''.join(
        f'  {name}: {{reflectance: [.2, .2, .2, .9, .9], source: assumed, from: a test}}\n'
        for name in ('asphalt', 'concrete', 'granite', 'grass', 'dry_grass', 'soil', 'sand')))
    changes = {'renderer': 'rgb2swir_ros.lab.scenes.frames', 'scenes': 1, 'looks': 1, 'seed': 3}
    index = write(tmp_path / 'own', materials=own, **changes)
    assert index['materials'].startswith('sha256 ')
    write(tmp_path / 'plain', **changes)
    name = next((tmp_path / 'own').rglob('swir_original_000000.png')).relative_to(tmp_path / 'own')
    bright, plain = (cv2.imread(str(tmp_path / kind / name), cv2.IMREAD_UNCHANGED).mean()
                     for kind in ('own', 'plain'))
    assert bright > 1.1 * plain
    with pytest.raises(UserError, match='with materials sha256'):
        write(tmp_path / 'own', **changes)
    own.write_text('materials:\n  asphalt: {reflectance: [.07, .06, .05, 1.9, .9], '
                   'source: assumed, from: a test}\n')
    with pytest.raises(UserError, match='asphalt'):
        write(tmp_path / 'wrong', materials=own, **changes)
