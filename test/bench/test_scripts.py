"""The scripts of benchmark/ and launch/ find what they import from the package."""

import ast
import importlib
import runpy
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
SCRIPTS = sorted([*TOP.glob('benchmark/*.py'), *TOP.glob('launch/*.py')])


@pytest.mark.parametrize('script', SCRIPTS, ids=lambda path: path.name)
def test_what_a_script_imports_exists(script):
    """Neither the linters nor the other tests follow the imports of all of them."""
    wanted = [(node.module, name.name) for node in ast.walk(ast.parse(script.read_text()))
              if isinstance(node, ast.ImportFrom) and str(node.module).startswith('rgb2swir_ros')
              for name in node.names]
    for module, name in wanted:
        found = importlib.import_module(module)
        if not hasattr(found, name):
            importlib.import_module(f'{module}.{name}')


def test_there_are_scripts():
    assert len(SCRIPTS) > 8


@pytest.mark.parametrize(('script', 'words'), [
    ('replay.py', ['nowhere.mp4']), ('replay.py', ['nowhere.mp4', '--size', 'large']),
    ('photographs.py', ['nowhere']), ('novelty.py', ['--model', 'nowhere', '--known', 'a=b'])])
def test_a_wrong_input_is_one_line_and_exit_code_2(script, words, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr('sys.argv', [script, *words])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(TOP / 'benchmark' / script), run_name='__main__')
    assert ended.value.code == 2
    assert f'{script}: error: ' in capsys.readouterr().err.splitlines()[-1]
