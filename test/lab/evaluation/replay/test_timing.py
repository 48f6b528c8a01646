"""Frames and times of a replay, by the names of ros2_benchmark."""

from __future__ import annotations

from rgb2swir_ros.lab.evaluation.replay.timing import latency_figures, timing_section
from rgb2swir_ros.replay.run_record import RunRecord, SwirTopic
from rgb2swir_ros.report.model import Table

FATES = {'sent by the camera': 80, 'received by the node': 78, 'translated': 66, 'dropped': 12,
         'recorded': 65}


def camera(**named: object) -> SwirTopic:
    return SwirTopic('/c/image_raw', 'sensor_msgs/msg/Image', '/c/swir/image_raw', **named)


def test_missed_frames_are_those_without_a_swir_frame() -> None:
    offline = RunRecord('bag', cameras=[camera(frames=7, refused={'damaged': 3})])
    live = RunRecord('bag', cameras=[camera(frames=65)],
                     live={'frames': {'c': FATES, 'd': FATES}, 'latency_ms': {'c': {}}})
    assert latency_figures({}, [offline])['missed'] == 3
    assert latency_figures({}, [live])['missed'] == 2 * 15  # dropped, or lost on the way
    assert latency_figures({}, [live, offline])['missed'] == 33


def test_fates_stand_in_the_order_in_which_a_frame_meets_them() -> None:
    live = RunRecord('bag', live={'frames': {'c': FATES}, 'latency_ms': {'c': {}}})
    table = timing_section({}, {'drive': live}).items[0]
    assert isinstance(table, Table)
    assert [column.key for column in table.columns] == ['recording', 'camera', *FATES]
