"""``rgb2swir evaluate`` finds its measurements."""

import argparse

import pytest

from rgb2swir_ros.cli import evaluate
from rgb2swir_ros.errors import UserError


def parsed(*words):
    parser = argparse.ArgumentParser()
    evaluate.configure(parser)
    return parser.parse_args(words)


def test_every_measurement_has_help(capsys):
    for name in evaluate.MEASUREMENTS:
        with pytest.raises(SystemExit) as raised:
            evaluate.run(parsed(name, '--help'))
        assert raised.value.code == 0
        assert 'example:' in capsys.readouterr().out


def test_unknown_measurements_are_refused(capsys):
    with pytest.raises(SystemExit) as raised:
        parsed('beauty')
    assert raised.value.code == 2
    assert "'beauty'" in capsys.readouterr().err


def test_arguments_are_handed_over(tmp_path):
    with pytest.raises(UserError, match='annotations/validation'):
        evaluate.run(parsed('detection', '--data', str(tmp_path), '--split', 'validation'))
