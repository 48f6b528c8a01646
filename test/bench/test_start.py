"""The bench of the node's start: its figure, and its arguments."""

from __future__ import annotations

import pytest

from rgb2swir_ros.bench.start import first_frame_s
from rgb2swir_ros.cli.main import main
from rgb2swir_ros.errors import UserError


def test_seconds_to_the_first_arrival():
    frames = [(1, 5_500_000_000), (2, 6_000_000_000)]
    assert first_frame_s(frames, 3_000_000_000, 10) == 2.5


def test_no_frame_is_no_figure():
    with pytest.raises(UserError, match='no frame came within 10 s'):
        first_frame_s([], 0, 10)


@pytest.mark.parametrize(('words', 'text'), [
    (['--starts', '0'], '--starts 0'), (['--size', '64'], "'64' is no size"),
    (['--domain-id', '300'], '0..101')])
def test_wrong_arguments_are_one_line(words, text, capsys):
    assert main(['bench', 'start', *words]) == 2
    error = capsys.readouterr().err
    assert text in error
    assert error.count('\n') == 1
