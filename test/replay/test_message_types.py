"""The types of ROS 2 are one for the process, and stay those of ROS 2."""

from rosbags.typesys import Stores, get_typestore, store

from rgb2swir_ros.replay.bag import CameraBag
from rgb2swir_ros.replay.copying import Copier
from rgb2swir_ros.replay.message_types import message_types
from rgb2swir_ros.replay.storage.base import ROS1, Connection

from .footage import START, image, picture, write_bag


def test_the_code_of_a_type_is_generated_once_for_all_bags(tmp_path, monkeypatch):
    bag = write_bag(tmp_path / 'bag', [('/front/image_raw', image(picture(0), START))])
    message_types.cache_clear()
    generated, original = [], store.generate_deserialize_cdr

    def noted(*arguments):
        generated.append(arguments)
        return original(*arguments)

    monkeypatch.setattr(store, 'generate_deserialize_cdr', noted)
    CameraBag(bag)
    first = len(generated)
    assert first > 0
    CameraBag(bag)
    assert len(generated) == first


def test_types_of_a_recording_are_known_to_no_other(tmp_path):
    copier = Copier([Connection('/own', 'own_msgs/msg/Thing', ROS1, 'ros1msg', b'int32 number\n',
                                '', 1)], set())
    assert [one.topic for one in copier.outputs] == ['/own']
    assert 'own_msgs/msg/Thing' not in message_types().fielddefs
    assert message_types().fielddefs == get_typestore(Stores.ROS2_JAZZY).fielddefs
