"""What several verbs share: arguments, the check for libraries, lines of output."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TextIO

from rgb2swir_ros.errors import UserError


def add_model_and_size(parser: argparse._ActionsContainer) -> None:
    """Declare the model of a translation and the size of its outputs."""
    parser.add_argument('--model', default='nano', help='name or folder (default %(default)s)')
    parser.add_argument('--size', default='640x512',
                        help='box that frames are scaled down to fit (default %(default)s)')


def add_overwrite(parser: argparse.ArgumentParser) -> None:
    """Declare ``--overwrite``, the only way to have outputs replaced."""
    parser.add_argument('--overwrite', action='store_true',
                        help='replace outputs that exist, as far as this tool wrote them and '
                             'nobody has changed them since')


def given_options(arguments: argparse.Namespace, names: Sequence[str]) -> list[str]:
    """Return the words of a command line that give these options; one of None has none."""
    return [word for name in names if (value := getattr(arguments, name)) is not None
            for word in (f"--{name.replace('_', '-')}", str(value))]


def require_libraries(verb: str, modules: Sequence[str], named: str) -> None:
    """Check that libraries are installed, without importing them: loading torch takes seconds.

    :param named: the modules as users know them.
    :raises UserError: if one is missing.
    """
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise UserError(f'{", ".join(missing)} cannot be imported: {verb} needs {named}; in a '
                        "virtual environment run pip install 'rgb2swir_ros[runtime,replay]'")


def print_line(text: str, stream: TextIO) -> None:
    """Print a line; what the stream cannot show, as names that are no UTF-8, is escaped."""
    encoding = getattr(stream, 'encoding', None) or 'utf-8'
    print(text.encode(encoding, 'backslashreplace').decode(encoding), file=stream)
