"""Open footage of any kind by its path."""

from __future__ import annotations

from pathlib import Path

from rgb2swir_ros.replay.bag import BagSource, is_bag
from rgb2swir_ros.replay.frames import FootageError, Source
from rgb2swir_ros.replay.pictures import SUFFIXES as PICTURE_SUFFIXES
from rgb2swir_ros.replay.pictures import PicturesSource, is_picture
from rgb2swir_ros.replay.video import SUFFIXES as VIDEO_SUFFIXES
from rgb2swir_ros.replay.video import VideoSource, is_video


def open_source(path: str | Path, topic: str | None = None) -> Source:
    """Open a bag (folder or file), a video, a folder of pictures or a picture.

    :param topic: the image topic, for a bag that has several.
    :raises FootageError: if there is nothing at the path, or nothing in it that can be read.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise FootageError(f"there is no file or folder '{path}'")
    source: Source
    if is_bag(path):
        return BagSource(path, topic)
    if topic is not None:
        raise FootageError(f"--topic chooses a topic of a bag, but '{path}' is none")
    if path.is_dir():
        source = PicturesSource(path)
    elif is_video(path):
        source = VideoSource(path)
    elif is_picture(path):
        source = PicturesSource(path)
    else:
        raise FootageError(
            f"'{path}' is no footage by its name: give a bag (folder, .mcap, .db3, .bag), a video "
            f"({' '.join(VIDEO_SUFFIXES)}), a folder of pictures or a picture "
            f"({' '.join(PICTURE_SUFFIXES)})")
    return source
