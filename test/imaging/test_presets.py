"""The bundled sensor presets, and faulty preset files."""

from __future__ import annotations

from pathlib import Path

import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.imaging.presets import load_preset, load_presets
from rgb2swir_ros.imaging.sensor import SensorSettings


def test_the_shipped_presets() -> None:
    presets = load_presets()
    assert set(presets) == {'ideal', 'imx990_low_gain', 'imx990_high_gain', 'imx991_low_gain',
                            'imx991_high_gain'}
    assert presets['ideal'] == SensorSettings()
    assert presets['imx991_low_gain'] == SensorSettings(
        'mono16', bits=12, output_size=(512, 640), noise=True, full_well_e=120e3,
        read_noise_e=150.)
    assert presets['imx990_high_gain'] == SensorSettings(
        'mono16', bits=12, output_size=(1024, 1280), noise=True, full_well_e=2e3,
        read_noise_e=20.)


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(UserError, match=r"'imx9'.*imx990_low_gain"):
        load_preset('imx9')


@pytest.mark.parametrize(('text', 'shown'), [
    ('sensors: {a: {bits: 12, encodign: mono8}}', "sensor a: unknown key 'encodign'"),
    ('sensors: {a: {bits: twelve}}', "bits is 'twelve', but must be a whole number above 0"),
    ('sensors: {a: {bits: true}}', 'bits is True, but must be a whole number above 0'),
    ('sensors: {a: {noise: 1}}', 'noise is 1, but must be true or false'),
    ('sensors: {a: {gain: high}}', "gain is 'high', but must be a number"),
    ('sensors: {a: {bits: 9}}', "sensor a: the sensor's bits is 9"),
    ('sensors: {a: {output_size: [512, 640]}}', "output_size: '[512, 640]' is no size"),
    ('sensors: {a: {output_size: large}}', "sensor a: output_size: 'large' is no size"),
    ('sensors: {a: 12}', 'sensor a must be a mapping, not 12'),
    ('sensors: {}', 'no presets'),
    ('- a', 'no presets'),
    ('', 'no presets'),
    ('a: [', 'is no valid YAML'), ('sensors: {}\nsensors: {}', 'given twice: sensors'),
    ('sensors: {a: {seed: x}}', "seed is 'x', but must be a whole number"),
    ('sensors: {a: {left_shift: 9}}', 'left_shift is 9, but must be a whole number in [0, 8]'),
])
def test_a_wrong_key_or_value_is_named(tmp_path: Path, text: str, shown: str) -> None:
    path = tmp_path / 'sensors.yaml'
    path.write_text(text, encoding='utf-8')
    with pytest.raises(UserError) as caught:
        load_presets(path)
    assert shown in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='cannot read'):
        load_presets(tmp_path / 'none.yaml')


def test_whole_numbers_serve_as_floats(tmp_path: Path) -> None:
    path = tmp_path / 'sensors.yaml'
    path.write_text('sensors: {a: {gain: 2}}', encoding='utf-8')
    assert load_preset('a', path).gain == 2.0
