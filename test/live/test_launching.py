"""The launch file of the replay passes its arguments on; it starts where `launch_ros` is."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from rgb2swir_ros.live.launching import PLAYER_ARGUMENTS, player_words, recorded_cameras
from rgb2swir_ros.live.player import _parse
from rgb2swir_ros.resources import share_directory
from rgb2swir_ros.ros.launching import ARGUMENTS, PARAMETERS
from rgb2swir_ros.ros.transport import local_environment

from .test_live import two_cameras

LAUNCH = share_directory() / 'launch' / 'replay.launch.py'
DEFAULTS = {name: row.default or '' for name, row in PLAYER_ARGUMENTS.items()}


def test_the_player_gets_its_defaults_and_what_is_given() -> None:
    bare = _parse(['drive'])
    assert _parse(player_words({**DEFAULTS, 'bag': 'drive'})) == bare
    given = _parse(player_words({**DEFAULTS, 'bag': 'my drive', 'topics': '/a /b', 'rate': '.5',
                                 'loop': '3', 'clock': '100', 'start_offset': '2',
                                 'playback_duration': '7'}))
    assert vars(given) == {'bag': Path('my drive'), 'topics': ['/a', '/b'], 'rate': .5, 'loop': 3,
                           'clock': 100., 'start_offset': 2., 'playback_duration': 7.,
                           'record': None}
    assert not set(PLAYER_ARGUMENTS) & {*PARAMETERS, *ARGUMENTS}  # both in one launch


def test_the_nodes_cameras_are_the_bags(tmp_path: Path) -> None:
    bag = two_cameras(tmp_path / 'bag')
    assert recorded_cameras({**DEFAULTS, 'bag': str(bag)}) == '["front", "rear"]'
    assert recorded_cameras({**DEFAULTS, 'bag': str(bag), 'topics': 'rear/image_raw/compressed'}
                            ) == '["rear"]'


class Stub:
    """Stands for a class of launch: keeps what it was made of."""

    def __init__(self, *words: Any, **named: Any) -> None:
        self.words, self.named = words, named

    def perform(self, context: Any) -> str:
        return context.launch_configurations[self.words[0]]


def test_what_is_launched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checked without launch: node, arguments and translator.launch.py with simulated time."""
    names = ['DeclareLaunchArgument', 'IncludeLaunchDescription', 'OpaqueFunction',
             'SetLaunchConfiguration', 'Shutdown', 'PythonLaunchDescriptionSource',
             'LaunchConfiguration', 'Node', 'LaunchDescription']
    made = types.SimpleNamespace(**{name: type(name, (Stub,), {}) for name in names})
    for module in ('launch', 'launch.actions', 'launch.launch_description_sources',
                   'launch.substitutions', 'launch_ros', 'launch_ros.actions'):
        monkeypatch.setitem(sys.modules, module, made)  # type: ignore[arg-type]
    spec = importlib.util.spec_from_file_location('replay_launch', LAUNCH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    actions, = module.generate_launch_description().words
    assert {action.words[0] for action in actions if isinstance(
        action, made.DeclareLaunchArgument)} == set(PLAYER_ARGUMENTS)
    cameras, translator, player = actions[-3:]
    context = types.SimpleNamespace(launch_configurations={
        **DEFAULTS, 'bag': str(two_cameras(tmp_path / 'bag')), 'rate': '2'})
    assert [a.words for a in cameras.named['function'](context)] == [
        ('cameras', '["front", "rear"]')]
    context.launch_configurations['cameras'] = "['rear']"
    assert cameras.named['function'](context) == []
    assert dict(translator.named['launch_arguments']) == {'use_sim_time': 'true'}
    assert Path(translator.words[0].words[0]).samefile(LAUNCH.with_name('translator.launch.py'))
    node, = player.named['function'](context)
    assert node.named['executable'] == 'replay_player'
    assert _parse(node.named['arguments']).rate == 2
    assert isinstance(node.named['on_exit'], made.Shutdown)


@pytest.mark.ros
def test_launch_file_starts_and_ends_with_interrupt(tmp_path: Path) -> None:
    if importlib.util.find_spec('launch_ros') is None:
        pytest.skip('launch_ros is not installed: it is on no package index, only in ROS')
    script = ('import sys; from launch import LaunchDescription, LaunchService\n'
              'from launch.actions import IncludeLaunchDescription as Include\n'
              'from launch.launch_description_sources import PythonLaunchDescriptionSource as S\n'
              'service = LaunchService()\n'
              'service.include_launch_description(LaunchDescription([Include(S(sys.argv[1]), '
              'launch_arguments=[("backend", "eager"), ("bag", sys.argv[2])])]))\n'
              'sys.exit(service.run())')
    launched = subprocess.Popen(
        [sys.executable, '-c', script, str(LAUNCH), str(two_cameras(tmp_path / 'bag'))],
        env=local_environment(), start_new_session=True)
    try:
        with pytest.raises(subprocess.TimeoutExpired):  # nobody listens: it waits
            launched.wait(15)
        launched.send_signal(signal.SIGINT)
        assert launched.wait(30) == 0
    finally:
        if launched.poll() is None:
            os.killpg(launched.pid, signal.SIGKILL)
