"""``rgb2swir scenes`` as a user calls it."""

import cv2
import numpy as np
import pytest

from rgb2swir_ros.cli.main import main
from rgb2swir_ros.scenes.pairs import make_pair


def test_writes_pairs_and_a_sheet(tmp_path, capsys):
    assert main(['scenes', '--count', '4', '--seed', '5', '--size', '96x64',
                 '--output', str(tmp_path)]) == 0
    assert 'contact_sheet.png' in capsys.readouterr().out
    rgb, radiance = make_pair(6, (64, 96))
    assert np.array_equal(cv2.imread(str(tmp_path / 'rgb' / '000006.png'))[..., ::-1], rgb)
    swir = cv2.imread(str(tmp_path / 'swir' / '000006.png'), cv2.IMREAD_UNCHANGED)
    assert swir.dtype == np.uint16
    assert np.abs(swir / 65535 - radiance).max() <= .51 / 65535
    assert sorted(p.name for p in (tmp_path / 'swir').iterdir()) == [
        f'00000{k}.png' for k in range(5, 9)]
    assert cv2.imread(str(tmp_path / 'contact_sheet.png')).shape == (2 * 64, 3 * 2 * 96, 3)


@pytest.mark.parametrize(('words', 'text'), [
    (['--count', '0'], '--count 0'), (['--size', 'big'], "'big'"), (['--seed', '-1'], '-1')])
def test_wrong_arguments_are_one_line_and_exit_code_2(tmp_path, capsys, words, text):
    assert main(['scenes', '--output', str(tmp_path), *words]) == 2
    error = capsys.readouterr().err
    assert text in error
    assert len(error.strip().splitlines()) == 1
