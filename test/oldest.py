"""Make an environment with the oldest NumPy and OpenCV that the package claims.

``python test/oldest.py FOLDER`` makes FOLDER a virtual environment of the calling Python's
version. It has links to everything that the calling environment has, except NumPy and OpenCV,
which it gets in the versions of Ubuntu 24.04 with ROS 2 Jazzy. Whatever interpreter a test
starts from there has them too.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

OLDEST = ('numpy==1.26.4', 'opencv-python-headless==4.6.0.66')
REPLACED = ('numpy', 'opencv', 'cv2')


def make(folder: Path) -> None:
    """Make the environment."""
    venv.create(folder, clear=True)
    for part in ('lib', 'share', Path(sysconfig.get_path('purelib')).relative_to(sys.prefix)):
        link_entries(Path(sys.prefix, part), folder / part)
    subprocess.run(
        [sys.executable, '-m', 'pip', '--python', str(folder / 'bin/python'), 'install',
         '--quiet', '--no-deps', *OLDEST], check=True)
    for script in ('rgb2swir', 'translator_node'):
        text = Path(sys.prefix, 'bin', script).read_text()
        copy = folder / 'bin' / script
        copy.write_text(text.replace(str(Path(sys.prefix)), str(folder.absolute())))
        copy.chmod(0o755)


def link_entries(source: Path, target: Path) -> None:
    """Link what the source folder has and the target folder lacks."""
    target.mkdir(exist_ok=True)
    for entry in source.iterdir():
        if not entry.name.startswith(REPLACED) and not (target / entry.name).exists():
            (target / entry.name).symlink_to(entry)


if __name__ == '__main__':
    make(Path(sys.argv[1]))
