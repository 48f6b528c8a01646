"""The launch file has the node's parameters; the node names what is wrong with them."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from rgb2swir_ros.hil.launching import ARGUMENTS, parameters
from rgb2swir_ros.hil.node_parameters import PARAMETERS
from rgb2swir_ros.resources import share_directory
from rgb2swir_ros.ros.domain import claim_domain, release_domain
from rgb2swir_ros.ros.transport import local_environment

LAUNCH = share_directory() / 'launch' / 'hil.launch.py'


def test_arguments_are_the_parameters_with_their_types():
    values = {name: default for name, (default, _) in ARGUMENTS.items()} | {'subscribers': '2'}
    assert parameters(values) == {row.name: row.default for row in PARAMETERS} | {'subscribers': 2}
    assert all(text for _, text in ARGUMENTS.values())


def test_the_launch_file_is_python_and_starts_the_executable():
    tree = ast.parse(LAUNCH.read_text())
    assert any(isinstance(node, ast.FunctionDef) and node.name == 'generate_launch_description'
               for node in tree.body)
    assert "executable='hil_node'" in LAUNCH.read_text()
    setup = (share_directory() / 'setup.py').read_text()
    assert 'hil_node = rgb2swir_ros.hil.main:main' in setup


@pytest.mark.ros
@pytest.mark.parametrize(('words', 'says'), [
    ([], "hil_node: parameter 'scenario' is empty: give the scenario file"),
    (['-p', 'scenario:=3'], "parameter 'scenario'"),
    (['-p', 'scenario:=/nowhere.yaml'], "cannot read the scenario /nowhere.yaml"),
])
def test_the_node_refuses_in_one_line(words, says):
    pytest.importorskip('rclpy', reason='rclpy is not installed')
    domain = claim_domain()
    done = subprocess.run(
        [sys.executable, '-m', 'rgb2swir_ros.hil.main', '--ros-args', *words],
        capture_output=True, text=True, env=local_environment(domain_id=domain), timeout=60)
    release_domain(domain)
    assert done.returncode == 2
    assert says in done.stderr
    assert 'Traceback' not in done.stderr
