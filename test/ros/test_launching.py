"""Node, YAML and launch file have the same defaults; the launch file starts where it can."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys

import pytest
import yaml

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.resources import share_directory
from rgb2swir_ros.ros.launching import ARGUMENTS, PARAMETERS, given, truth
from rgb2swir_ros.ros.parameters import DEFAULTS, check

LAUNCH = share_directory() / 'launch' / 'translator.launch.py'


def test_yaml_holds_every_parameter_with_its_default():
    content = yaml.safe_load((share_directory() / 'config' / 'translator.yaml').read_text())
    assert list(content) == ['/**']
    values = content['/**']['ros__parameters']
    assert values == DEFAULTS
    assert {name: type(value) for name, value in values.items()} == {
        name: type(value) for name, value in DEFAULTS.items()}


def test_every_key_of_the_yaml_has_a_comment_above_it():
    lines = (share_directory() / 'config' / 'translator.yaml').read_text().splitlines()
    keys = [n for n, line in enumerate(lines) if line.strip().partition(':')[0] in DEFAULTS]
    assert len(keys) == len(DEFAULTS)
    bare = [lines[n].strip() for n in keys if not lines[n - 1].strip().startswith('#')]
    # each of these is explained together with the line above it
    assert bare == ['tolerance: 10.0']


def test_launch_arguments_have_the_defaults_of_the_node():
    assert {name: yaml.safe_load(row.default) if row.kind is not str else row.default
            for name, row in PARAMETERS.items()} == DEFAULTS
    assert all(row.description for row in (*PARAMETERS.values(), *ARGUMENTS.values()))
    assert not set(PARAMETERS) & set(ARGUMENTS)


def texts(**changed: str) -> dict[str, str]:
    return {name: row.default for name, row in {**PARAMETERS, **ARGUMENTS}.items()} | changed


def test_a_launch_without_a_file_sets_what_is_shown():
    values = {name: text if kind is str else yaml.safe_load(text)
              for name, (text, kind) in given(texts(gamma='1.8')).items()}
    assert values.pop('use_sim_time') is False
    assert values == DEFAULTS | {'gamma': 1.8}
    assert check(values).sensor.gamma == 1.8


def test_a_parameter_file_is_not_hidden_by_defaults():
    chosen = given(texts(gamma='1.8', params_file='/my.yaml', use_sim_time='true'))
    assert chosen == {'use_sim_time': ('true', bool), 'gamma': ('1.8', float)}


def test_an_argument_that_is_neither_true_nor_false_is_refused():
    assert not truth(texts(), 'respawn')
    assert truth(texts(respawn='True'), 'respawn')
    with pytest.raises(UserError, match="'respawn' must be true or false, not 'yes'"):
        truth(texts(respawn='yes'), 'respawn')


@pytest.mark.ros
def test_launch_file_starts_and_ends_the_node(rig):
    if importlib.util.find_spec('launch_ros') is None:
        pytest.skip('launch_ros is not installed: it is on no package index, only in ROS')
    script = ('import sys; from launch import LaunchDescription, LaunchService\n'
              'from launch.actions import IncludeLaunchDescription as Include\n'
              'from launch.launch_description_sources import PythonLaunchDescriptionSource as S\n'
              'service = LaunchService()\n'
              'service.include_launch_description(LaunchDescription([Include(S(sys.argv[1]), '
              'launch_arguments=[("backend", "eager"), ("source_size", "160x128")])]))\n'
              'sys.exit(service.run())')
    watcher = rig.listen('/diagnostics:diagnostics')
    launched = subprocess.Popen([sys.executable, '-c', script, str(LAUNCH)], env=rig.environment,
                                start_new_session=True)
    try:
        watcher.wait(lambda: any(
            heard['status']['/translator: engine']['message'].startswith('ready')
            for heard in watcher.of('/diagnostics')), 'the engine to be ready', 90)
        launched.send_signal(signal.SIGINT)
        assert launched.wait(30) == 0
    finally:
        if launched.poll() is None:
            os.killpg(launched.pid, signal.SIGKILL)
