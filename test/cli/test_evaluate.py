"""``rgb2swir evaluate`` finds its measurements."""

import argparse
import subprocess
import sys

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
            parsed(name, '--help')
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


def test_help_and_wrong_arguments_need_no_torch():
    """The modules of all verbs are read by the documentation, where nothing heavy may be."""
    code = '''
import sys
from rgb2swir_ros.cli.main import main
for words in (["evaluate", "temporal", "--help"], ["train", "student", "--help"],
              ["scenes", "--help"]):
    try:
        main(words)
    except SystemExit as ended:
        assert ended.code == 0
assert "torch" not in sys.modules
'''
    ended = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert 'rgb2swir evaluate temporal' in ended.stdout
