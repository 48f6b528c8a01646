"""What the bench publishes of itself: active faults, frames, diagnostics, simulated time."""

from __future__ import annotations

from collections import Counter
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock

from rgb2swir_ros.hil.parts import Parts
from rgb2swir_ros.hil.result import MISSED, FrameRecord, Incident
from rgb2swir_ros.hil.sections import PlannedFault
from rgb2swir_ros.ros.messages import key_values

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


class Reporting:
    """The node's own topics. It is what `rgb2swir_ros.hil.parts.Reports` asks for.

    ``~/faults``: a status per active fault, whenever that changes, stamped with the time of the
    frames; a late subscriber gets the latest. ``~/frames``: a status per frame that has left.
    ``/diagnostics``: once a second.

    :ivar topics: those that belong to this node alone, resolved.
    """

    def __init__(self, node: Node, *, simulated: bool) -> None:
        """Advertise the topics.

        :param simulated: whether ``/clock`` is published, too.
        """
        self._node, self._name = node, node.get_fully_qualified_name()
        self.parts: Parts | None = None
        self.events: Counter[str] = Counter()
        latched = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE,
                             durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._faults: Any = node.create_publisher(DiagnosticArray, '~/faults', latched)
        self._frames: Any = node.create_publisher(DiagnosticArray, '~/frames', 100)
        self._diagnostics: Any = node.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self._clock: Any = node.create_publisher(Clock, '/clock', 10) if simulated else None
        names = ['~/faults', '~/frames', *(['/clock'] if simulated else [])]
        self.topics = [node.resolve_topic_name(name) for name in names]
        self._active: list[PlannedFault] = []

    def log(self, text: str) -> None:
        """Log a line."""
        self._node.get_logger().info(text)

    def clock(self, time_ns: int) -> None:
        """Publish simulated time."""
        if self._clock is not None and self.parts is not None:
            message = Clock()
            now = self.parts.t0_ns + time_ns
            message.clock.sec, message.clock.nanosec = divmod(now, 10**9)
            self._clock.publish(message)

    def faults(self, time_ns: int, active: list[PlannedFault]) -> None:
        """Publish the faults that are active from now on."""
        self._active = active
        self._faults.publish(self._array(time_ns, [
            self._status(f'fault {fault.name}', WARN, f'{fault.kind} at {fault.point}',
                         fault.camera, values(fault, time_ns)) for fault in active]))
        names = ', '.join(fault.name for fault in active) or 'none'
        self.log(f'{time_ns / 1e9:.2f} s: active faults: {names}')

    def frame(self, record: FrameRecord) -> None:
        """Publish what became of a frame, if anybody listens."""
        if not self._frames.get_subscription_count():
            return
        error_ms = (record.left_ns - record.due_ns) / 1e6
        self._frames.publish(self._array(record.time_ns, [self._status(
            f'frame {record.camera}', OK, record.outcome, record.camera,
            {'index': record.index, 'error_ms': error_ms, 'digest': record.digest,
             'faults': ' '.join(record.faults), 'failover': record.failover})]))

    def incident(self, incident: Incident) -> None:
        """Log what the watchdog has found."""
        parts = self.parts
        state = parts.scenario.watchdog.safe_state if parts else ''
        self._node.get_logger().warning(
            f"{incident.kind}{f' of {incident.camera}' if incident.camera else ''}: "
            f'{incident.detail}; safe state: {state}')

    def diagnose(self) -> None:
        """Publish a status of each camera, of the engine, of the faults and of the clock."""
        parts = self.parts
        if parts is None:
            return
        time_ns = self._node.get_clock().now().nanoseconds - parts.t0_ns if parts.t0_ns else 0
        statuses = [self._camera(parts, camera) for camera in parts.outputs]
        engine = parts.client.status()
        statuses.append(self._status(
            'engine', OK if engine.state == 'ready' else WARN, f'{engine.state}: {engine.detail}',
            '', {'state': engine.state, 'restarts': engine.restarts}))
        names = [fault.name for fault in self._active]
        statuses.append(self._status(
            'faults', WARN if names else OK, ', '.join(names) or 'no fault is active', '',
            {'active': ' '.join(names)}))
        clock = parts.scenario.pacing.clock_name
        statuses.append(self._status(
            'clock', ERROR if parts.clock_errors else OK,
            parts.clock_errors[-1] if parts.clock_errors else f'stamps of the {clock} clock', '',
            {'clock': clock, 'errors': len(parts.clock_errors), **self.events}))
        array = self._array(time_ns, statuses)
        array.header.stamp = self._node.get_clock().now().to_msg()
        self._diagnostics.publish(array)

    def _camera(self, parts: Parts, camera: str) -> DiagnosticStatus:
        counts = parts.ledger.counts(camera)
        safe = parts.watchdog.safe(camera)
        level, text = OK, f"{counts.get('left', 0)} frames left in time"
        if counts.get(MISSED):
            level, text = WARN, f'{counts[MISSED]} frames missed'
        if safe:
            level, text = ERROR, f'in the safe state: {parts.scenario.watchdog.safe_state}'
        infos: dict[str, int] = parts.pipeline.counts.get(camera, {})
        return self._status(f'camera {camera}', level, text, camera,
                            {'safe_state': safe, **counts, **infos})

    def _status(self, name: str, level: bytes, message: str, hardware: str,
                values: dict[str, Any]) -> DiagnosticStatus:
        return DiagnosticStatus(level=level, name=f'{self._name}: {name}', message=message,
                                hardware_id=hardware, values=key_values(values))

    def _array(self, time_ns: int, statuses: list[DiagnosticStatus]) -> DiagnosticArray:
        """Return an array stamped with a time since the first frame."""
        array = DiagnosticArray(status=statuses)
        stamp = max(0, (self.parts.t0_ns if self.parts else 0) + time_ns)
        array.header.stamp.sec, array.header.stamp.nanosec = divmod(stamp, 10**9)
        return array


def values(fault: PlannedFault, time_ns: int) -> dict[str, Any]:
    """Return what is published of an active fault."""
    return {'name': fault.name, 'kind': fault.kind, 'point': fault.point, 'camera': fault.camera,
            'intensity': fault.intensity_at(time_ns), 'start_s': fault.start_ns / 1e9,
            'end_s': fault.end_ns / 1e9, 'phase': fault.phase}
