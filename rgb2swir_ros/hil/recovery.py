"""Recovery: how soon after the end of each fault the stream is whole again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rgb2swir_ros.hil.faults import HOST
from rgb2swir_ros.hil.result import SENT, FaultRecord, FrameRecord, HilRun, Incident
from rgb2swir_ros.hil.watchdog import CRASH, HANG, SILENCE

# kinds of faults that end in an incident which the watchdog must find
ENGINE_FAULTS = {'engine_crash': CRASH, 'engine_hang': HANG}
SOON_NS = 10 * 10**9  # an incident so soon after a fault of its kind is that fault's
BEFORE_NS = 10**9  # frames that wait for an engine which hangs are lost before that is found


@dataclass(frozen=True)
class Recovery:
    """What came after the end of a fault, for one camera.

    :param frames: the first frame after the end from which on the stream is whole, counted from
        1; None if there was none.
    :param incident: of a fault that kills or stops the engine: what the watchdog found.
    :param counts_frames: whether it is judged by frames: an engine's return takes seconds.
    """

    fault: FaultRecord
    camera: str
    frames: int | None
    incident: Incident | None = None
    counts_frames: bool = True


def recoveries(run: HilRun, arrived: Callable[[FrameRecord], bool]) -> list[Recovery]:
    """Return the recovery from each fault that ended before the run did, by camera.

    :param arrived: whether a frame that was sent arrived outside.
    """
    found = []
    for fault in run.faults:
        if fault.end_ns >= run.duration_ns:
            continue
        if fault.kind in ENGINE_FAULTS:
            found.append(Recovery(fault, '', None, _incident_of(run, fault),
                                  counts_frames=False))
            continue
        for camera in [fault.camera] if fault.camera else list(run.topics):
            frames = _frames_until_whole(run, fault, camera, arrived)
            found.append(Recovery(fault, camera, frames))
    return found


def unexpected(run: HilRun) -> list[Incident]:
    """Return the incidents that no fault explains."""
    return [one for one in run.incidents if not any(_explains(run, fault, one)
                                                    for fault in run.faults)]


def _explains(run: HilRun, fault: FaultRecord, incident: Incident) -> bool:
    found = incident.detected_ns - run.monotonic_t0_ns
    if incident.kind == SILENCE:
        slack = 2 * run.period_ns  # the frame that ends a silence comes after the fault
        return (fault.point in ('rgb', HOST) and fault.camera in ('', incident.camera)
                and fault.start_ns <= found <= fault.end_ns + slack)
    return fault.point == HOST and fault.start_ns <= found <= fault.end_ns + SOON_NS


def _incident_of(run: HilRun, fault: FaultRecord) -> Incident | None:
    kind = ENGINE_FAULTS[fault.kind]
    return next((one for one in run.incidents if one.kind == kind and fault.start_ns
                 <= one.detected_ns - run.monotonic_t0_ns <= fault.end_ns + SOON_NS), None)


def _frames_until_whole(run: HilRun, fault: FaultRecord, camera: str,
                        arrived: Callable[[FrameRecord], bool]) -> int | None:
    """Return which frame after the end is the first of those that are whole.

    A frame is whole if it was sent, arrived, and shows nothing of the fault. Frames that other
    faults hit, or for which there was no engine, say nothing of this one and do not count.
    """
    number, first = 0, None
    for frame in run.frames:  # in order of time
        if frame.camera != camera or frame.time_ns < fault.end_ns or frame.failover:
            continue
        others = any(other.name != fault.name and other.camera in ('', camera)
                     and other.start_ns <= frame.time_ns < other.end_ns for other in run.faults)
        if fault.name in frame.faults:
            number, first = number + 1, None
        elif others or _engine_was_down(run, frame):
            continue
        else:
            number += 1
            if first is None and frame.outcome in SENT and arrived(frame):
                first = number
    return first


def _engine_was_down(run: HilRun, frame: FrameRecord) -> bool:
    return frame.outcome not in SENT and any(
        one.kind != SILENCE and one.detected_ns - BEFORE_NS <= frame.due_ns
        and (frame.due_ns <= one.recovered_ns or not one.recovered_ns) for one in run.incidents)
