"""Start the translator: ``ros2 launch rgb2swir_ros translator.launch.py cameras:="['front']"``.

``--show-args`` lists the arguments with their descriptions.
"""

from typing import List  # noqa: UP035

from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration, TextSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchDescription
from rgb2swir_ros.ros.launching import ARGUMENTS, PARAMETERS, given, truth
from rgb2swir_ros.ros.transport import profile_environment

# launch_ros knows lists by these names only.
TYPES = {str: str, bool: bool, int: int, float: float, list: List[str]}  # noqa: UP006


def start(context):
    """Return the node, and the transport profile unless the user has set one."""
    value = {name: LaunchConfiguration(name).perform(context)
             for name in (*ARGUMENTS, *PARAMETERS)}
    profile = {} if value['transport_profile'] == 'none' else profile_environment(
        value['transport_profile'])
    parameters = [{name: ParameterValue(TextSubstitution(text=text), value_type=TYPES[kind])
                   for name, (text, kind) in given(value).items()}]
    if value['params_file']:
        # The file first: an argument that differs from the default wins over it.
        parameters.insert(0, value['params_file'])
    node = Node(
        package='rgb2swir_ros', executable='translator_node', name='translator',
        namespace=value['namespace'], output='screen', parameters=parameters,
        respawn=truth(value, 'respawn'), respawn_delay=2.0,
        arguments=['--ros-args', '--log-level', value['log_level']])
    return [*(SetEnvironmentVariable(name, path) for name, path in profile.items()), node]


def generate_launch_description():
    """Declare the arguments: the node's own parameters with its defaults, and a few more."""
    declared = [DeclareLaunchArgument(name, default_value=row.default,
                                      description=row.description)
                for name, row in {**PARAMETERS, **ARGUMENTS}.items()]
    return LaunchDescription([*declared, OpaqueFunction(function=start)])
