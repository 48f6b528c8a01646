"""Matplotlib for the plots of reports."""

from __future__ import annotations

from typing import Any

from rgb2swir_ros.errors import UserError


def import_pyplot() -> Any:
    """Return ``matplotlib.pyplot``, which then draws into files and opens no window.

    :raises UserError: if matplotlib is missing.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise UserError(f"{error}: the plot needs matplotlib, pip install 'rgb2swir_ros[eval]'"
                        ) from error
    matplotlib.use('Agg')
    from matplotlib import pyplot
    return pyplot
