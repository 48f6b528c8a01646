"""The record of a training beside its weights."""

import pytest
import yaml

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.training.record import RECORD_FILE, Start, write_record
from rgb2swir_ros.translator import model_hash


def test_a_record_names_the_version_and_the_starts_own_record(tmp_path, make_translator):
    first, second = tmp_path / 'first', tmp_path / 'second'
    make_translator(stage='teacher').save(first)
    write_record(first, {'training': 'teacher', 'minutes': 7})
    path = write_record(second, {'start': Start(first, 'teacher').entries()})
    record = yaml.safe_load(path.read_text())
    assert record['version'][0].isdigit()
    assert record['start']['sha256'] == model_hash(first)
    assert record['start']['folder'] == 'first'
    assert record['start']['training']['minutes'] == 7
    assert str(tmp_path) not in path.read_text()


def test_a_start_without_a_record_has_none_and_a_damaged_one_is_refused(tmp_path,
                                                                        make_translator):
    make_translator().save(tmp_path / 'old')
    start = Start(tmp_path / 'old', 'student')
    assert 'training' not in start.entries()
    (tmp_path / 'old' / RECORD_FILE).write_text('a: [')
    with pytest.raises(UserError, match=r'training\.yaml'):
        start.entries()
