"""The Foxglove layout: its panels fit together and look at what the node publishes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from rgb2swir_ros.demo.latency import TOTAL
from rgb2swir_ros.resources import share_directory

CAMERA = 'camera'  # the node's default
TOPICS = {f'/{CAMERA}/image_raw', f'/{CAMERA}/camera_info', f'/{CAMERA}/swir/image_raw',
          f'/{CAMERA}/swir/camera_info', '/translator/timing', '/diagnostics'}
PANELS = {'Image', 'Plot', 'DiagnosticSummary', 'DiagnosticStatusPanel'}
# https://docs.foxglove.dev/docs/visualization/message-path-syntax: names, indices or slices of
# arrays, and filters
PATH = re.compile(r'(?P<topic>/[\w/]+)((\.\w+)(\[-?\d*:?-?\d*\])?(\{\w+==("[^"]*"|-?\d+)\})?)*')
LAYOUT = json.loads((share_directory() / 'config' / 'foxglove.json').read_text())


def leaves(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
        return
    assert set(node) == {'direction', 'first', 'second', 'splitPercentage'}
    assert node['direction'] in {'row', 'column'}
    assert 0 < node['splitPercentage'] < 100
    yield from leaves(node['first'])
    yield from leaves(node['second'])


def paths() -> list[str]:
    return [series['value'] for config in LAYOUT['configById'].values()
            for series in config.get('paths', ())]


def test_every_panel_has_its_place_and_its_settings() -> None:
    assert set(LAYOUT) == {'configById', 'globalVariables', 'userNodes', 'playbackConfig',
                           'layout'}
    shown = list(leaves(LAYOUT['layout']))
    assert len(shown) == len(set(shown))
    assert set(shown) == set(LAYOUT['configById'])
    assert {name.partition('!')[0] for name in shown} == PANELS
    assert all(name.partition('!')[2] for name in shown)


def test_it_looks_at_the_nodes_topics() -> None:
    looked_at = {PATH.fullmatch(path)['topic'] for path in paths()}
    for name, config in LAYOUT['configById'].items():
        if name.startswith('Image!'):
            mode = config['imageMode']
            looked_at |= {mode['imageTopic'], mode['calibrationTopic']}
        elif name.startswith('Diagnostic'):
            looked_at.add(config['topicToRender'])
    assert looked_at == TOPICS
    status = LAYOUT['configById']['DiagnosticStatusPanel!camera']
    # hardware_id and name as in `rgb2swir_ros.ros.diagnostics.CameraReport`
    assert (status['selectedHardwareId'], status['selectedName']) == (
        f'/{CAMERA}/swir/image_raw', f'/translator: camera {CAMERA}')


def test_its_plots_show_what_the_node_measures_and_counts() -> None:
    pytest.importorskip('rclpy')
    from rgb2swir_ros.ros.diagnostics import ALWAYS
    from rgb2swir_ros.ros.timing import STAGES, Stopwatch
    keys: dict[str, set[str]] = {}
    for path in paths():
        found = PATH.fullmatch(path)
        filters = re.findall(r'\{key=="(\w+)"\}', path)
        assert len(filters) == 1
        keys.setdefault(found['topic'], set()).update(filters)
    assert keys['/translator/timing'] == set(Stopwatch().report(0.0))
    assert {*STAGES, TOTAL} <= keys['/translator/timing']
    assert keys['/diagnostics'] <= {*ALWAYS, 'received', 'lost_transport'}
    names = set(re.findall(r'\{name=="([^"]+)"\}', ' '.join(paths())))
    assert names == {f'/translator: camera {CAMERA}'}
