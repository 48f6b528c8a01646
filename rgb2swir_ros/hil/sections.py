"""The sections of a scenario file, each a dataclass with the ranges of its values."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from rgb2swir_ros.checked import within
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.hil.faults.base import Fault
from rgb2swir_ros.sizes import parse_size

SECOND_NS = 10**9
MS = 1e6

SOURCES = ('drive', 'bag', 'video', 'folder', 'rendered', 'topic')
WITH_PATH = ('bag', 'video', 'folder')
WALL, STEPPED = 'wall', 'stepped'
# Frames of a stepped run that may wait for a subscriber: they follow one another as fast as they
# are made, and none may be lost
STEPPED_DEPTH = 200
STOP, FAILOVER = 'stop', 'failover'
CLOCKS = ('system', 'ptp', 'sim')
NAME = re.compile(r'[A-Za-z_][A-Za-z0-9_.-]*')  # of a scenario, phase, fault or threshold


def _choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name} is '{value}', but must be one of {', '.join(choices)}")


def _size(name: str, text: str) -> None:
    if text:
        try:
            parse_size(text)
        except UserError as error:
            raise ValueError(f'{name}: {error}') from None


@dataclass(frozen=True)
class SourceSection:
    """Where the frames come from.

    :param kind: one of `SOURCES`, or of the entry points ``rgb2swir_ros.sources``. ``drive`` is
        the footage that comes with the package; ``rendered`` is rendered before the run.
    :param path: of a bag, a video or a folder of pictures.
    :param topic: the image topic: of a bag that has several; of a live camera.
    :param loop: whether footage starts again when it is over; otherwise the run ends with it.
    :param focal: focal length over width of a camera whose footage has no CameraInfo; 0: not
        known, and no CameraInfo is sent. The drive's is known.
    :param frames: how many are rendered.
    :param size: of rendered frames, as WIDTHxHEIGHT.
    :param options: of a source of another package, as it defines them.
    """

    kind: str = 'drive'
    path: str = ''
    topic: str = ''
    loop: bool = True
    focal: float = within(0, 100, 0.0)
    frames: int = within(2, 100_000, 60)
    size: str = '320x256'
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        needs_path = self.kind in WITH_PATH
        if needs_path and not self.path:
            raise ValueError(f"a source of the kind '{self.kind}' needs a 'path'")
        if self.path and not needs_path and self.kind in SOURCES:
            raise ValueError(f"a source of the kind '{self.kind}' has no 'path'")
        if self.kind == 'topic' and not self.topic:
            raise ValueError("a source of the kind 'topic' needs a 'topic'")
        if self.topic and self.kind in {'drive', 'video', 'folder', 'rendered'}:
            raise ValueError(f"a source of the kind '{self.kind}' has no 'topic'")
        _size('size', self.size)


@dataclass(frozen=True)
class TranslatorSection:
    """The translator: the parameters of the translator's node that bear these names."""

    model: str = 'nano'
    size: str = '640x512'
    backend: str = 'auto'
    precision: str = 'auto'
    device: str = 'auto'
    threads: int = within(0, 1024, 0)

    def __post_init__(self) -> None:
        _size('size', self.size)


@dataclass(frozen=True)
class PacingSection:
    """Time.

    :param clock: ``wall`` runs in real time; ``stepped`` as fast as it goes, on simulated time
        that advances when every due frame has left, and twice the same bit for bit.
    :param time: which clock the stamps are of: ``system``; ``ptp``, the system's clock that a
        PTP daemon disciplines; ``sim``, simulated time on /clock, which ``stepped`` needs.
    :param latency_ms: a frame leaves at its stamp + this, or is counted as missed.
    :param rate_hz: frames a second of each camera; 0 keeps the recorded times. A live topic
        keeps its own, and this is what the watchdog expects of it.
    :param nominal_hz: what watchdog, deadline and bursts expect where ``rate_hz`` is 0.
    :param tolerance_ms: a frame that leaves later than due by more is counted as late.
    :param deadline_ms: QoS deadline that the images' publishers offer; 0: two periods. Who
        requests a shorter one is not connected.
    :param lease_ms: QoS liveliness (manual by topic): a publisher that is silent for longer has
        lost it; 0: five periods.
    :param max_age_ms: a live frame that is older at its arrival, or from the future by more, is
        an error of the clocks.
    """

    clock: str = WALL
    time: str = ''
    latency_ms: float = within(0, 60_000, 100.0)
    rate_hz: float = within(0, 1000, 15.0)
    nominal_hz: float = within(0.01, 1000, 15.0)
    tolerance_ms: float = within(0.1, 1000, 3.0)
    deadline_ms: float = within(0, 60_000, 0.0)
    lease_ms: float = within(0, 600_000, 0.0)
    max_age_ms: float = within(1, 3.6e6, 10_000.0)

    def __post_init__(self) -> None:
        _choice('clock', self.clock, (WALL, STEPPED))
        _choice('time', self.time or 'system', CLOCKS)
        if (self.clock == STEPPED) != (self.clock_name == 'sim'):
            raise ValueError(f"clock '{self.clock}' does not go with time '{self.time}': stepped "
                             'runs on simulated time (sim), wall on system or ptp')

    @property
    def period_ns(self) -> int:
        """Nominal time between two frames."""
        return round(SECOND_NS / (self.rate_hz or self.nominal_hz))

    @property
    def deadline_ns(self) -> int:
        """The QoS deadline."""
        return round(self.deadline_ms * MS) or 2 * self.period_ns

    @property
    def lease_ns(self) -> int:
        """The QoS lease of liveliness."""
        return round(self.lease_ms * MS) or 5 * self.period_ns

    @property
    def latency_ns(self) -> int:
        """The output latency."""
        return round(self.latency_ms * MS)

    @property
    def clock_name(self) -> str:
        """One of `CLOCKS`."""
        return self.time or ('sim' if self.clock == STEPPED else 'system')


@dataclass(frozen=True)
class WatchdogSection:
    """What is watched, and what happens then.

    :param safe_state: ``stop``: nothing is published until all is well again; ``failover``: the
        frames of another source are. The last frame is never sent again.
    :param failover: that source; its pictures are taken as SWIR pictures (mono8) and need no
        engine.
    :param silence_periods: an input is silent after so many periods without a frame.
    :param hang_ms: an inference that takes longer has hung.
    """

    safe_state: str = STOP
    failover: SourceSection | None = None
    silence_periods: float = within(1, 1000, 3.0)
    hang_ms: float = within(100, 600_000, 400.0)

    def __post_init__(self) -> None:
        _choice('safe_state', self.safe_state, (STOP, FAILOVER))
        if (self.safe_state == FAILOVER) != (self.failover is not None):
            raise ValueError("safe_state 'failover' needs a source under 'failover'"
                             if self.failover is None else
                             "'failover' has a source, but safe_state is 'stop'")


@dataclass(frozen=True)
class MonitorSection:
    """The closed loop: what the system under test answers with.

    :param topic: a topic of stamped messages of the system under test; empty: no loop.
    :param type: of its messages, as ``vision_msgs/msg/Detection2DArray``; empty: found out.
    :param responder: the one that comes with the package, ``detector``, or one of the entry
        points ``rgb2swir_ros.responders``; empty: the system under test is outside.
    :param timeout_ms: a frame without an answer by then is counted as unanswered.
    :param options: of the responder.
    """

    topic: str = ''
    type: str = ''
    responder: str = ''
    timeout_ms: float = within(1, 60_000, 1000.0)
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Threshold:
    """A limit of a measure, a case of the evidence.

    :param name: of the case, stable from run to run.
    :param measure: one of `rgb2swir_ros.hil.measures.MEASURES`.
    :param phase: the phase that it is taken over; empty: the whole run.
    :param camera: the camera; empty: all of them together.
    """

    name: str
    measure: str
    at_most: float | None = None
    at_least: float | None = None
    phase: str = ''
    camera: str = ''

    def __post_init__(self) -> None:
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError("give 'at_most' or 'at_least', one of them")


@dataclass(frozen=True)
class PlannedFault:
    """A fault and when it is active.

    :param name: unique in the scenario.
    :param camera: empty: all of them.
    :param start_ns: from this time of the frames on.
    :param end_ns: before this one.
    :param intensity: at the start and at the end, linear between.
    :param recovery_frames: how many frames after the end the stream must be whole again.
    """

    name: str
    fault: Fault
    point: str
    camera: str
    start_ns: int
    end_ns: int
    intensity: tuple[float, float] = (1.0, 1.0)
    phase: str = ''
    recovery_frames: int = 2

    @property
    def kind(self) -> str:
        """The kind of fault."""
        return self.fault.kind

    def active(self, camera: str, time_ns: int) -> bool:
        """Return whether it hits a frame of a camera and time."""
        return self.camera in ('', camera) and self.start_ns <= time_ns < self.end_ns

    def intensity_at(self, time_ns: int) -> float:
        """Return how strong it is at a time, 0 to 1."""
        first, last = self.intensity
        share = (time_ns - self.start_ns) / max(self.end_ns - self.start_ns, 1)
        return first + (last - first) * min(max(share, 0.0), 1.0)


@dataclass(frozen=True)
class Phase:
    """A stretch of the run, on the frames' time."""

    name: str
    start_ns: int
    end_ns: int
