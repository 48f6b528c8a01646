"""Translate the cameras of a bag to a SWIR bag on the same time line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rosbags.typesys import Stores, get_typestore

from rgb2swir_ros.imaging.errors import ImageError
from rgb2swir_ros.imaging.fit import PixelTransform, follow_camera_info
from rgb2swir_ros.imaging.raw import to_fields
from rgb2swir_ros.replay.bag import INFO, CameraBag
from rgb2swir_ros.replay.bag_writer import BagWriter
from rgb2swir_ros.replay.cameras import RecordedCamera
from rgb2swir_ros.replay.frames import FootageError, Frame, decode
from rgb2swir_ros.replay.offline import OfflineTranslator

# One for all frames, since each store compiles its deserializers anew
_TYPES = get_typestore(Stores.ROS2_JAZZY)
INFO_NOTES = {
    'camera_info_missing': 'frames went without CameraInfo, since there is none for them',
    'camera_info_mismatch': 'CameraInfos were left out, since they are for images of another size',
}


@dataclass
class BagTranslation:
    """The counts of one translated bag.

    :param frames: number of translated frames, by topic.
    :param outputs: topic of the SWIR images, by topic of the images.
    :param refused: for each topic and reason the number of frames that were left out, and the
        first error.
    :param infos: for each topic the number of frames without CameraInfo, by reason.
    :param broken: why a part of the bag could not be read, or ''.
    """

    frames: Counter[str] = field(default_factory=Counter)
    outputs: dict[str, str] = field(default_factory=dict)
    refused: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    infos: dict[str, Counter[str]] = field(default_factory=dict)
    broken: str = ''

    def failures(self) -> list[str]:
        """Return what was lost, one line for each reason."""
        lines = [f'{count} frames of {topic} were left out; the first: {first}'
                 for (topic, _), (count, first) in self.refused.items()]
        return lines + ([self.broken] if self.broken else [])

    def notes(self) -> list[str]:
        """Return notes for the user about CameraInfo, one line for each reason."""
        return [f'{topic}: {count} {INFO_NOTES.get(key, key)}'
                for topic, counts in self.infos.items() for key, count in counts.items()]


def translate_bag(bag: CameraBag, open_writer: Callable[[], BagWriter],
                  translator: OfflineTranslator, on_frame: Callable[[], None]) -> BagTranslation:
    """Translate all cameras of a bag.

    A message has the record time and the header of the one that it was made from. Malformed images
    are left out and counted. After data that cannot be read the rest is translated.

    :param open_writer: makes the output; called when there is a first frame.
    :param on_frame: called after each frame.
    """
    result = BagTranslation()
    cameras: Mapping[str, RecordedCamera] = {camera.topic: camera for camera in bag.cameras}
    result.outputs = {topic: f'{camera.base}/image_raw' for topic, camera in cameras.items()}
    with ExitStack() as stack:
        writer: BagWriter | None = None
        try:
            for frame in bag.frames():
                try:
                    rgb = decode(frame)
                except ImageError as error:
                    key = frame.topic, error.reason
                    count, first = result.refused.get(key, (0, f'{frame.name}: {error}'))
                    result.refused[key] = count + 1, first
                    continue
                swir = translator.radiance(translator.fit(rgb), bag.count or 1)
                pixels = translator.pixels(swir, frame.stamp_ns)
                if writer is None:
                    writer = stack.enter_context(open_writer())
                counts = result.infos.setdefault(frame.topic, Counter())
                _write(writer, cameras[frame.topic].base, frame, pixels, rgb.shape[:2], counts)
                result.frames[frame.topic] += 1
                on_frame()
        except FootageError as error:
            result.broken = str(error)
    return result


def _write(writer: BagWriter, base: str, frame: Frame, pixels: NDArray[Any],
           source: tuple[int, int], counts: Counter[str]) -> None:
    """Write the image, and its CameraInfo with the image's header, as the node does."""
    encoding = 'mono16' if pixels.dtype == np.uint16 else 'mono8'
    writer.write_image(f'{base}/image_raw', frame.stamp_ns, frame.frame_id,
                       to_fields(pixels, encoding), frame.log_ns)
    info: Any = None
    if frame.info_cdr is not None:
        info = _TYPES.deserialize_cdr(frame.info_cdr, INFO)
    target = pixels.shape[:2]
    fields = follow_camera_info(info, source, target, PixelTransform.resize(source, target),
                                counts)
    if fields is not None:
        writer.write_camera_info(f'{base}/camera_info', frame.stamp_ns, frame.frame_id, fields,
                                 frame.log_ns)
