"""Two wings: what drives loads nothing of the laboratory, and the contracts cover every room."""

import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import rgb2swir_ros

JOINS = {'cli', 'lab'}  # the command line may import both wings; the laboratory is the other one
SETTINGS = Path(__file__).parents[1] / 'pyproject.toml'

LOADING = '''
import importlib, sys
from pathlib import Path
import rgb2swir_ros, rgb2swir_ros.engines.build
# TorchInductor's compiler takes as long to import as torch, at each start of an engine
assert 'torch._dynamo' not in sys.modules
loaded, top = 0, Path(rgb2swir_ros.__file__).parents[1]
for file in sorted(top.glob('rgb2swir_ros/**/*.py')):
    name = '.'.join(file.relative_to(top).with_suffix('').parts)
    if name.startswith(('rgb2swir_ros.lab', 'rgb2swir_ros.cli')):
        continue
    try:
        importlib.import_module(name)
    except ImportError as error:
        assert 'rgb2swir_ros' not in str(error.name), error  # a library that is not installed
        continue
    loaded += 1
    found = [other for other in sys.modules if other.startswith('rgb2swir_ros.lab')]
    if name == 'rgb2swir_ros.bench.scenes':  # the verb that measures the renderer
        assert found
        for other in found:
            del sys.modules[other]
        continue
    assert not found, (name, found)
print(loaded)
'''


def rooms() -> set[str]:
    return {module.name for module in pkgutil.iter_modules(rgb2swir_ros.__path__)}


def test_what_drives_loads_nothing_of_the_laboratory():
    ended = subprocess.run([sys.executable, '-c', LOADING], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout.split()[-1]) > 60


def test_the_command_line_alone_loads_neither_wing():
    code = ('import sys, rgb2swir_ros.cli.main; print(*(n for n in sys.modules if '
            'n.startswith("rgb2swir_ros.") and not n.startswith("rgb2swir_ros.cli")))')
    ended = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == ['rgb2swir_ros.errors']


def test_the_contract_names_every_room_that_drives():
    text = SETTINGS.read_text()
    contract = text[text.index('What drives knows nothing of the laboratory'):]
    named = re.findall(r'"rgb2swir_ros\.(\w+)"', contract[:contract.index('forbidden_modules')])
    assert set(named) == rooms() - JOINS
    assert len(named) == len(set(named))


def test_tests_mirror_the_rooms():
    here = Path(__file__).parent
    folders = {p.name for p in here.iterdir() if p.is_dir() and any(p.rglob('test_*.py'))}
    assert folders - {'models'} <= rooms()
    package = Path(rgb2swir_ros.__file__).parent
    assert {p.name for p in (package / 'lab').iterdir() if (p / '__init__.py').exists()} == {
        p.name for p in (here / 'lab').iterdir() if any(p.rglob('test_*.py'))}


def test_the_picture_of_the_house_shows_the_contracts():
    text = SETTINGS.read_text()
    rooms_contract, laboratory = (
        re.findall(r'"([^"]+)"', re.search(rf'name = "{name}".*?^layers = (\[.*?\])$', text,
                                           re.DOTALL | re.MULTILINE)[1])
        for name in ('Data flows one way through the rooms',
                     'Data flows one way through the laboratory'))
    document = (SETTINGS.parent / 'docs/design.md').read_text()
    picture = re.search(r'```rooms\n(.*?)```', document, re.DOTALL)[1].splitlines()
    assert [row.partition(':')[0] for row in picture] == rooms_contract
    shown = next(row for row in picture if row.startswith('lab'))
    assert shown.partition(': ')[2].split(' > ') == laboratory
