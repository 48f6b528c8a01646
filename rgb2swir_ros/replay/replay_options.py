"""What decides over the output of a replay: its options, its input, and what there is to do."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rgb2swir_ros.marks import fingerprint
from rgb2swir_ros.model_files import model_hash
from rgb2swir_ros.replay.bag import CameraBag
from rgb2swir_ros.replay.frames import FootageError
from rgb2swir_ros.replay.offline import Options
from rgb2swir_ros.replay.storage.recording import files_of
from rgb2swir_ros.replay.window import WHOLE, Window, window_of
from rgb2swir_ros.resources import model_directory

SEGMENT_FRAMES = 500  # of 640x360 in 8 bits: 115 MB, a quarter of a minute on two cores
LIBRARIES = ('torch', 'openvino', 'numpy', 'opencv-python-headless', 'opencv-python', 'rosbags',
             'mcap')


@dataclass(frozen=True)
class ReplayOptions:
    """How to replay; the names are those of rosbag2 where it has one.

    :param topics: the image topics to translate; by default every colour camera.
    :param true_swir: the topic of a true SWIR camera, which is not translated unless it is named.
    :param start_offset_s: seconds of the bag that are passed over.
    :param playback_duration_s: seconds of the bag that are replayed; None: to its end.
    :param clock_hz: of the topic /clock in the output; 0: none.
    :param everything: whether all else of the bag is copied.
    :param segment_frames: frames in a part of the output.
    """

    translation: Options = field(default_factory=Options)
    topics: tuple[str, ...] = ()
    start_offset_s: float = 0.0
    playback_duration_s: float | None = None
    clock_hz: float = 0.0
    everything: bool = False
    segment_frames: int = SEGMENT_FRAMES
    true_swir: str = ''

    def identity(self) -> dict[str, Any]:
        """Return all that decides over the output, as JSON holds it.

        :raises UserError: if there is no such model.
        """
        chosen = asdict(self.translation)
        box = chosen.pop('box')
        beside = {'true_swir': self.true_swir} if self.true_swir and not self.topics else {}
        return {**chosen, **beside, 'size': f'{box[1]}x{box[0]}',
                'model_hash': model_hash(model_directory(self.translation.model)),
                'topics': list(self.topics), 'start_offset': self.start_offset_s,
                'playback_duration': self.playback_duration_s, 'clock': self.clock_hz,
                'all': self.everything}


def input_fingerprint(path: Path) -> str:
    """Return a hash of a bag's files: their names, sizes, first and last bytes.

    :raises FootageError: if there is nothing at the path, or it cannot be read.
    """
    if not path.exists():
        raise FootageError(f"there is no file or folder '{path}'")
    files = files_of(path) if path.is_dir() else [path]
    digest = hashlib.sha256()
    try:
        for file in sorted(file for file in files if file.is_file()):
            digest.update(f'{file.name} {fingerprint(file)}\n'.encode())
    except OSError as error:
        raise FootageError(f"the bag '{path}' cannot be read: "
                           f'{error.strerror or error}') from error
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of the package and of the libraries that are installed."""
    found = {}
    for name in ('rgb2swir_ros', *LIBRARIES):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def window_frames(bag: CameraBag, options: ReplayOptions) -> int | None:
    """Estimate how many frames of a bag lie in the chosen time; None if it is not known."""
    duration = bag.recording.duration_ns()
    first = bag.recording.start_ns()
    window: Window = window_of(first, options.start_offset_s, options.playback_duration_s)
    if bag.count is None or window == WHOLE:
        return bag.count
    if not duration or first is None:
        return None
    start, end = max(window.start_ns, first), min(window.end_ns, first + duration)
    return round(bag.count * min(max(end - start, 0) / duration, 1.0))
