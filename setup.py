"""ament_python build of rgb2swir_ros, also installable by pip."""

from glob import glob
from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = 'rgb2swir_ros'
SHARE = f'share/{PACKAGE}'


def data_files() -> list[tuple[str, list[str]]]:
    """List what goes to the share folder: launch files, parameters, models with their cards."""
    files = [
        ('share/ament_index/resource_index/packages', [f'resource/{PACKAGE}']),
        (SHARE, ['package.xml']),
        (f'{SHARE}/launch', sorted(glob('launch/*.launch.py'))),
        (f'{SHARE}/config', sorted(glob('config/*.*'))),
        (f'{SHARE}/config/scenarios', sorted(glob('config/scenarios/*.yaml'))),
    ]
    for model in sorted(Path('models').glob('*/model.yaml')):
        folder = model.parent
        kept = [str(p) for p in sorted(folder.iterdir())
                if p.suffix in {'.yaml', '.safetensors', '.md'}]
        files.append((f'{SHARE}/models/{folder.name}', kept))
    return files


setup(
    name=PACKAGE,
    version='0.1.0',
    packages=find_packages(include=[PACKAGE, f'{PACKAGE}.*']),
    package_data={PACKAGE: ['lab/scenes/materials.yaml', 'demo/drive.mp4', 'presets/*.yaml',
                            'report/page.html.j2']},
    data_files=data_files(),
    # Never torch, numpy or OpenCV here: pip must not replace the builds of a Jetson or of a ROS
    # machine. The README says how to bring them; the extras below serve a machine with nothing.
    install_requires=['setuptools', 'PyYAML', 'safetensors'],
    extras_require={
        'runtime': ['torch', 'numpy', 'opencv-python-headless'],
        'openvino': ['openvino>=2026.4'],  # the fastest engine on x86 processors; optional
        'replay': ['rosbags', 'mcap>=1.2', 'av', 'rich'],
        'fleet': ['ray>=2.9'],  # rgb2swir replay --ray
        'plots': ['matplotlib'],
        'report': ['jinja2', 'matplotlib'],
        'train': ['embreex', 'matplotlib', 'pillow', 'rich', 'tensorboard'],
        'eval': ['matplotlib', 'onnx', 'onnxruntime', 'pycocotools', 'rich', 'scikit-learn'],
        'ros': [  # real ROS 2 Jazzy from PyPI, for machines without a ROS installation
            'ros-rclpy[fastrtps]==7.1.6', 'ros-sensor-msgs==5.3.6', 'ros-std-msgs==5.3.6',
            'ros-diagnostic-msgs==5.3.6', 'ros-std-srvs==5.3.6',
        ],
        'ros-kilted': [  # the same of Kilted, for `make test ROS=kilted`
            'ros-kilted-rclpy==9.1.2', 'ros-kilted-rmw-fastrtps-cpp==9.3.3',
            'ros-kilted-sensor-msgs==5.5.1', 'ros-kilted-std-msgs==5.5.1',
            'ros-kilted-std-srvs==5.5.1', 'ros-kilted-diagnostic-msgs==5.5.1',
            'ros-kilted-lifecycle-msgs==2.3.0',
        ],
        'test': ['pytest', 'pytest-xdist', 'hypothesis', 'ruff', 'mypy', 'import-linter',
                 'types-PyYAML', 'jinja2', 'junitparser', 'torchmetrics'],
    },
    python_requires='>=3.10',
    zip_safe=False,
    maintainer='rgb2swir_ros maintainers',
    maintainer_email='maintainers@rgb2swir-ros.example',
    description='A SWIR camera in software: RGB camera topics in, synthetic SWIR topics out.',
    license='Apache-2.0',
    entry_points={
        'console_scripts': [
            'rgb2swir = rgb2swir_ros.cli.main:main',
            'translator_node = rgb2swir_ros.ros.main:main',
            'replay_player = rgb2swir_ros.live.player:main',
            'hil_node = rgb2swir_ros.hil.main:main',
        ],
    },
)
