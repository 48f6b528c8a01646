"""The demo's own footage: a short rendered drive that comes with the package.

``benchmark/drive.py`` rendered it at commit 1f51698. The scenes have changed since: it renders
another drive of the same place now.
"""

from __future__ import annotations

from pathlib import Path

from rgb2swir_ros.replay.video import VideoSource

FILE = Path(__file__).with_name('drive.mp4')
# The camera that it was rendered with: focal length over width, the middle of the picture for a
# principal point, no distortion.
FOCAL = 0.85


class DriveSource(VideoSource):
    """The rendered drive: a video whose camera is known."""

    kind = 'drive'

    def __init__(self) -> None:
        """Open the package's file.

        :raises FootageError: if the installation lacks it.
        """
        super().__init__(FILE)
