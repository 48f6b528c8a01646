"""Start the bench's node: ``ros2 launch rgb2swir_ros hil.launch.py scenario:=/path/nominal.yaml``.

It publishes as the scenario says and leaves its record; ``rgb2swir hil`` adds the observer, the
monitor and the evidence. ``--show-args`` lists the arguments with their descriptions.
"""

from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchDescription
from rgb2swir_ros.hil.launching import ARGUMENTS, parameters
from rgb2swir_ros.ros.transport import profile_environment


def start(context):
    """Return the node, and the transport profile unless the user has set one."""
    value = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    profile = {} if value['transport_profile'] == 'none' else profile_environment(
        value['transport_profile'])
    node = Node(
        package='rgb2swir_ros', executable='hil_node', name='hil', namespace=value['namespace'],
        output='screen', parameters=[parameters(value)],
        arguments=['--ros-args', '--log-level', value['log_level']])
    over = RegisterEventHandler(OnProcessExit(
        target_action=node, on_exit=[EmitEvent(event=Shutdown(reason='the scenario is over'))]))
    return [*(SetEnvironmentVariable(name, path) for name, path in profile.items()), node, over]


def generate_launch_description():
    """Declare the arguments: the node's own parameters with its defaults, and a few more."""
    declared = [DeclareLaunchArgument(name, default_value=default, description=text)
                for name, (default, text) in ARGUMENTS.items()]
    return LaunchDescription([*declared, OpaqueFunction(function=start)])
