"""Play a bag through the translator: ``ros2 launch rgb2swir_ros replay.launch.py bag:=drive_1``.

It publishes the bag's cameras at their own pace with /clock, and ends with the bag. The node works
while somebody subscribes to its output: start RViz, Foxglove or ``ros2 bag record`` beside it.
``--show-args`` lists the arguments, those of translator.launch.py among them.
"""

from pathlib import Path

from launch.actions import (
    DeclareLaunchArgument,
    IncludeLaunchDescription,
    OpaqueFunction,
    SetLaunchConfiguration,
    Shutdown,
)
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchDescription
from rgb2swir_ros.live.launching import PLAYER_ARGUMENTS, player_words, recorded_cameras

TRANSLATOR = Path(__file__).with_name('translator.launch.py')


def name_cameras(context):
    """Give the node the bag's cameras, unless the user has named some."""
    if context.launch_configurations.get('cameras'):
        return []
    value = {name: LaunchConfiguration(name).perform(context) for name in PLAYER_ARGUMENTS}
    return [SetLaunchConfiguration('cameras', recorded_cameras(value))]


def play(context):
    """Return the player; the launch ends with it."""
    value = {name: LaunchConfiguration(name).perform(context) for name in PLAYER_ARGUMENTS}
    return [Node(package='rgb2swir_ros', executable='replay_player', output='screen',
                 arguments=player_words(value), on_exit=Shutdown(reason='the bag has ended'))]


def generate_launch_description():
    """Declare the player's arguments; the translator's are those of its own launch file."""
    declared = [DeclareLaunchArgument(name, description=row.description, **(
        {} if row.default is None else {'default_value': row.default}))
        for name, row in PLAYER_ARGUMENTS.items()]
    translator = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(TRANSLATOR)),
        launch_arguments={'use_sim_time': 'true'}.items())
    return LaunchDescription([*declared, OpaqueFunction(function=name_cameras), translator,
                              OpaqueFunction(function=play)])
