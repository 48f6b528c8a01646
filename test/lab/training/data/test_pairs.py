"""Opening data sets: every layout, every kind of damage, splits by scene."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import trees

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.scenes.dataset import DatasetSpec, write_dataset
from rgb2swir_ros.lab.training.data.files import SwirCoding, size_of
from rgb2swir_ros.lab.training.data.folders import PairedFolders, scene_of
from rgb2swir_ros.lab.training.data.pairs import hashed_split, open_pairs, open_training

SPLITS = ('train', 'validation', 'test')


def reasons(dataset) -> dict[str, str]:
    return {item.path.name: item.reason for item in dataset.skipped}


@pytest.fixture(scope='module')
def rendered(tmp_path_factory):
    folder = tmp_path_factory.mktemp('rendered')
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2] / 'scenes'))
        spec = DatasetSpec(folder, 0, (32, 48), looks=2, scenes=26, renderer='rectangles')
        write_dataset(spec, 1, lambda _: None)
    return folder


def test_rendered_scenes_keep_their_splits_and_are_linear(rendered):
    parts = {split: open_pairs(rendered, split) for split in SPLITS}
    assert {s: len(d) for s, d in parts.items()} == {'train': 42, 'validation': 4, 'test': 6}
    scenes = [set(d.scenes) for d in parts.values()]
    assert sum(map(len, scenes)) == len(set.union(*scenes)) == 26
    assert len(open_pairs(rendered, 'all')) == 52
    assert 'rendered scenes, test: 6 pairs of 3 scenes' in parts['test'].summary()
    files = parts['test'].files[0]
    pair = parts['test'][0]
    stored = cv2.imread(str(files.swir), cv2.IMREAD_UNCHANGED)
    assert np.allclose(pair.radiance, stored / 65535, atol=1e-6)
    assert pair.radiance.dtype == np.float32
    assert np.array_equal(pair.rgb[..., ::-1], cv2.imread(str(files.rgb)))
    assert str(files.scene) in files.swir.as_posix()


def test_rendered_scenes_without_an_end_say_how_to_go_on(rendered, tmp_path):
    (tmp_path / 'dataset.yaml').write_text((rendered / 'dataset.yaml').read_text())
    with pytest.raises(UserError, match='never finished; go on with'):
        open_pairs(tmp_path)


def test_a_frame_that_was_deleted_is_listed(rendered, tmp_path):
    copy = tmp_path / 'copy'
    shutil.copytree(rendered, copy)
    victim = open_pairs(copy).files[0].rgb
    victim.unlink()
    dataset = open_pairs(copy)
    assert len(dataset) == 41
    assert [item.path for item in dataset.skipped] == [victim]


def test_rasmd_is_split_by_scene_whatever_else_is_there(tmp_path):
    root = trees.rasmd(tmp_path / 'a', scenes=30)
    parts = {split: open_pairs(root, split) for split in SPLITS}
    assert sum(len(d) for d in parts.values()) == len(open_pairs(root, 'all')) == 90
    scenes = [set(d.scenes) for d in parts.values()]
    assert sum(map(len, scenes)) == len(set.union(*scenes)) == 30
    assert parts['train'].layout == 'RASMD'
    before = {name: hashed_split(name, 0) for name in set.union(*scenes)}
    trees.rasmd(root, scenes=40, frames=1)
    again = {scene: split for split in SPLITS for scene in open_pairs(root, split).scenes}
    assert before.items() <= again.items(), 'a scene moved when others were added'
    assert set(open_pairs(root, 'test', seed=1).scenes) != set(open_pairs(root, 'test').scenes)


def test_rasmd_frames_are_decoded_with_the_gamma_told(tmp_path):
    root = trees.rasmd(tmp_path, scenes=1)
    dataset = open_pairs(root, 'all')
    assert 'gamma 2.2' in dataset.summary()
    for index in range(3):  # grey and three-channel files alike
        pair = dataset[index]
        want = (trees.picture(index)[..., 1] / 255) ** 2.2
        assert np.abs(pair.radiance - want).max() < .06
        assert np.abs(pair.rgb[..., ::-1].astype(int) - trees.picture(index)).mean() < 6
    plain = open_pairs(root, 'all', coding=SwirCoding(gamma=1))[0].radiance
    assert np.allclose(plain ** 2.2, dataset[0].radiance, atol=1e-5)


def test_what_cannot_be_used_is_listed_skipped_and_counted(tmp_path):
    root = trees.rasmd(tmp_path, scenes=4, frames=4)
    base = [next(root.glob(f'*/data_{k}_town')) / 'croped_data' for k in range(4)]
    (base[0] / 'swir' / 'swir_original_000000.jpg').unlink()
    (base[0] / 'rgb' / 'rgb_aligned_000001.jpg').unlink()
    (base[1] / 'rgb' / 'rgb_aligned_000001.jpg').write_bytes(b'')
    (base[1] / 'swir' / 'swir_original_000002.jpg').write_text('no picture at all')
    cut = base[2] / 'rgb' / 'rgb_aligned_000002.jpg'
    cut.write_bytes(cut.read_bytes()[:-20])
    trees.put(base[3] / 'swir' / 'swir_original_000003.jpg', np.zeros((16, 24), np.uint8))
    trees.put(base[3] / 'swir' / 'swir_original_000000.png', np.zeros(trees.SIZE, np.uint8))
    dataset = open_pairs(root, 'all')
    assert len(dataset) == 16 - 6
    assert len(dataset.skipped) == 7
    found = reasons(dataset)
    assert found['rgb_aligned_000000.jpg'] == 'no SWIR frame of that name'
    assert found['swir_original_000001.jpg'] == 'no RGB frame of that name'
    assert found['rgb_aligned_000001.jpg'] == 'empty file'
    assert found['swir_original_000002.jpg'] == 'no picture'
    assert 'cut off' in found['rgb_aligned_000002.jpg']
    assert found['swir_original_000003.jpg'] == 'SWIR 24x16 beside RGB 48x32'
    assert 'same name' in found['swir_original_000000.png'] + found.get(
        'swir_original_000000.jpg', '')
    assert '7 files skipped' in dataset.summary()
    for index in range(len(dataset)):
        assert dataset[index].rgb.shape == (*trees.SIZE, 3)


def test_nothing_usable_is_an_error_with_reasons(tmp_path):
    root = trees.rasmd(tmp_path / 'a', scenes=2, frames=1)
    for path in root.rglob('*.jpg'):
        path.write_bytes(b'')
    with pytest.raises(UserError, match=r'none of the 2 pairs(.|\n)*empty file'):
        open_pairs(root, 'all')
    lone = trees.rasmd(tmp_path / 'b', scenes=1)
    for path in lone.rglob('swir*'):
        if path.is_file():
            path.unlink()
    with pytest.raises(UserError, match='no SWIR frame'):
        open_pairs(lone, 'all')


@pytest.mark.parametrize('name', ['empty', 'missing'])
def test_no_data_set_is_a_clear_error(tmp_path, name):
    (tmp_path / 'empty').mkdir()
    with pytest.raises(UserError, match=r'no paired frames|no folder'):
        open_pairs(tmp_path / name)


def test_wrong_split_and_empty_split_are_clear_errors(tmp_path):
    root = trees.rasmd(tmp_path, scenes=2)
    with pytest.raises(UserError, match="'dev' is no split"):
        open_pairs(root, 'dev')
    split = next(s for s in SPLITS if s not in {hashed_split(f'data_{k}_town', 0)
                                                for k in range(2)})
    with pytest.raises(UserError, match=f'is in {split}.*2 scenes'):
        open_pairs(root, split)


def test_split_folders_of_a_data_set_are_kept(tmp_path):
    for part, count in (('train', 3), ('val', 2), ('test', 1)):
        trees.rasmd(tmp_path / part, scenes=count, frames=1)
    assert [len(open_pairs(tmp_path, split)) for split in SPLITS] == [3, 2, 1]


def names_of(root: Path, split: str) -> set[str]:
    return {pair.name for pair in open_pairs(root, split).files}


def rasmd_with_splits(root: Path, top: str = '') -> Path:
    """Three split folders of RASMD, under ``top``."""
    for number, part in enumerate(('train', 'val', 'test')):
        trees.rasmd(root / top / part, scenes=12, frames=1, first=12 * number)
    return root


def twins_with_splits(root: Path, top: str = '') -> Path:
    """Three split folders of twin folders, under ``top``."""
    for part in ('train', 'val', 'test'):
        for drive in range(12):
            trees.twins(root / top / part / f'{part}_drive{drive:02d}', count=1)
    return root


@pytest.mark.parametrize('make', [rasmd_with_splits, twins_with_splits])
def test_one_pair_outside_leaves_the_own_splits_as_they_are(tmp_path, make):
    root = make(tmp_path)
    before = {split: names_of(root, split) for split in SPLITS}
    assert [len(names) for names in before.values()] == [12, 12, 12]
    stray = (trees.rasmd(root / 'preview', scenes=1, frames=1)
             if make is rasmd_with_splits else trees.twins(root / 'preview', count=1))
    assert {split: names_of(root, split) for split in SPLITS} == before
    for split in SPLITS:
        dataset = open_pairs(root, split)
        (left,) = dataset.skipped
        assert left.path.is_relative_to(stray)
        assert left.reason == "in none of the data set's own splits"
        assert str(left.path) in dataset.summary()
    assert len(open_pairs(root, 'all')) == 37


@pytest.mark.parametrize('make', [rasmd_with_splits, twins_with_splits])
def test_splits_further_down_are_kept_too(tmp_path, make):
    """The folder above a data set, or above several, is what some users give."""
    root = make(tmp_path, 'recorded')
    for split, part in zip(SPLITS, ('train', 'val', 'test'), strict=True):
        names = names_of(root, split)
        assert len(names) == 12
        assert all(name.startswith(f'recorded/{part}/') for name in names)


def test_the_folder_above_a_rendered_data_set_tears_no_scene(rendered):
    for split in SPLITS:
        above = {pair.swir for pair in open_pairs(rendered.parent, split).files
                 if pair.swir.is_relative_to(rendered)}
        assert above == {pair.swir for pair in open_pairs(rendered, split).files}


def test_a_picture_called_test_is_no_split(tmp_path):
    trees.twins(tmp_path, count=1, stem='test')
    assert len(open_pairs(trees.twins(tmp_path, count=20))) > 10


def test_a_split_that_only_the_stray_pairs_could_fill_is_an_error_that_names_them(tmp_path):
    trees.twins(tmp_path / 'test', count=1)
    trees.twins(tmp_path / 'drive1', count=2)
    with pytest.raises(UserError, match=r'2 pairs are in none of its own splits(.|\n)*drive1'):
        open_pairs(tmp_path)


def test_a_rendered_scene_in_two_splits_is_refused(rendered, tmp_path):
    copy = tmp_path / 'copy'
    shutil.copytree(rendered, copy)
    train, test = (copy / 'annotations' / f'{split}.json' for split in ('train', 'test'))
    content = json.loads(train.read_text())
    moved = json.loads(test.read_text())['images'][0]
    train.write_text(json.dumps({**content, 'images': [*content['images'], moved]}))
    with pytest.raises(UserError, match=f'scene {moved["scene"]} in train and in test'):
        open_pairs(copy)


def test_data_sets_of_one_training_share_no_held_out_frame(tmp_path, rendered):
    root = trees.rasmd(tmp_path / 'all', scenes=30, frames=1)
    own = tmp_path / 'own' / 'test'
    for part in ('train', 'val'):
        trees.rasmd(tmp_path / 'own' / part, scenes=1, frames=1)
    picked = open_pairs(root).files[0]
    for side in (picked.rgb, picked.swir):
        (own / side.parent.name).mkdir(parents=True)
        (own / side.parent.name / side.name).symlink_to(side)
    with pytest.raises(UserError, match=r"in train of '.*all' and not in that of '.*own'"):
        open_training([root, tmp_path / 'own'])
    pairs, held_out = open_training([root, rendered])
    assert [dataset.split for dataset in (*pairs, held_out)] == ['train', 'train', 'validation']
    assert held_out.layout == 'rendered scenes'


def test_plain_folders_of_one_scene_are_cut_along_their_order(tmp_path):
    root = trees.twins(tmp_path, count=50)
    parts = [open_pairs(root, split) for split in SPLITS]
    assert [len(d) for d in parts] == [40, 4, 6]
    names = [pair.name for d in parts for pair in d.files]
    assert names == [f'{k:04d}' for k in range(50)]
    assert 'along its order' in parts[0].summary()


@pytest.mark.parametrize('names', [('visible', 'lwir'), ('RGB', 'NIR')])
def test_nested_folders_of_other_names_are_found_and_split_by_scene(tmp_path, names):
    for scene in range(20):
        trees.twins(tmp_path / 'set00' / f'V{scene:03d}', names, 2, 'I{:05d}')
    dataset = open_pairs(tmp_path, 'all')
    assert len(dataset) == 40
    assert dataset.scenes[3] == 'set00/V003/I'
    assert len({pair.name for pair in dataset.files}) == 40
    assert not set(open_pairs(tmp_path, 'test').scenes) & set(open_pairs(tmp_path).scenes)


def test_two_folders_anywhere(tmp_path):
    root = trees.twins(tmp_path, ('a', 'b'), 4)
    (root / 'b' / '0001.png').unlink()
    dataset = open_pairs(PairedFolders(rgb=root / 'a', swir=root / 'b'), 'all')
    assert len(dataset) == 3
    assert reasons(dataset) == {'0001.jpg': 'no SWIR frame of that name'}
    with pytest.raises(UserError, match='no folder'):
        open_pairs(PairedFolders(rgb=root / 'a', swir=root / 'c'), 'all')


@pytest.mark.parametrize(('name', 'scene'), [
    ('000042', ''), ('drive2_0042', 'drive2'), ('drive2-0042_left', 'drive2_left'),
    ('1625000000.123456', ''), ('set00/V003/I00042', 'set00/V003/I'), ('paris', 'paris'),
    ('set01/paris', 'set01/paris')])
def test_scene_is_the_name_without_its_last_number(name, scene):
    assert scene_of(name) == scene


@pytest.mark.parametrize(('stored', 'coding', 'want'), [
    (np.uint16(65535), SwirCoding(), 1.0), (np.uint16(32768), SwirCoding(), .5),
    (np.uint16(2048), SwirCoding(full_scale=4095), .5), (np.uint8(128), SwirCoding(), .2195),
    (np.uint8(128), SwirCoding(gamma=1), .502), (np.uint16(5000), SwirCoding(full_scale=4095), 1),
    (np.float32(.25), SwirCoding(), .25)])
def test_swir_values_become_radiance(stored, coding, want):
    radiance = coding.decode(np.full((2, 2), stored))
    assert radiance.dtype == np.float32
    assert np.allclose(radiance, want, atol=1e-3)


def test_false_colours_and_damage_further_in_are_named_when_read(tmp_path):
    root = trees.twins(tmp_path, count=3)
    trees.put(root / 'swir' / '0000.png', trees.picture(9))
    victim = root / 'swir' / '0001.png'
    data = bytearray(victim.read_bytes())
    start = data.index(b'IDAT') + 4
    data[start:start + 40] = bytes(40)
    victim.write_bytes(data)
    dataset = open_pairs(root, 'all')
    with pytest.raises(UserError, match=r'0000\.png.*false colours'):
        dataset[0]
    with pytest.raises(UserError, match=r'0001\.png'):
        dataset[1]
    assert dataset[2].radiance.shape == trees.SIZE


def test_size_comes_from_the_header(tmp_path):
    for suffix in ('.png', '.jpg', '.bmp', '.tif', '.webp'):
        path = trees.put(tmp_path / f'a{suffix}', np.zeros((20, 30), np.uint8))
        assert size_of(path) == (20, 30)
