"""Which topic is read, and what size a CameraInfo speaks of."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from rgb2swir_ros.ros.inputs import choose_transport, info_size


@pytest.mark.parametrize(('current', 'raw', 'compressed', 'silent', 'expected'), [
    ('raw', 0, 0, True, 'raw'),               # nobody yet: wait where one is preferred
    ('raw', 1, 1, False, 'raw'),              # raw is preferred
    ('raw', 0, 1, False, 'compressed'),       # only the other one is there
    ('compressed', 1, 0, False, 'raw'),
    ('compressed', 1, 1, False, 'compressed'),  # no change while frames arrive
    ('raw', 1, 1, True, 'compressed'),        # a killed raw driver is still in the graph
    ('compressed', 1, 1, True, 'raw'),
    ('raw', 1, 0, True, 'raw'),
    ('compressed', 0, 0, True, 'compressed'),
])
def test_transport(current, raw, compressed, silent, expected):
    assert choose_transport(current, raw=raw, compressed=compressed, silent=silent) == expected


def info(height=1080, width=1920, binning=0, roi=(0, 0)):
    return SimpleNamespace(height=height, width=width, binning_x=binning, binning_y=binning,
                           roi=SimpleNamespace(height=roi[0], width=roi[1]))


def test_size_of_a_camera_info_is_that_of_its_images():
    assert info_size(info()) == (1080, 1920)
    assert info_size(info(binning=2)) == (540, 960)
    assert info_size(info(roi=(400, 600))) == (400, 600)
    assert info_size(info(binning=2, roi=(400, 600))) == (200, 300)
    assert info_size(info(0, 0)) == (0, 0)
