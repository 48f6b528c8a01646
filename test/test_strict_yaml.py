from __future__ import annotations

import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.strict_yaml import read_strict_yaml


def test_reads_what_any_loader_reads(tmp_path):
    path = tmp_path / 'a.yaml'
    path.write_text('steps: 3\nstages: [{name: plain}, {name: skips}]\n')
    assert read_strict_yaml(path, 'the preset') == {
        'steps': 3, 'stages': [{'name': 'plain'}, {'name': 'skips'}]}


@pytest.mark.parametrize(('text', 'says'), [
    ('steps: 3\nrate: 1\nsteps: 4\n', 'given twice: steps'),
    ('a: {b: 1, b: 2}\n', 'given twice: b'),
    ('a: [1, 2\n', 'is no valid YAML')])
def test_refuses_keys_given_twice_and_what_is_no_yaml(tmp_path, text, says):
    path = tmp_path / 'a.yaml'
    path.write_text(text)
    with pytest.raises(UserError, match=says) as error:
        read_strict_yaml(path, 'the preset')
    assert str(path) in str(error.value)


def test_names_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match=r'cannot read the preset .*none\.yaml'):
        read_strict_yaml(tmp_path / 'none.yaml', 'the preset')
