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
    ('steps: 3\nrate: 1\nsteps: 4\n', ', line 3: is no valid YAML: given twice: steps'),
    ('a: {b: 1, b: 2}\n', ', line 1: is no valid YAML: given twice: b'),
    ('a: 1\nb: [1, 2\nc: 3\n', r", line 3: is no valid YAML: .*from line 2 on"),
    ('a: 1\n\tb: 2\n', ', line 2: is no valid YAML: found character'),
    ('a: *b\n', ', line 1: is no valid YAML: found undefined alias'),
    ('a: \x00\n', ' is no valid YAML: ')])
def test_refuses_keys_given_twice_and_what_is_no_yaml(tmp_path, text, says):
    path = tmp_path / 'a.yaml'
    path.write_text(text)
    with pytest.raises(UserError, match=says) as error:
        read_strict_yaml(path, 'the preset')
    assert str(error.value).startswith(str(path))
    assert '\n' not in str(error.value)


def test_names_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match=r'cannot read the preset .*none\.yaml'):
        read_strict_yaml(tmp_path / 'none.yaml', 'the preset')
