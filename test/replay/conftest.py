"""Where the real footage lies, if it does."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def shared() -> Path:
    """Return the folder of real footage beside the checkout; skip where it is absent."""
    folder = Path(__file__).resolve().parents[3] / 'shared'
    if not (folder / 'real').is_dir():
        pytest.skip(f'no real footage at {folder}')
    return folder
