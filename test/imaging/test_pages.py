"""Files of several pictures, as others write them."""

import struct

import numpy as np
import pytest
from PIL import Image

from rgb2swir_ros.imaging.pages import pictures_in


def picture(number):
    return Image.fromarray(np.full((12, 16, 3), 40 * number, np.uint8))


def save(path, number, **more):
    more |= {'save_all': True, 'append_images': [picture(n) for n in range(1, number)]}
    picture(0).save(path, **(more if number > 1 else {}))
    return path


@pytest.mark.parametrize('number', [1, 2, 5])
@pytest.mark.parametrize(('name', 'more'), [
    ('a.tiff', {}), ('a.tiff', {'big_tiff': True}), ('a.tif', {'compression': 'tiff_lzw'}),
    ('a.png', {}), ('a.webp', {'lossless': True})])
def test_each_picture_counts(tmp_path, name, more, number):
    assert pictures_in(save(tmp_path / name, number, **more)) == number


def test_of_another_byte_order(tmp_path):
    # two directories without an entry, and the end
    file = tmp_path / 'a.tif'
    file.write_bytes(b'MM\0*' + struct.pack('>IHIHI', 8, 0, 14, 0, 0))
    assert pictures_in(file) == 2


@pytest.mark.parametrize(('kind', 'number'), [(0, 2), (1, 1), (2, 2)])
def test_a_preview_is_no_other_picture(tmp_path, kind, number):
    file = save(tmp_path / 'a.tif', 2)
    data = bytearray(file.read_bytes())
    first, = struct.unpack_from('<I', data, 4)
    entries, = struct.unpack_from('<H', data, first)
    second, = struct.unpack_from('<I', data, first + 2 + 12 * entries)
    struct.pack_into('<HHII', data, second + 2, 254, 4, 1, kind)  # in place of the width
    file.write_bytes(data)
    assert pictures_in(file) == number


def test_others_and_damaged_ones_count_as_one(tmp_path):
    picture(1).save(tmp_path / 'a.jpg')
    assert pictures_in(tmp_path / 'a.jpg') == 1
    assert pictures_in(tmp_path / 'nowhere.tif') == 1
    for data in (b'', b'II', b'II*\0', b'II*\0\xff\xff\xff\xff', b'\x89PNG\r\n\x1a\n',
                 b'RIFF\0\0\0\0WEBP', b'MM\0*' + struct.pack('>IHI', 8, 0, 8)):
        file = tmp_path / 'damaged'
        file.write_bytes(data)
        assert pictures_in(file) == 1


def test_a_cut_file_is_never_an_error(tmp_path):
    for name in ('a.tif', 'a.png', 'a.webp'):
        whole = save(tmp_path / name, 3).read_bytes()
        for end in range(0, len(whole), 7):
            (tmp_path / 'cut').write_bytes(whole[:end])
            assert 1 <= pictures_in(tmp_path / 'cut') <= 3
