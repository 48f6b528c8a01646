"""What a YAML file of materials may say, and what is refused."""

from __future__ import annotations

import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.scenes.material_files import read_material_file
from rgb2swir_ros.lab.scenes.materials import MaterialTable

GOOD = 'reflectance: [.1, .2, .3, .4, .5], source: assumed, from: nowhere'


def material(text: str) -> str:
    return f'materials:\n  moss: {{{text}}}\n'


@pytest.mark.parametrize(('text', 'says'), [
    ('materals: {}', "unknown key 'materals': known are bands, materials"),
    ('[1, 2]', r'must be a mapping .* not \[1, 2\]'),
    ('a: [', 'no valid YAML'),
    ('materials: {a: 1, a: 2}', 'given twice: a'),
    ('bands: [blue, green, red, swir_short, swir_long]', "but must be .'red', 'green', 'blue'"),
    ('materials: [moss]', r"materials: must be a mapping .* not \['moss'\]"),
    (material('source: assumed, from: x'), "'moss': has no 'reflectance'"),
    (material(GOOD.replace(', from: nowhere', '')), "'moss': has no 'from'"),
    (material(GOOD.replace('.5]', '1.5]')), 'reflectance in swir_long is 1.5, but must be in'),
    (material(GOOD.replace('.1,', '-0.1,')), 'reflectance in red is -0.1'),
    (material(GOOD.replace('.3,', '.nan,')), 'must be a list of finite numbers'),
    (material(GOOD.replace('.3,', 'many,')), "'many'"),
    (material(GOOD.replace(', .5]', ']')), 'has 4 values, but must have one for each band'),
    (material(GOOD.replace('assumed', 'guessed')), "source is 'guessed'"),
    (material(GOOD + ', colour: red'), "unknown key 'colour'"),
    (material(GOOD + ', spread: nowhere'), "'moss' has spread 'nowhere', which is not under"),
    (material(GOOD + ', spread: {brightness: -1}'), 'deviation of brightness is -1'),
    (material(GOOD + ', spread: {warmth: [.1]}'), 'warmth has 1 figures'),
    (material(GOOD + ', spread: {shine: 1}'), "unknown key 'shine'"),
    (material(GOOD + ', spectra: urban'), "must be a list of patterns"),
    ('spreads: {wild: {swir: .inf}}', "spread 'wild': swir: must be a list of finite"),
    ('palettes: {wall: {}}', "palette 'wall': has no members"),
    ('palettes: {wall: {moss: 1}}', "palette 'wall' has a member 'moss'"),
    ('palettes: {wall: {brick: 0}}', "weight of 'brick' is 0, but must be positive"),
    ('palettes: {wall: {brick: heavy}}', "weight of 'brick': must be a list of finite numbers"),
    (material(GOOD) + 'palettes: {moss: {brick: 1}}', "'moss' is both a material and a palette"),
])
def test_what_makes_no_sense_is_refused(tmp_path, text, says):
    path = tmp_path / 'mine.yaml'
    path.write_text(text)
    with pytest.raises(UserError, match=says) as caught:
        MaterialTable.load(path)
    assert 'mine.yaml' in str(caught.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UserError, match=r'cannot read the materials of .*none\.yaml'):
        MaterialTable.load(tmp_path / 'none.yaml')


def test_a_material_takes_the_place_of_a_palette_and_the_reverse(tmp_path):
    path = tmp_path / 'mine.yaml'
    path.write_text(f'materials:\n  wall: {{{GOOD}}}\npalettes:\n  sand: {{soil: 1}}\n')
    table = MaterialTable.load(path)
    assert 'wall' in table.materials
    assert 'wall' not in table.palettes
    assert table.palettes['sand'][0] == ('soil',)
    assert 'sand' not in table.materials


def test_a_lone_number_is_a_quantitys_own_deviation(tmp_path):
    path = tmp_path / 'mine.yaml'
    path.write_text('spreads: {a: {swir: .3, warmth: [.1, .2]}}')
    factor = read_material_file(path).spreads['a'].factor()
    assert factor[3].tolist() == [0, 0, 0, .3, 0]
    assert factor[1].tolist() == [.1, .2, 0, 0, 0]
    assert factor[[0, 2, 4]].any() == 0
