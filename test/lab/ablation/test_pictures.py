"""The scatter plot: each row's name beside the panel, none over another."""

from __future__ import annotations

import numpy as np
import pytest

from rgb2swir_ros.lab.ablation.pictures import LINE, plot_scatter, spread_heights
from rgb2swir_ros.replay.pictures import read_picture


@pytest.mark.parametrize('heights', [
    [.5], [.9, .5, .1], [.8, .8, .8], [.02, .01, .0], [.9, .5, .49, .48, .03, .02, .02, .01]])
def test_names_keep_their_order_and_a_line_between_them(heights):
    spread = spread_heights(heights)
    assert len(spread) == len(heights)
    assert (-np.diff([*spread, -LINE]) >= LINE - 1e-9).all()
    if (-np.diff(heights) > LINE).all():
        assert spread == heights
    assert max(abs(a - b) for a, b in zip(spread, heights, strict=True)) < LINE * len(heights)


def row(name, frechet, value):
    return {'row': name, 'frechet': frechet,
            'map': {'map': {'to_true': {'value': value, 'low': value - .1, 'high': value + .1}}}}


def test_every_row_with_both_figures_is_in_the_plot(tmp_path):
    pytest.importorskip('matplotlib')
    rows = [row('canary', .4, .81), row('unet_scae', .39, .81), row('dit_ldm', 3.8, .004)]
    pictures = []
    for shown in (rows, [*rows, row('true', None, 1)], rows[:2]):
        plot_scatter(tmp_path / 'plot.png', shown)
        pictures.append(read_picture(tmp_path / 'plot.png'))
    assert (pictures[0] == pictures[1]).all()
    assert pictures[0].shape != pictures[2].shape or (pictures[0] != pictures[2]).any()
