"""package.xml names what is imported, and nothing else."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
# How rosdep calls a module that is no ROS package.
KEYS = {'numpy': 'python3-numpy', 'cv2': 'python3-opencv', 'yaml': 'python3-yaml'}
# From PyPI: extras of setup.py, which has no rosdep key that is right everywhere.
EXTRAS = {'torch', 'torch_tensorrt', 'tensorrt', 'safetensors', 'openvino', 'rosbags', 'av',
          'rich', 'matplotlib', 'embreex', 'PIL', 'tensorboard', 'onnx', 'onnxruntime',
          'pycocotools', 'zstandard', 'mcap', 'lz4', 'jinja2', 'markupsafe', 'ray', 'sklearn'}
# Of ROS, and used where it is installed
OPTIONAL = {'vision_msgs'}


def imports(*folders: str) -> set[str]:
    """Return the first part of each module that the code of some folders imports, lazily too."""
    found: set[str] = set()
    for path in (path for folder in folders for path in (ROOT / folder).rglob('*.py')):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split('.')[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                found.add(node.module.split('.')[0])
    return found - set(sys.stdlib_module_names) - {'rgb2swir_ros', '_typeshed'}


def declared(kind: str) -> set[str]:
    package = ElementTree.parse(ROOT / 'package.xml').getroot()
    return {element.text for element in package.iter(kind)}


def test_every_exec_depend_is_imported_and_every_import_is_declared():
    used = {KEYS.get(name, name) for name in imports('rgb2swir_ros', 'launch')}
    assert declared('exec_depend') == used - EXTRAS - OPTIONAL


def test_what_only_the_tests_import_from_ros_is_a_test_depend():
    tests = declared('test_depend')
    assert 'python3-pytest' in tests
    assert tests - {'python3-pytest'} <= imports('test') - imports('rgb2swir_ros', 'launch')
