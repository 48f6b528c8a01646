"""Raw image fields that contradict themselves: a reason each, and never a crash."""

from __future__ import annotations

from array import array
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rgb2swir_ros.imaging import raw
from rgb2swir_ros.imaging.encodings import ENCODINGS
from rgb2swir_ros.imaging.errors import ImageError

REASONS = {'unsupported_encoding', 'bad_field', 'zero_size', 'odd_size', 'small_size', 'bad_step',
           'wrong_length'}
GOOD = raw.ImageFields(12, 16, 'bgr8', 0, 48, array('B', bytes(12 * 48)))


@pytest.mark.parametrize(('changes', 'reason', 'shown'), [
    ({'encoding': '32FC1'}, 'unsupported_encoding', '32FC1'),
    ({'encoding': None}, 'unsupported_encoding', 'None'),
    ({'height': 0}, 'zero_size', '16x0'),
    ({'width': 0}, 'zero_size', '0x12'),
    ({'width': -16}, 'zero_size', '-16x12'),
    ({'height': 'tall'}, 'bad_field', 'str'),
    ({'data': None}, 'bad_field', 'NoneType'),
    ({'data': 'text'}, 'bad_field', 'str'),
    ({'data': np.zeros(4 * 12 * 48, np.uint8)[::4]}, 'bad_field', 'contiguous'),
    ({'step': 47}, 'bad_step', '47'),
    ({'step': -48}, 'bad_step', '-48'),
    ({'step': 2**63, 'height': 1}, 'bad_step', str(2**63)),
    ({'data': bytes(12 * 48 - 1)}, 'wrong_length', '575'),
    ({'data': b''}, 'wrong_length', '576 bytes, got 0'),
    ({'height': 2**31}, 'wrong_length', '576'),
    ({'data': bytes(12 * 48 + 16 * 48 + 4097)}, 'wrong_length', '576'),
    ({'encoding': 'mono8', 'step': 16, 'data': bytes(9 * 12 * 16 * 16)}, 'wrong_length', 'mono8'),
    ({'encoding': 'uyvy', 'width': 15}, 'odd_size', '15x12'),
    ({'encoding': 'nv12', 'width': 15}, 'odd_size', '15x12'),
    ({'encoding': 'nv21', 'height': 11}, 'odd_size', '16x11'),
    # three halves of a plane are needed, not one
    ({'encoding': 'nv21', 'step': 16, 'data': bytes(12 * 16)}, 'wrong_length', '288'),
    ({'encoding': 'bayer_rggb8', 'height': 2}, 'small_size', '16x2'),
])
def test_what_is_wrong_is_named(changes: dict[str, Any], reason: str, shown: str) -> None:
    assert raw.to_rgb(GOOD).shape == (12, 16, 3)
    with pytest.raises(ImageError) as caught:
        raw.to_rgb(replace(GOOD, **changes))
    assert caught.value.reason == reason
    assert shown in str(caught.value)


integers = st.one_of(st.integers(-3, 40), st.integers(0, 2**32), st.integers(), st.none(),
                     st.floats(), st.booleans())
encodings = st.one_of(st.sampled_from([*sorted(ENCODINGS), 'nv24', '32FC1', '']), st.text(),
                      st.none(), st.integers())
contents = st.one_of(st.binary(max_size=4000), st.integers(0, 6000).map(bytes), st.none(),
                     st.text(), st.lists(st.integers(0, 255), max_size=9))


def convert(image: Any, size: Any) -> tuple[Any, str]:
    """Return the picture and '', or None and the reason of the refusal."""
    try:
        return raw.to_rgb(image, size), ''
    except ImageError as error:
        return None, error.reason


@settings(max_examples=400)
@given(integers, integers, encodings, integers, contents, integers)
def test_arbitrary_fields_never_crash(height: Any, width: Any, encoding: Any, step: Any,
                                      data: Any, big: Any) -> None:
    image = raw.ImageFields(height, width, encoding, big, step, data)
    for size in (None, (16, 20)):
        rgb, reason = convert(image, size)
        if reason:
            assert reason in REASONS
        else:
            assert rgb.shape == (*(size or (height, width)), 3)


@settings(max_examples=300)
@given(st.sampled_from(sorted(ENCODINGS)), st.integers(1, 9), st.integers(1, 9),
       st.integers(-1, 8), st.integers(-3, 3), st.sampled_from([None, (1, 1), (16, 20)]))
def test_fields_that_nearly_fit_never_crash(encoding: str, height: int, width: int, padding: int,
                                            surplus: int, size: Any) -> None:
    step = width * ENCODINGS[encoding].pixel_bytes + padding
    rows = height * 3 // 2 if encoding in {'nv12', 'nv21'} else height
    data: Any = bytes(max(0, step * rows + surplus))
    rgb, reason = convert(raw.ImageFields(height, width, encoding, 0, step, data), size)
    if reason:
        refused = {'bad_step': padding < 0, 'wrong_length': surplus < 0,
                   'odd_size': height % 2 or width % 2, 'small_size': min(height, width) < 3}
        assert refused[reason]
    else:
        assert padding >= 0
        assert rgb.shape == (*(size or (height, width)), 3)


@given(st.sampled_from(sorted(ENCODINGS)), st.integers(2, 8), st.integers(2, 8),
       st.integers(0, 9), st.data())
def test_every_missing_byte_is_found(encoding: str, height: int, width: int, padding: int,
                                     data: st.DataObject) -> None:
    """All that the pixels need must be there; only the last row's padding may be missing."""
    height, width = 2 * height, 2 * width
    step = width * ENCODINGS[encoding].pixel_bytes + padding
    rows = height * 3 // 2 if encoding in {'nv12', 'nv21'} else height
    needed = step * rows - padding
    length = data.draw(st.one_of(st.just(needed - 1), st.integers(0, needed - 1)))
    image: Any = raw.ImageFields(height, width, encoding, 0, step, bytes(length))
    assert convert(image, None)[1] == 'wrong_length'
    assert convert(replace(image, data=bytes(needed)), None)[1] == ''


def test_what_opencv_refuses_is_an_image_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures beyond 2**31 bytes fit no test, so OpenCV's answer to them is put in its place."""
    def refuse(*_: object) -> None:
        raise cv2.error('Insufficient memory')
    monkeypatch.setattr(raw.cv2, 'cvtColor', refuse)
    with pytest.raises(ImageError, match=r'16x12 bgr8.*Insufficient memory') as caught:
        raw.to_rgb(GOOD)
    assert caught.value.reason == 'bad_size'
