"""The package's own footage: a short rendered drive.

``benchmark/drive.py`` rendered it at commit 1f51698. Later commits render other scenes.
"""

from __future__ import annotations

from pathlib import Path

from rgb2swir_ros.replay.video import VideoSource

FILE = Path(__file__).parents[1] / 'demo' / 'drive.mp4'
# Its camera: focal length over image width; the principal point is the image centre, and there
# is no distortion.
FOCAL = 0.85


class DriveSource(VideoSource):
    """The rendered drive: a video whose camera is known."""

    kind = 'drive'

    def __init__(self) -> None:
        """Open the bundled file.

        :raises FootageError: if it is not installed.
        """
        super().__init__(FILE)
