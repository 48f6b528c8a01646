"""Every invalid value is refused with its name, its value and the remedy."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.imaging.presets import load_preset
from rgb2swir_ros.imaging.sensor import SensorSettings
from rgb2swir_ros.ros.parameters import DEFAULTS, TABLE, check


def test_defaults_are_valid_and_typed():
    settings = check({})
    assert settings.cameras == ('camera',)
    assert settings.size == (512, 640)
    assert settings.source_size is None
    assert settings.cache is None
    assert settings.sensor.encoding == 'mono8'
    assert settings.sensor.output_size is None


def test_sizes_are_width_first_outside_and_height_first_inside():
    settings = check({'source_size': '1920x1080', 'output_size': '320x256'})
    assert settings.source_size == (1080, 1920)
    assert settings.sensor.output_size == (256, 320)


@pytest.mark.parametrize(('values', 'words'), [
    ({'cameras': []}, ["'cameras'", "['front', 'rear']"]),
    ({'cameras': 'front'}, ["'cameras'", "'front'", 'list']),
    ({'cameras': ['front', 'front']}, ["'cameras'", 'twice']),
    ({'cameras': ['front left']}, ["'front left'", 'no topic name']),
    ({'cameras': ['2nd']}, ["'2nd'"]),
    ({'cameras': ['front/']}, ["'front/'"]),
    ({'input_transport': 'theora'}, ["'input_transport'", "'theora'", 'auto, raw, compressed']),
    ({'source_size': '1080p'}, ["'source_size'", "'1080p'", 'WIDTHxHEIGHT']),
    ({'size': ''}, ["'size'", '640x512']),
    ({'size': '8x8'}, ["'size'", "'8x8'", 'at least 16x16']),
    ({'model': 3}, ["'model'", 'text', '3']),
    ({'backend': 'onnx'}, ["'backend'", "'onnx'", 'inductor']),
    ({'precision': 'int8'}, ["'precision'", "'int8'", 'bfloat16']),
    ({'device': 'tpu'}, ["'device'", "'tpu'", 'auto, cpu, cuda']),
    ({'optimization_level': 6}, ["'optimization_level'", '0 to 5', 'not 6']),
    ({'threads': -1}, ["'threads'", '-1', '0 to 1024']),
    ({'threads': 2.0}, ["'threads'", 'whole number', '2.0']),
    ({'build_timeout_s': 0.0}, ["'build_timeout_s'", '1.0 to 86400.0']),
    ({'hang_timeout_s': -1.0}, ["'hang_timeout_s'", '0.0 to 86400.0']),
    ({'hang_timeout_s': 3.0}, ["'hang_timeout_s'", '0 (never) or 10', 'not 3.0']),
    ({'infer_timeout_s': 0.0}, ["'infer_timeout_s'", '0.1 to 600.0']),
    ({'encoding': 'mono12'}, ["'encoding'", "'mono12'", 'mono8, mono16']),
    ({'gamma': 2}, ["'gamma'", 'write 2.0, not 2']),
    ({'gamma': 0.0}, ["'gamma'", '0.1 to 10.0', 'not 0.0']),
    ({'gamma': float('nan')}, ["'gamma'", 'nan']),
    ({'gain': -1.0}, ["'gain'", '-1']),
    ({'sensor': 'imx9'}, ["'sensor'", "'imx9'", 'imx990_low_gain']),
    ({'exposure': 0.0}, ["'exposure'", '0.001 to 1000.0']),
    ({'full_well_e': 0.0}, ["'full_well_e'", '0.0']),
    ({'read_noise_e': -1.0}, ["'read_noise_e'", '-1']),
    ({'prnu': 1.5}, ["'prnu'", '0.0 to 1.0']),
    ({'dsnu_e': -1.0}, ["'dsnu_e'", '-1']),
    ({'dead_pixels': 1.5}, ["'dead_pixels'", '0.0 to 1.0']),
    ({'dead_columns': -1}, ["'dead_columns'", '-1']),
    ({'bits': 20}, ["'bits'", '20', '8 to 16']),
    ({'bits': 9}, ["'bits'", '9', 'steps of 2']),
    ({'encoding': 'mono16', 'bits': 12, 'left_shift': 6}, ['left_shift', '6', '0 to 4']),
    ({'left_shift': 4}, ['left_shift', '4', 'mono8']),
    ({'geometry': 'squash'}, ["'geometry'", "'squash'", 'fit, pad, crop, stretch']),
    ({'output_size': 'big'}, ["'output_size'", "'big'"]),
    ({'noise': 1}, ["'noise'", 'true or false']),
    ({'seed': -1}, ["'seed'", '-1']),
    ({'max_age_ms': -5.0}, ["'max_age_ms'", '-5']),
    ({'expected_frequency': -1.0}, ["'expected_frequency'"]),
    ({'tolerance': 101.0}, ["'tolerance'", '0.0 to 100.0']),
    ({'cache': 5}, ["'cache'", 'text']),
    ({'autostart': 'yes'}, ["'autostart'", 'true or false']),
    ({'build_only': True}, ["'build_only'", "'source_size'"]),
])
def test_wrong_values_are_refused_by_name(values, words):
    with pytest.raises(UserError) as caught:
        check(values)
    text = str(caught.value)
    assert '\n' not in text
    assert [word for word in words if word not in text] == []


def test_a_preset_gives_the_sensor_and_parameters_that_are_set_win_over_it():
    sensor = check({'sensor': 'imx990_high_gain'}).sensor
    assert sensor == load_preset('imx990_high_gain')
    sensor = check({'sensor': 'imx990_high_gain', 'bits': 10, 'output_size': '320x256',
                    'seed': 4, 'noise': False}).sensor
    assert sensor == replace(load_preset('imx990_high_gain'), bits=10, output_size=(256, 320),
                             seed=4)
    assert check({}).sensor == SensorSettings()


def test_every_parameter_has_a_wrong_value_above():
    cases = next(mark for mark in test_wrong_values_are_refused_by_name.pytestmark
                 if mark.name == 'parametrize').args[1]
    assert {name for values, _ in cases for name in values} == set(DEFAULTS)


@given(st.sampled_from([row for row in TABLE if row.low is not None]), st.data())
def test_ranges_hold_at_their_ends(row, data):
    assert row.low is not None
    assert row.high is not None
    kind = type(row.default)
    extra = {'encoding': 'mono16', 'bits': 8} if row.name == 'left_shift' else {}
    check({**extra, row.name: kind(row.low)})
    check({**extra, row.name: kind(row.high)})
    beyond = data.draw(st.sampled_from([row.low - 1, row.high + 1]))
    with pytest.raises(UserError, match=row.name):
        check({**extra, row.name: kind(beyond)})
