"""Footage as a source of the bench: bags, videos, folders of pictures, the package's drive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.hil.sections import SourceSection
from rgb2swir_ros.hil.source import Picture, PictureSource, footage_path
from rgb2swir_ros.imaging.errors import ImageError
from rgb2swir_ros.replay import drive
from rgb2swir_ros.replay.bag import INFO
from rgb2swir_ros.replay.frames import Source, decode
from rgb2swir_ros.replay.message_types import message_types
from rgb2swir_ros.replay.source import open_source


class FootageSource(PictureSource):
    """A bag, a video, a folder of pictures, or the drive that comes with the package."""

    def __init__(self, section: SourceSection, folder: Path) -> None:
        """Open the footage."""
        super().__init__(section, folder)
        self._types = message_types()
        self._source: Source = drive.DriveSource() if section.kind == 'drive' else open_source(
            footage_path(section, folder), section.topic or None)
        if section.kind == 'drive':
            self.focal = drive.FOCAL
        kind = {'pictures': 'folder'}.get(self._source.kind, self._source.kind)
        if kind != section.kind:
            raise UserError(f"the source '{section.path}' is a {kind}, not a {section.kind}")

    def pictures(self) -> Iterator[Picture]:
        """Yield the frames."""
        for frame in self._source.frames():
            try:
                rgb = decode(frame)
            except ImageError as error:
                yield Picture(frame.stamp_ns, None, refusal=error.reason)
                continue
            info = None
            if frame.info_cdr is not None:
                info = self._types.deserialize_cdr(frame.info_cdr, INFO)
            yield Picture(frame.stamp_ns, rgb, info)
