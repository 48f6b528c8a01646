"""The measures that thresholds may limit: their names, units and meanings."""

from __future__ import annotations

MEASURES: dict[str, str] = {
    # what the bench counts itself
    'frames_due': 'frames: that the sources supplied in the time',
    'delivered_share': 'share: of the frames due that left in time, 0 to 1; those that a fault '
                       'lost are not due',
    'missed': 'frames: due, but not ready in time',
    'late': 'frames: left later than due by more than the tolerance',
    'dropped': 'frames: lost before they were due: overwritten, refused, no engine',
    'pacing_error_ms_p99': 'ms: 99th percentile of the difference between departure and due time',
    'pacing_error_ms_max': 'ms: the largest of them',
    'jitter_ms_p99': 'ms: 99th percentile of the difference between the interval of two '
                     'departures and that of their due times',
    'deadline_missed': 'events: QoS deadlines missed by the publisher; of the whole run',
    'liveliness_lost': 'events: QoS liveliness lost by the publisher; of the whole run',
    # what an outside process received
    'arrival_ms_p50': 'ms: median of arrival at an outside process - stamp',
    'arrival_ms_p99': 'ms: 99th percentile of it',
    'arrival_ms_max': 'ms: the largest of it',
    'observer_lost': 'frames: left here and did not arrive there',
    # faults and the watchdog
    'recovery_frames_max': 'frames: the first whole one after the end of a fault, counted from 1',
    'silence_detection_ms_max': 'ms: from the last frame + three periods to its detection',
    'crash_detection_ms_max': 'ms: from the death of the engine process to its detection',
    'hang_detection_ms_max': 'ms: from the stop of the engine process to its detection',
    'engine_recovery_s_max': 's: from the detection until frames are translated again',
    'stale_frames': 'frames: sent in the safe state though they should not have been',
    # the closed loop
    'response_ms_p50': "ms: median of the response's arrival - the frame's stamp",
    'response_ms_p99': 'ms: 99th percentile of it',
    'response_ms_max': 'ms: the largest of it',
    'unanswered': 'frames: arrived, and never answered',
}

# Those that are known of the whole run only
OF_THE_RUN = ('deadline_missed', 'liveliness_lost')
