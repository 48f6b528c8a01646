"""Find the package's own files wherever it was installed: checkout, pip or colcon."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rgb2swir_ros.errors import UserError

PACKAGE = 'rgb2swir_ros'


def share_directory() -> Path:
    """Return the folder that holds ``config/``, ``launch/`` and ``models/``.

    A checkout (also an editable install) wins, so that what is edited is what runs; then the
    ament index of a sourced colcon workspace; then the share folder of a pip installation.

    :raises UserError: if none of them holds the package's files.
    """
    checkout = Path(__file__).resolve().parents[1]
    candidates = [checkout] if (checkout / 'package.xml').is_file() else []
    prefixes = [p for p in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if p]
    candidates += [Path(prefix) / 'share' / PACKAGE for prefix in (*prefixes, sys.prefix)]
    # pip's --user and --target installations keep share/ above the folder of the package
    candidates += [parent / 'share' / PACKAGE for parent in Path(__file__).resolve().parents]
    for candidate in candidates:
        if (candidate / 'config').is_dir():
            return candidate
    looked = ', '.join(str(c) for c in candidates)
    raise UserError(f"the files of {PACKAGE} (config, launch, models) are in none of: {looked}; "
                    "install the package with colcon or pip, or run from a checkout")


def model_directory(model: str | Path) -> Path:
    """Return the folder of a model given its name (``nano``) or its path.

    :raises UserError: if there is no such model; the text lists those that exist.
    """
    given = Path(model).expanduser()
    if (given / 'model.yaml').is_file():
        return given.resolve()
    models = share_directory() / 'models'
    if (models / str(model) / 'model.yaml').is_file():
        return models / str(model)
    known = ', '.join(sorted(p.parent.name for p in models.glob('*/model.yaml'))) or 'none'
    raise UserError(f"no model '{model}': neither a folder with a model.yaml nor one of those "
                    f'in {models} ({known})')


def cache_directory() -> Path:
    """Return the folder for compiled engines: ``$RGB2SWIR_CACHE`` or the user's cache folder."""
    if configured := os.environ.get('RGB2SWIR_CACHE'):
        return Path(configured).expanduser()
    base = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    return Path(base) / PACKAGE
