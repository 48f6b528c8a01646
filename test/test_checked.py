"""A mapping becomes a dataclass, or an error that names key and value."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from rgb2swir_ros.checked import build, within
from rgb2swir_ros.errors import UserError


@dataclass(frozen=True)
class Lens:
    """A part of another one."""

    focal: float = within(1, 500, 35.0)


@dataclass(frozen=True)
class Camera:
    """Of every kind of entry one."""

    name: str
    pixels: tuple[int, int]
    level: int = within(0, 10, 0)
    gain: float = 1.0
    weights: tuple[float, ...] = ()
    bright: bool = False
    lens: Lens = Lens()
    flash: bool | None = None

    def __post_init__(self) -> None:
        """Refuse what no single entry tells."""
        if self.bright and not self.gain:
            raise ValueError('a bright camera needs gain')


GIVEN = {'name': 'front', 'pixels': [640, 512]}


def test_entries_get_their_types_and_the_others_their_defaults():
    lens = build(Lens, {'focal': 50}, 'lens')
    camera = build(Camera, {**GIVEN, 'gain': 2, 'weights': [1, .5], 'lens': lens}, 'camera')
    assert camera == Camera('front', (640, 512), 0, 2.0, (1, .5), False, Lens(50.0))
    assert build(Camera, {**GIVEN, 'lens': {'focal': 50}}, 'camera').lens == lens
    assert [build(Camera, {**GIVEN, 'flash': flash}, 'camera').flash
            for flash in (True, False)] == [True, False]
    assert camera.flash is None
    assert type(camera.gain) is type(camera.lens.focal) is float


@pytest.mark.parametrize(('changed', 'text'), [
    ({'nam': 'x'}, "camera: unknown key 'nam' (its value is 'x'): known are name, pixels"),
    ({'name': 3}, 'camera: name is 3, but must be text'),
    ({'pixels': [640]}, 'pixels is [640], but must be a list of 2, each a whole number above 0'),
    ({'pixels': [640, 0]}, 'pixels is [640, 0]'), ({'pixels': 640}, 'pixels is 640'),
    ({'level': 1.0}, 'level is 1.0, but must be a whole number in [0, 10]'),
    ({'level': True}, 'level is True'), ({'level': 11}, 'level is 11'),
    ({'gain': '1e-3'}, "gain is '1e-3', but must be a number (YAML takes 1e-3 for text"),
    ({'gain': '20 ms'}, "gain is '20 ms', but must be a number without a unit: write 20"),
    ({'gain': '20'}, "gain is '20', but must be a number (YAML takes what is in quotes for text)"),
    ({'gain': 'much'}, "gain is 'much', but must be a number"),
    ({'gain': float('inf')}, 'gain is inf'), ({'weights': ['a']}, "weights is ['a']"),
    ({'lens': 3}, 'camera: lens must be a mapping, not 3'),
    ({'lens': {'focal': 0}}, 'camera: lens: focal is 0, but must be a number in [1, 500]'),
    ({'bright': 1}, 'bright is 1, but must be true or false'),
    ({'flash': 1}, 'flash is 1, but must be true or false'),
    ({'bright': True, 'gain': 0}, 'camera: a bright camera needs gain')])
def test_mistakes_are_named_with_key_and_value(changed, text):
    with pytest.raises(UserError) as caught:
        build(Camera, {**GIVEN, **changed}, 'camera')
    assert text in str(caught.value)


def test_what_is_missing_or_no_mapping_is_named():
    with pytest.raises(UserError, match="camera: has no 'pixels'"):
        build(Camera, {'name': 'front'}, 'camera')
    with pytest.raises(UserError, match='camera must be a mapping, not 3'):
        build(Camera, 3, 'camera')
