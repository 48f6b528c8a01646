"""The ``/diagnostics`` statuses of a camera and of the engine: level, message and values."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus

from rgb2swir_ros.engines.client import EngineStatus
from rgb2swir_ros.imaging.fit import fit_size
from rgb2swir_ros.ros.camera import Camera
from rgb2swir_ros.ros.messages import key_values
from rgb2swir_ros.ros.parameters import Settings
from rgb2swir_ros.sizes import format_size

OK, WARN = DiagnosticStatus.OK, DiagnosticStatus.WARN
ERROR, STALE = DiagnosticStatus.ERROR, DiagnosticStatus.STALE

# Reported from the start, so that a plot has its series; other counts from their first event on.
ALWAYS = ('translated', 'dropped_overwritten', 'dropped_engine_not_ready',
          'dropped_engine_failed', 'dropped_late', 'dropped_idle')
RECENT_NS = 5 * 10**9
SILENT_NS = 2 * 10**9
STARTUP_GRACE_NS = 5 * 10**9  # for a driver that is launched together with the node
ENGINE_LEVELS = {'ready': OK, 'starting': WARN, 'building': WARN, 'restarting': WARN,
                 'failed': ERROR, 'stopped': STALE}
PROBLEMS = (  # (count, message): a count that has grown in the last seconds is a warning
    ('lost_transport', '{} frames lost by the middleware: see lost_advice'),
    ('lost_events', 'the middleware reports {} frames lost: see lost_advice'),
    ('dropped_engine_failed', '{} frames dropped: the engine failed'),
    ('dropped_engine_not_ready', '{} frames dropped: the engine is not ready'),
    ('dropped_late', '{} frames dropped: older than max_age_ms'),
    ('dropped_error', '{} frames dropped: see last_refusal'),
    ('future_stamps', '{} stamps lie in the future: clocks not synchronised, '
     'or use_sim_time without /clock'),
    ('incompatible_qos', 'publisher or subscriber with an incompatible QoS: see the log'),
    ('camera_info_mismatch', 'camera_info is for images of another size'),
)
# These are not logged from here: the camera, the worker or the engine logs them with details.
REPORTED_ELSEWHERE = {'lost_transport', 'lost_events', 'dropped_engine_failed', 'incompatible_qos',
                  'dropped_engine_not_ready', 'dropped_error'}


class CameraReport:
    """Builds the status of one camera, with the counts of the last seconds.

    :ivar warnings: set by ``status``: the texts to log, by kind of problem.
    """

    def __init__(self, camera: Camera, node: str) -> None:
        """Take the camera.

        :param node: the node's full name, so that statuses of several nodes differ.
        """
        self.camera = camera
        self.warnings: dict[str, str] = {}
        self._name = f'{node}: camera {camera.name}'
        self._history: deque[tuple[int, dict[str, int]]] = deque()

    def status(self, settings: Settings, engine: EngineStatus, *, advice: str,
               active: bool) -> DiagnosticStatus:
        """Return the status as of now.

        :param advice: the remedy for frames that the middleware loses.
        :param active: whether the node is active.
        """
        camera, now = self.camera, time.monotonic_ns()
        self.warnings = {}
        counts = self._counts()
        recent = self._recent(now, counts)
        rate, stamp_rate = camera.departures.rates(now)
        input_rate, _ = camera.arrivals.rates(now)
        level, text = self._evaluate(now, settings, engine, recent, rate, active)
        if others := camera.outputs.other_publishers():
            others = f'another node publishes this output, too: {others}'
            self.warnings['other_publishers'] = others
            level, text = WARN if level == OK else level, f'{text}; {others}'
        values: dict[str, Any] = dict(counts)
        values |= {
            'frame_rate_node': rate, 'frame_rate_msg': stamp_rate, 'input_rate': input_rate,
            'current_delay_from_realtime_ms': _last(camera.ages.values(now)),
            'expected_frequency': settings.expected_frequency, 'tolerance': settings.tolerance,
            **_percentiles('total_ms', camera.departures.values(now)),
            **_percentiles('age_ms', camera.ages.values(now)),
            **_novelty(camera.novelties.values(now)),
            'input': camera.input.name,
            'source_size': format_size(camera.source_size) if camera.source_size else 'unknown',
        }
        if counts['lost_transport'] or counts.get('lost_events'):
            values['lost_advice'] = advice
        if camera.refusal:
            values['last_refusal'] = camera.refusal
        return DiagnosticStatus(
            level=level, name=self._name, message=text,
            hardware_id=camera.topics.swir.name, values=key_values(values))

    def _counts(self) -> dict[str, int]:
        counts = {**dict.fromkeys(ALWAYS, 0), **self.camera.mailbox.snapshot()}
        counts['lost_transport'] = self.camera.lost
        counts |= self.camera.counts
        if qos := counts.get('incompatible_qos', 0) + self.camera.outputs.incompatible_qos:
            counts['incompatible_qos'] = qos
        return counts

    def _recent(self, now: int, counts: Mapping[str, int]) -> dict[str, int]:
        """Return the increase of each count in the last seconds."""
        self._history.append((now, dict(counts)))
        while len(self._history) > 2 and self._history[1][0] < now - RECENT_NS:
            self._history.popleft()
        before = self._history[0][1] if len(self._history) > 1 else {}
        return {key: value - before.get(key, 0) for key, value in counts.items()}

    def _evaluate(self, now: int, settings: Settings, engine: EngineStatus,
               recent: Mapping[str, int], rate: float, active: bool) -> tuple[bytes, str]:
        camera = self.camera
        if not active:
            return STALE, 'the node is not active'
        if failure := _failure(camera, settings, engine):
            return ERROR, failure
        refused = any(n for key, n in recent.items() if key.startswith('refused_'))
        silent_ns = now - max(camera.last_arrival_ns, camera.listening_since_ns)
        if not camera.outputs.has_subscribers() and not refused:
            if camera.source_size:
                return OK, 'idle: no subscribers'
            if silent_ns > STARTUP_GRACE_NS:
                self.warnings['silence'] = self._silence(now)
            return OK, 'idle: no subscribers; waiting for the first image or camera_info'
        if silent_ns > SILENT_NS:
            text = self._silence(now)
            if silent_ns > STARTUP_GRACE_NS:
                self.warnings['silence'] = text
            return STALE, text
        return self._evaluate_stream(settings, recent, rate)

    def _evaluate_stream(self, settings: Settings, recent: Mapping[str, int],
                      rate: float) -> tuple[bytes, str]:
        problems: dict[str, str] = {}
        refused = {key: n for key, n in recent.items() if key.startswith('refused_') and n}
        for key, n in refused.items():
            reason = self.camera.refusals.get(key.removeprefix('refused_'), '')
            problems[key] = f"{n} image{'s' * (n > 1)} refused: {reason}"
        problems |= {key: text.format(recent[key]) for key, text in PROBLEMS
                     if recent.get(key, 0) > 0}
        if strange := _strangeness(self.camera.novelties.values(time.monotonic_ns())):
            problems['input_novelty'] = strange
        expected = settings.expected_frequency
        if expected and abs(rate - expected) > expected * settings.tolerance / 100:
            problems['rate'] = f'{rate:.1f} Hz instead of {expected:g} Hz'
        self.warnings |= {key: text for key, text in problems.items()
                          if key not in REPORTED_ELSEWHERE}
        if problems:
            level = ERROR if refused and not recent['translated'] else WARN
            return level, '; '.join(problems.values())
        return OK, f'translating at {rate:.1f} Hz' if rate else 'waiting for the first frames'

    def _silence(self, now: int) -> str:
        camera = self.camera
        since = f' for {(now - camera.last_arrival_ns) / 1e9:.0f} s' if camera.last_arrival_ns \
            else ' so far'
        kinds = ('raw', 'compressed')
        if camera.publishers(camera.transport):
            why = f'{camera.input} has a publisher, but nothing arrives'
            if camera.counts['incompatible_qos']:
                why += ': it has an incompatible QoS, see the log'
        elif others := [kind for kind in kinds if camera.publishers(kind)]:
            why = (f'input_transport is {camera.transport}, but only '
                   f'{camera.topic(others[0])} has a publisher')
        else:
            why = 'no publisher of ' + ' or '.join(str(camera.topic(kind)) for kind in kinds)
        return f'no image{since}: {why}'


def _failure(camera: Camera, settings: Settings, engine: EngineStatus) -> str:
    """Return why there is no engine for a camera's frames; empty if none has failed."""
    if engine.state == 'failed' and not engine.failed:
        return f'the engine failed: {engine.detail}'
    if camera.source_size is None:
        return ''
    size = fit_size(camera.source_size, settings.size)
    reason = engine.failed.get(size)
    return f'the engine for {format_size(size)} failed: {reason}' if reason else ''


def engine_status(settings: Settings, status: EngineStatus, node: str) -> DiagnosticStatus:
    """Return the status of the engine process.

    :param node: the node's full name.
    """
    values: dict[str, Any] = {
        'state': status.state, 'detail': status.detail, 'restarts': status.restarts,
        'model': settings.model, 'backend': settings.backend, 'precision': settings.precision}
    if status.heartbeat_age_s is not None:
        values['heartbeat_age_s'] = float(status.heartbeat_age_s)
    device = ''
    for size, about in status.engines.items():
        # what 'auto' was resolved to; the same for all sizes
        values |= {key: about[key] for key in ('backend', 'precision') if key in about}
        device = str(about.get('device', device))
        values |= {f'{format_size(size)} {key}': value for key, value in about.items()}
    values |= {f'{format_size(size)} failure': reason for size, reason in status.failed.items()}
    text = f'{status.state}: {status.detail}' if status.detail else status.state
    level = ENGINE_LEVELS.get(status.state, WARN)
    if level == OK and status.failed:
        level = WARN  # the affected cameras report ERROR
    return DiagnosticStatus(
        level=level, name=f'{node}: engine', message=text,
        hardware_id=' on '.join(part for part in (settings.model, device) if part),
        values=key_values(values))


def _last(values: list[float]) -> float:
    return values[-1] if values else 0.0


def _novelty(values: list[float]) -> dict[str, Any]:
    """Return how far the frames of the last seconds were from what the model knows."""
    if not values:
        return {}
    return {'input_novelty': float(np.median(values)),
            'input_known_share': float(np.mean(np.array(values) <= 0)),
            'input_state': 'unknown to the model' if _strangeness(values) else 'known'}


def _strangeness(values: list[float]) -> str:
    """Return a warning if most frames of the last seconds are unlike what the model knows."""
    median = float(np.median(values)) if values else 0.0
    return (f'the input is unlike what the model has learned from (novelty {median:.1f}, '
            'above 0): do not rely on its SWIR frames') if median > 0 else ''


def _percentiles(name: str, values: list[float]) -> dict[str, float]:
    if not values:
        return {}
    return {f'{name}_p{q}': float(np.percentile(values, q)) for q in (50, 99)}
