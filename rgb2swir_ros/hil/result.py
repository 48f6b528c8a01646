"""What a bench run leaves: every frame, fault, incident and count, and what was judged of it.

`HilRun` is what the node itself has counted, `Observation` what an outside process has received,
`Responses` what the system under test has answered. `HilResult` is all three with the verdict.
All of them go to JSON and back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeVar

Made = TypeVar('Made')

PASS, FAIL, INCONCLUSIVE, ERROR = 'pass', 'fail', 'inconclusive', 'error'
VERDICTS = (PASS, FAIL, INCONCLUSIVE, ERROR)
WRONG_INPUT_CODE = 2  # of every command of the package
EXIT_CODES = {PASS: 0, FAIL: 1, INCONCLUSIVE: 3, ERROR: 4}

# Kinds of checks: a limit of the scenario, the return from a fault, what every run must keep.
THRESHOLD, RECOVERY, RULE = 'threshold', 'recovery', 'rule'

# Outcomes of a frame. Every frame that a source gave has exactly one for each of its copies.
LEFT = 'left'  # sent in time
LATE = 'late'  # sent, later than due by more than the tolerance
MISSED = 'missed'  # not ready when it was due: not sent
LOST = 'lost_'  # + the name of the fault that lost it
DROPPED = 'dropped_'  # + why it was never ready: overwritten, engine_not_ready, ...
REFUSED = 'refused_'  # + why the source's picture could not be read
HELD = 'held_safe_state'  # not sent, because the bench was in its safe state
SENT = (LEFT, LATE)


@dataclass(frozen=True)
class FrameRecord:
    """One frame of one camera, or a copy of it, and what became of it.

    :param index: of the source.
    :param time_ns: since the first frame, from which all draws are made; the stamp is ``t0_ns``
        + this.
    :param stamp_ns: that was sent, a fault's shift included; 0 if nothing was.
    :param outcome: see above.
    :param due_ns: when it should have left: on the monotonic clock, stepped on simulated time.
    :param left_ns: when it left; 0 if it did not.
    :param digest: BLAKE2 of the pixels that were sent, 16 digits; empty if nothing was.
    :param faults: names of the faults that have changed it.
    :param failover: whether it is a picture of the failover source.
    """

    camera: str
    index: int
    time_ns: int
    outcome: str
    due_ns: int = 0
    left_ns: int = 0
    stamp_ns: int = 0
    digest: str = ''
    faults: tuple[str, ...] = ()
    failover: bool = False


@dataclass(frozen=True)
class FaultRecord:
    """A fault that was active in a run.

    :param start_ns: and ``end_ns``: on the frames' time, as planned or given at run time.
    :param origin: ``scenario``, ``parameter`` or ``service``.
    """

    name: str
    kind: str
    point: str
    camera: str
    start_ns: int
    end_ns: int
    intensity: tuple[float, float]
    recovery_frames: int = 2
    phase: str = ''
    origin: str = 'scenario'


@dataclass(frozen=True)
class Incident:
    """Something that the watchdog found. Times are monotonic; stepped, simulated.

    :param kind: ``silence``, ``crash`` or ``hang``.
    :param camera: whose input was silent; empty for the engine.
    :param happened_ns: when it happened: the last frame + the allowed silence; when the engine
        process was killed or stopped by a fault, else when the inference began. 0: not known.
    :param detected_ns: when the watchdog found it.
    :param safe_ns: when the safe state was entered; the same moment, unless it was entered before.
    :param recovered_ns: when frames were sent again; 0 if not before the end.
    :param time_ns: of the newest frame then, on the frames' time.
    """

    kind: str
    camera: str
    happened_ns: int
    detected_ns: int
    safe_ns: int
    recovered_ns: int = 0
    time_ns: int = 0
    detail: str = ''

    @property
    def detection_ms(self) -> float:
        """The fault detection time in milliseconds (ISO 26262: part of the FDTI)."""
        return (self.detected_ns - self.happened_ns) / 1e6

    @property
    def recovery_s(self) -> float | None:
        """Seconds from detection to recovery; None if there was none."""
        return (self.recovered_ns - self.detected_ns) / 1e9 if self.recovered_ns else None


@dataclass
class HilRun:
    """What the node did: it writes this as its last act.

    :param scenario: the scenario's name.
    :param t0_ns: stamp of the first frame.
    :param clock: ``wall`` or ``stepped``.
    :param clock_name: of the stamps: ``system``, ``ptp`` or ``sim``.
    :param latency_ns: the fixed output latency.
    :param monotonic_t0_ns: the monotonic time of the stamp ``t0_ns``.
    :param duration_ns: how long the frames' time ran.
    :param events: QoS events by name: ``deadline_missed``, ``liveliness_lost``, ...
    :param clock_errors: impossible ages and jumps of the clock, in words.
    :param realtime: whether the pacing thread had real-time priority.
    :param topics: of each camera: its image topic, resolved.
    :param overload: what shows that the machine was too busy to judge, in words.
    :param error: why the run broke off; empty if it did not.
    """

    scenario: str
    seed: int
    clock: str
    clock_name: str
    t0_ns: int = 0
    monotonic_t0_ns: int = 0
    latency_ns: int = 0
    period_ns: int = 0
    tolerance_ns: int = 0
    duration_ns: int = 0
    frames: list[FrameRecord] = field(default_factory=list)
    faults: list[FaultRecord] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    events: dict[str, int] = field(default_factory=dict)
    clock_errors: list[str] = field(default_factory=list)
    overload: list[str] = field(default_factory=list)
    engine: dict[str, Any] = field(default_factory=dict)
    sensor: dict[str, Any] = field(default_factory=dict)
    realtime: bool = False
    topics: dict[str, str] = field(default_factory=dict)
    error: str = ''

    def counts(self, camera: str = '') -> Counter[str]:
        """Return how many frames had each outcome; of all cameras by default."""
        return Counter(one.outcome for one in self.frames if camera in ('', one.camera))


@dataclass(frozen=True)
class Arrival:
    """An image that an outside process received.

    :param wall_ns: when, on the system's clock.
    :param monotonic_ns: when, on the monotonic clock.
    :param digest: as of `FrameRecord`.
    :param shape: what its fields say: height, width, encoding, step, and bytes of data.
    """

    camera: str
    stamp_ns: int
    wall_ns: int
    monotonic_ns: int
    digest: str
    shape: tuple[int, int, str, int, int]


@dataclass
class Observation:
    """What the observer received.

    :param infos: (camera, stamp) of each CameraInfo.
    :param lost: frames that its own middleware says it lost, by camera.
    :param faults: (monotonic time, names of the active faults) whenever that changed.
    :param messages: how many it recorded in the bag, by topic.
    """

    arrivals: list[Arrival] = field(default_factory=list)
    infos: list[tuple[str, int]] = field(default_factory=list)
    lost: dict[str, int] = field(default_factory=dict)
    faults: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    messages: dict[str, int] = field(default_factory=dict)


@dataclass
class Responses:
    """What the monitor received from the system under test.

    :param topic: where.
    :param responses: (stamp of the message, arrival on the system's clock, on the monotonic one).
    :param lost: what its own middleware says it lost.
    """

    topic: str = ''
    responses: list[tuple[int, int, int]] = field(default_factory=list)
    lost: int = 0


@dataclass(frozen=True)
class Check:
    """A case of the evidence: a threshold, a recovery, or a rule that every run must keep.

    :param name: stable from run to run.
    :param kind: `THRESHOLD`, `RECOVERY` or `RULE`.
    :param value: what was measured; None if nothing could be.
    :param verdict: one of `VERDICTS`.
    :param text: the verdict in words.
    :param lower: whether the limit is the lowest value allowed, and not the highest.
    """

    name: str
    kind: str
    verdict: str
    text: str
    value: float | None = None
    limit: float | None = None
    unit: str = ''
    phase: str = ''
    camera: str = ''
    lower: bool = False


@dataclass
class HilResult:
    """A judged run."""

    run: HilRun
    observation: Observation
    responses: Responses
    checks: list[Check] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """The worst of the checks: error, then inconclusive as to the bench, then fail, then pass.

        A run whose bench was overloaded says nothing of the system under test, whatever failed
        in it; a threshold without anything to measure hides no other one that failed.
        """
        found = {check.verdict for check in self.checks}
        if ERROR in found:
            return ERROR
        if any(check.verdict == INCONCLUSIVE and check.kind == RULE for check in self.checks):
            return INCONCLUSIVE
        return next((one for one in (FAIL, INCONCLUSIVE) if one in found), PASS)

    @property
    def decided_by(self) -> list[str]:
        """Names of the checks that made the verdict what it is; empty of a pass."""
        verdict = self.verdict
        if verdict == PASS:
            return []
        found = [check for check in self.checks if check.verdict == verdict]
        rules = [check for check in found if check.kind == RULE]
        return [check.name for check in (rules if verdict == INCONCLUSIVE and rules else found)]

    @property
    def exit_code(self) -> int:
        """Of `rgb2swir hil`."""
        return EXIT_CODES[self.verdict]


def as_json(made: Any) -> dict[str, Any]:
    """Return a dataclass of this module as JSON takes it."""
    return asdict(made)


def run_from_json(given: Mapping[str, Any]) -> HilRun:
    """Return the run that `as_json` made a mapping of."""
    run = HilRun(**_known(HilRun, given))
    run.frames = [_made(FrameRecord, one) for one in given['frames']]
    run.faults = [_made(FaultRecord, one) for one in given['faults']]
    run.incidents = [_made(Incident, one) for one in given['incidents']]
    return run


def observation_from_json(given: Mapping[str, Any]) -> Observation:
    """Return the observation that `as_json` made a mapping of."""
    made = Observation(**_known(Observation, given))
    made.arrivals = [_made(Arrival, one) for one in given['arrivals']]
    made.infos = [(camera, stamp) for camera, stamp in given['infos']]
    made.faults = [(at, tuple(names)) for at, names in given['faults']]
    return made


def responses_from_json(given: Mapping[str, Any]) -> Responses:
    """Return the responses that `as_json` made a mapping of."""
    made = Responses(**_known(Responses, given))
    made.responses = [(stamp, wall, monotonic) for stamp, wall, monotonic in given['responses']]
    return made


def _known(kind: type[Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the class has: a file has this tool's mark, too."""
    return {one.name: given[one.name] for one in fields(kind) if one.name in given}


def _made(kind: type[Made], given: Mapping[str, Any]) -> Made:
    values = {one.name: given[one.name] for one in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: tuple(value) if isinstance(value, list) else value
                   for name, value in values.items()})
