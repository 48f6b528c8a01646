"""Locate the package's files in a checkout, a pip or a colcon installation; the cache folder."""

from __future__ import annotations

import functools
import logging
import os
import sys
from pathlib import Path

from rgb2swir_ros.errors import UserError

PACKAGE = 'rgb2swir_ros'
MODEL_FILE = 'model.yaml'


def share_directory() -> Path:
    """Return the folder that holds ``config/``, ``launch/`` and ``models/``.

    The order is: a checkout (also an editable install), so that edited files are used; the ament
    prefixes of a sourced colcon workspace; the share folder of a pip installation.

    :raises UserError: if none of them holds the package's files.
    """
    checkout = Path(__file__).resolve().parents[1]
    candidates = [checkout] if (checkout / 'package.xml').is_file() else []
    prefixes = [p for p in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if p]
    candidates += [Path(prefix) / 'share' / PACKAGE for prefix in (*prefixes, sys.prefix)]
    # pip's --user and --target installations have share/ above the package's folder
    candidates += [parent / 'share' / PACKAGE for parent in Path(__file__).resolve().parents]
    for candidate in candidates:
        if (candidate / 'config').is_dir():
            return candidate
    looked = ', '.join(str(c) for c in candidates)
    raise UserError(f"the files of {PACKAGE} (config, launch, models) are in none of: {looked}; "
                    "install the package with colcon or pip, or run from a checkout")


def model_directory(model: str | Path) -> Path:
    """Return the folder of a model given its name (``nano``) or its path.

    A string without a separator is a name. A folder of that name in the current folder is used
    only if no bundled model has the name, with a warning. A `Path`, or a string like ``./nano``,
    is a path.

    :raises UserError: if there is no such model; the text lists the bundled ones.
    """
    models = share_directory() / 'models'
    try:
        given = Path(model).expanduser()
        is_folder = (given / MODEL_FILE).is_file()
        shipped = (models / given / MODEL_FILE).is_file()
    except (OSError, RuntimeError, ValueError) as error:
        # no permission, a name that is too long, an unknown user after ~, a null character
        reason = getattr(error, 'strerror', None) or error
        raise UserError(f"no model '{model}': {reason}") from error
    is_name = not isinstance(model, Path) and os.sep not in model
    if is_name and shipped:
        if is_folder and given.resolve() != (models / given).resolve():
            _hint(f"model '{model}' is the one that comes with the package; for the folder here "
                  f"write './{model}'")
        return models / given
    if is_folder:
        if is_name:
            _hint(f"model '{model}' is the folder {given.resolve()}, since no shipped one has "
                  f"that name; write './{model}' to be clear")
        return given.resolve()
    if shipped and len(given.parts) == 1:  # a Path made from a name
        return models / given
    known = ', '.join(sorted(p.parent.name for p in models.glob(f'*/{MODEL_FILE}'))) or 'none'
    raise UserError(f"no model '{model}': neither a folder with a {MODEL_FILE} nor one of those "
                    f'in {models} ({known})')


def cache_directory(configured: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder for compiled engines: ``$RGB2SWIR_CACHE`` or the user's cache folder.

    A relative ``$XDG_CACHE_HOME`` is ignored, as its specification requires.

    :param configured: takes precedence, if given.
    :raises UserError: if none is given and this user has no home folder.
    """
    given = configured or os.environ.get('RGB2SWIR_CACHE')
    xdg = Path(os.environ.get('XDG_CACHE_HOME') or '.')
    try:
        if given:
            return Path(given).expanduser()
        return (xdg if xdg.is_absolute() else Path.home() / '.cache') / PACKAGE
    except RuntimeError as error:  # no HOME, and no entry of this user in the user database
        what = f"'{given}' names the home of a user, and there is none" if given else (
            'this user has no home folder (HOME is not set) to keep engines in')
        raise UserError(f'{what}: set RGB2SWIR_CACHE to a folder of yours') from error


@functools.cache
def _hint(text: str) -> None:
    """Log a warning, once per process and text."""
    logging.getLogger(PACKAGE).warning('%s', text)
