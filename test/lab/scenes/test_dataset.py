"""Data sets of rendered frames: what is written."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from pycocotools.coco import COCO

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.scenes import dataset
from rgb2swir_ros.lab.scenes.dataset import SEQUENCE_SEEDS

from .data_sets import SIZE, spec, write

pytestmark = pytest.mark.usefixtures('rectangle_renderer')


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
