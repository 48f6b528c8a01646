"""One run of the demo: a camera films the footage, and the node translates it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rgb2swir_ros.demo.conduct import Conductor, Sender
from rgb2swir_ros.demo.footage import Footage
from rgb2swir_ros.imaging.fit import fit_size
from rgb2swir_ros.replay import drive
from rgb2swir_ros.sizes import format_size

CAMERA = 'camera'


@dataclass(frozen=True)
class DemoOptions:
    """The settings of a demo.

    :param input: a path, or None for the built-in drive.
    :param box: (height, width) that frames are scaled down to fit.
    :param rate_hz: frames per second; 0 is the rate of the recording.
    """

    input: Path | None
    seconds: float
    model: str = 'nano'
    box: tuple[int, int] = (512, 640)
    backend: str = 'auto'
    rate_hz: float = 0.0
    topic: str | None = None


@dataclass(frozen=True)
class Run:
    """The records of a run.

    :param sent: (stamp, monotonic time) of each frame sent, in nanoseconds.
    :param arrived: the same for each frame recorded.
    :param camera: the values of the node's last status of its camera.
    :param engine: the values of its last status of the engine.
    :param broke_off: why the footage could not be read to its end, or ''.
    """

    footage: Footage
    sent: list[tuple[int, int]]
    arrived: list[tuple[int, int]]
    camera: dict[str, str]
    engine: dict[str, str]
    broke_off: str
    bag_counts: dict[str, int]


class DemoConductor(Conductor):
    """One run of the demo."""

    _options: DemoOptions

    def _run(self) -> Run:
        options = self._options
        footage = Footage(drive.FILE if options.input is None else options.input,
                          options.seconds, options.topic)
        words = [str(footage.source.path), '--seconds', str(options.seconds), '--name', CAMERA,
                 '--record', str(self._work / 'sent.json'), '--rate', str(options.rate_hz)]
        if options.topic:
            words += ['--topic', options.topic]
        start = ([] if footage.record_start_ns is None
                 else ['--start-ns', str(footage.record_start_ns)])
        done, counts = self._send_through(
            Sender('camera', 'demo.camera', words, 'filming'), [CAMERA], {
                'model': options.model, 'size': format_size(options.box),
                'source_size': format_size(footage.size), 'backend': options.backend,
                'input_transport': 'compressed' if footage.compressed else 'raw'},
            size=format_size(fit_size(footage.size, options.box)), recorder_words=start)
        sent, arrived = ([(stamp, at) for stamp, at, *_ in self._record(name)]
                         for name in ('sent', 'arrived'))
        return Run(footage, sent, arrived, self._cameras.get(CAMERA, {}), self._engine,
                   done['error'], counts)
