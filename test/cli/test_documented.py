"""Every command that documents and help texts tell a user to call is one that its parser takes."""

import importlib
import pkgutil
import re
import shlex

import pytest

from rgb2swir_ros import cli
from rgb2swir_ros.cli.main import VERBS, parser_for
from rgb2swir_ros.resources import share_directory

ROOT = share_directory()
DOCUMENTS = [ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md')),
             *sorted((ROOT / 'models').glob('*/*.md'))]
FENCED = re.compile(r'^```\w*\n(.*?)^```', re.MULTILINE | re.DOTALL)
INLINE = re.compile(r'`(rgb2swir [^`\n]* --[^`\n]+)`')  # without an option it is a name


def commands(text: str, more: list[str]) -> list[list[str]]:
    """Return the words of each complete command of a text that has one a line, and of more.

    Of ``a | b`` and ``--x ...`` a part stands for several commands: those are no complete ones.
    """
    lines = [line.strip() for line in text.replace('\\\n', ' ').splitlines()]
    found = [shlex.split(line, comments=True) for line in [*lines, *more]
             if line.startswith('rgb2swir ')]
    return [words for words in found if not {'|', '...', '…'} & set(words)]


def calls():
    """Return each command under a name that says where it is."""
    found = []
    for document in DOCUMENTS:
        text = document.read_text()
        found += [(f'{document.parent.name}/{document.name}', words) for words in commands(
            '\n'.join(FENCED.findall(text)), INLINE.findall(FENCED.sub('', text)))]
    for module in pkgutil.iter_modules(cli.__path__):
        example = getattr(importlib.import_module(f'{cli.__name__}.{module.name}'), 'EXAMPLE', '')
        found += [(module.name, words) for words in commands(example, [])]
    return [pytest.param(words, id=f"{where}: {' '.join(words)}") for where, words in found]


CALLS = calls()


@pytest.mark.parametrize('words', CALLS)
def test_it_is_taken(words, capsys):
    code = None
    try:
        parser_for(words[1]).parse_args(words[2:])
    except SystemExit as end:  # of --help and --list
        code = end.code
    assert not code, capsys.readouterr().err


def test_documents_call_most_verbs():
    called = {call.values[0][1] for call in CALLS}
    assert called <= set(VERBS)
    assert len(called) >= 8
