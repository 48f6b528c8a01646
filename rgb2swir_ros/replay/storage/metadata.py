"""Read the ``metadata.yaml`` that rosbag2 writes beside the files of a recording."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any

import yaml

from rgb2swir_ros.replay.storage.base import CDR, Connection, merged, ros_type

METADATA = 'metadata.yaml'
_KEY = 'rosbag2_bagfile_information'
# libyaml's parser, where PyYAML has it: metadata of many topics and files have thousands of lines
_LOADER: Any = getattr(yaml, 'CSafeLoader', yaml.SafeLoader)


def read_metadata(folder: Path) -> dict[str, Any] | None:
    """Return rosbag2's metadata of a recording, or None if there are none that can be read."""
    try:
        told = yaml.load((folder / METADATA).read_text(errors='replace'), _LOADER)
    except (OSError, yaml.YAMLError):
        return None
    about = told.get(_KEY) if isinstance(told, dict) else None
    return about if isinstance(about, dict) else None


def listed_files(about: dict[str, Any]) -> list[str]:
    """Return the names of the files in the metadata, without the folder in old metadata."""
    names = about.get('relative_file_paths')
    return [PurePath(str(name)).name for name in names] if isinstance(names, list) else []


def time_range(about: dict[str, Any] | None) -> tuple[int, int] | None:
    """Return start and duration in nanoseconds by the metadata, None if they do not say so."""
    try:
        assert about is not None
        start = int(about['starting_time']['nanoseconds_since_epoch'])
        return (start, int(about['duration']['nanoseconds'])) if about['message_count'] else None
    except (AssertionError, KeyError, TypeError, ValueError):
        return None


def told_connections(about: dict[str, Any] | None) -> list[Connection]:
    """Return the connections that the metadata list."""
    told = []
    topics = (about or {}).get('topics_with_message_count')
    for entry in topics if isinstance(topics, list) else []:
        try:
            topic = entry['topic_metadata']
            told.append(Connection(
                str(topic['name']), ros_type(str(topic['type'])),
                str(topic.get('serialization_format') or CDR),
                qos=str(topic.get('offered_qos_profiles') or ''),
                count=int(entry['message_count'])))
        except (KeyError, TypeError, ValueError):
            continue
    return merged(told)


def with_announced(found: list[Connection], told: list[Connection]) -> list[Connection]:
    """Return the connections with the larger of the counts found and listed."""
    announced = Counter({connection: connection.count or 0 for connection in told})
    result = []
    for one in found:
        counts = [count for count in (one.count, announced.pop(one, None)) if count is not None]
        result.append(replace(one, count=max(counts) if counts else None))
    return result + [connection for connection in told if connection in announced]
