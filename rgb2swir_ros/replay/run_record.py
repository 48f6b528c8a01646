"""What a replay of one bag leaves beside its SWIR bag: ``run.json``.

A replay makes for each input bag a folder ``OUT/NAME/`` with ``swir/`` (a bag of rosbag2, one or
more mcap files) and ``run.json``, a :class:`RunRecord`. A source frame and its SWIR frame have the
same record time and the same header stamp, on ``source`` of the input and ``topic`` of ``swir/``.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.ownership import write_json

RUN_FILE = 'run.json'
BAG_FOLDER = 'swir'
FORMAT = 1


@dataclass
class SwirTopic:
    """A camera of the input and what was made of it.

    :param source: topic of its images in the input.
    :param source_type: their ROS type.
    :param topic: topic of the SWIR images in ``swir/``.
    :param camera_info: topic of their CameraInfo in ``swir/``; '' where the camera has none.
    :param source_size: (height, width) of the first source frame.
    :param size: (height, width) of the first SWIR frame.
    :param encoding: ``mono8`` or ``mono16``.
    :param gamma: of the tone curve, value = 255 * radiance ** (1 / gamma); 1.0 with ``mono16``,
        which is linear: value = 65535 * radiance.
    :param announced: source frames that there should be in the chosen time; None if unknown.
    :param frames: translated.
    :param refused: by reason, frames that are not in ``swir/``.
    :param first_refusals: by reason, the error of the first of them.
    :param notes: by reason, frames that went without CameraInfo.
    """

    source: str
    source_type: str
    topic: str
    camera_info: str = ''
    source_size: tuple[int, int] | None = None
    size: tuple[int, int] | None = None
    encoding: str = 'mono8'
    gamma: float = 2.2
    announced: int | None = None
    frames: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    first_refusals: dict[str, str] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)


@dataclass
class TopicDigest:
    """How many messages of a topic were written, and the hash by which runs are compared.

    :param sha256: see :mod:`rgb2swir_ros.replay.sameness`; '' for topics of measured times, which
        differ from run to run.
    """

    messages: int = 0
    sha256: str = ''


@dataclass
class RunRecord:
    """The content of ``run.json``.

    :param input: path of the input bag, absolute.
    :param input_fingerprint: of the input's files: names, sizes, first and last bytes.
    :param options: how it was translated: model, size, backend, precision, threads, encoding,
        gamma, topics, start_offset, playback_duration, clock, all.
    :param engines: what each engine says of itself, with its ``engine_hash``; by ``WxH``.
    :param cameras: the cameras, in the order of their topics.
    :param topics: what ``swir/`` holds, by topic.
    :param left_out: by topic of the input, why it was not taken.
    :param faults: what of the input could not be read, and what failed, a line each; empty for an
        input that was read whole.
    :param start_ns: record time of the first moment of the chosen time, in nanoseconds.
    :param end_ns: record time after the last; None for the bag's end.
    :param wall_s: seconds by part, added up over all attempts: ``read`` (reading, decoding,
        scaling), ``engine`` (inference), ``write`` (sensor, writing), ``total`` (the wall clock,
        without the opening of engines), ``open`` (of engines). Parts overlap.
    :param live: of a replay in real time through the node: ``rate``, ``loops``, ``frames`` (by
        camera, how many met which fate), ``latency_ms`` (by camera; p50, p95, p99 and max of each
        stage and from player to recorder) and ``problems`` (what does not add up); else empty.
    :param attempts: how often the run was started until it was done.
    :param versions: of package, model and libraries.
    """

    input: str
    input_fingerprint: str = ''
    options: dict[str, Any] = field(default_factory=dict)
    engines: dict[str, dict[str, Any]] = field(default_factory=dict)
    cameras: list[SwirTopic] = field(default_factory=list)
    topics: dict[str, TopicDigest] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    start_ns: int | None = None
    end_ns: int | None = None
    wall_s: dict[str, float] = field(default_factory=dict)
    live: dict[str, Any] = field(default_factory=dict)
    attempts: int = 1
    versions: dict[str, str] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def frames(self) -> int:
        """Return how many frames were translated."""
        return sum(camera.frames for camera in self.cameras)

    @property
    def failures(self) -> list[str]:
        """Return everything that was lost, a line each; empty if the run is whole."""
        refused = [f'{count} frames of {camera.source} were left out ({reason}); the first: '
                   f'{camera.first_refusals.get(reason, "?")}'
                   for camera in self.cameras for reason, count in camera.refused.items()]
        return refused + self.faults


def write_run(folder: Path, run: RunRecord, *, replace: bool = True) -> None:
    """Write ``run.json`` into a replay's folder.

    :raises OutputError: if it cannot be written.
    """
    write_json(folder / RUN_FILE, asdict(run), replace=replace)


def read_run(folder: Path) -> RunRecord:
    """Return the record of a replay's folder (``OUT/NAME``).

    :raises UserError: if there is none, or it is of another format.
    """
    path = folder / RUN_FILE
    try:
        entries = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UserError(f"'{path}' cannot be read: {error}") from error
    if not isinstance(entries, dict) or entries.get('format') != FORMAT:
        raise UserError(f"'{path}' is no record of a replay of format {FORMAT}")
    try:
        return run_from(entries)
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"'{path}' is no record of a replay: {error}") from error


def run_from(entries: dict[str, Any]) -> RunRecord:
    """Return the record that JSON holds; entries of other names are passed over.

    :raises Exception: KeyError, TypeError or AttributeError if it is none.
    """
    known = {one.name for one in fields(RunRecord)}
    values = {key: value for key, value in entries.items() if key in known}
    values['cameras'] = [SwirTopic(**_sized(entry)) for entry in values['cameras']]
    values['topics'] = {topic: TopicDigest(**entry) for topic, entry in values['topics'].items()}
    return RunRecord(**values)


def _sized(entry: dict[str, Any]) -> dict[str, Any]:
    """Return a camera's entry with tuples in place of JSON's lists."""
    return {key: tuple(value) if key in {'source_size', 'size'} and value is not None else value
            for key, value in entry.items()}
