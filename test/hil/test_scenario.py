"""A scenario is read whole, or its first mistake is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from rgb2swir_ros.checked import Place
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.hil.fault_entries import parse_faults
from rgb2swir_ros.hil.plan import plan
from rgb2swir_ros.hil.scenario import load_scenario
from rgb2swir_ros.resources import share_directory

SAMPLES = sorted((share_directory() / 'config' / 'scenarios').glob('*.yaml'))
TEXT = """name: loss
seed: 7
duration_s: 20
cameras: [front, rear]
source: {kind: video, path: a.mp4, loop: false}
sources:
  rear: {kind: folder, path: pictures}
sensor:
  preset: imx990_high_gain
  output_size: 320x256
  gain: 2
pacing: {latency_ms: 80, rate_hz: 10}
watchdog:
  safe_state: failover
  failover: {kind: drive}
phases:
  - {name: calm, start_s: 0}
  - name: storm
    start_s: 5
    faults:
      - {kind: drop, intensity: 0.5, camera: rear, start_s: 1, end_s: 3}
      - {kind: noise, deviation: 0.2, intensity: [0, 1], point: rgb}
      - {kind: drop}
thresholds:
  - {name: few, measure: missed, at_most: 3, phase: storm, camera: front}
"""


def read(folder: Path, text: str):
    path = folder / 'it.yaml'
    path.write_text(text)
    (folder / 'a.mp4').touch()
    (folder / 'pictures').mkdir(exist_ok=True)
    return load_scenario(path)


def test_a_scenario_has_its_values_and_the_defaults_of_the_others(tmp_path):
    scenario = read(tmp_path, TEXT)
    assert (scenario.seed, scenario.duration_ns, scenario.cameras) == (
        7, 20 * 10**9, ('front', 'rear'))
    assert (scenario.sources['front'].kind, scenario.sources['rear'].path) == ('video', 'pictures')
    assert (scenario.sensor.gain, scenario.sensor.full_well_e, scenario.sensor.seed) == (
        2.0, 2000.0, 7)
    assert [(p.name, p.start_ns, p.end_ns) for p in scenario.phases] == [
        ('calm', 0, 5 * 10**9), ('storm', 5 * 10**9, 20 * 10**9)]
    by_name = {fault.name: fault for fault in scenario.faults}
    assert set(by_name) == {'drop', 'noise', 'drop_2'}
    drop, noise = (next(f for f in scenario.faults if f.fault.kind == kind and f.name in names)
                   for kind, names in (('drop', by_name), ('noise', by_name)))
    rear = next(f for f in scenario.faults if f.camera == 'rear')
    assert (rear.start_ns, rear.end_ns, rear.intensity) == (6 * 10**9, 8 * 10**9, (.5, .5))
    assert drop.point == 'message'
    assert noise.point == 'rgb'
    assert noise.intensity_at(12_500_000_000) == pytest.approx(.5)
    assert not rear.active('front', 7 * 10**9)
    assert rear.active('rear', 6 * 10**9)
    assert not rear.active('rear', 8 * 10**9)
    assert scenario.phase_at(5 * 10**9) == 'storm'


@pytest.mark.parametrize(('before', 'after', 'line', 'says'), [
    ('seed: 7', 'sed: 7', 2, "unknown key 'sed'"),
    ('seed: 7', 'seed: -1', 2, 'seed is -1, but must be a whole number in [0, 2147483647]'),
    ('[front, rear]', '[front, front]', 4, 'cameras is [\'front\', \'front\']'),
    ('kind: video', 'kind: vidio', 5, "source: kind is 'vidio', but must be one of drive, bag"),
    ('path: a.mp4, ', '', 5, "source: a source of the kind 'video' needs a 'path'"),
    ('rear: {kind', 'back: {kind', 7, "sources: unknown key 'back'"),
    ('imx990_high', 'imx9', 9, "sensor: preset: no sensor preset 'imx9_gain'"),
    ('320x256', 'large', 10, "sensor: output_size: 'large' is no size"),
    ('gain: 2', 'gian: 2', 11, "sensor: unknown key 'gian'"),
    ('latency_ms: 80', 'latency_ms: soon', 12, "pacing: latency_ms is 'soon', but must be"),
    ('latency_ms: 80', 'clock: stepped, time: ptp', 12, 'stepped runs on simulated time'),
    ('failover: {kind: drive}', 'failover: {kind: topic, topic: a}', 15, 'must be footage'),
    ('safe_state: failover', 'safe_state: stop', 13, "'failover' has a source, but"),
    ('start_s: 5', 'start_s: 25', 19, 'phases[1]: start_s is 25.0, but must be after'),
    ('name: storm', 'name: calm', 18, "phases[1]: name is 'calm', but must be a word of its own"),
    ('kind: drop, inten', 'kind: dorp, inten', 21, "faults[0]: kind is 'dorp', but must be"),
    ('intensity: 0.5', 'intensity: 1.5', 21, 'faults[0]: intensity is 1.5, but must be a number'),
    ('camera: rear', 'camera: left', 21, "camera is 'left', but must be one of front, rear"),
    ('start_s: 1,', 'start_s: 4,', 21, 'end_s is 3.0, but must be after the start of the fault'),
    ('start_s: 1, end_s: 3', 'start_s: 15', 21, 'start_s is 15.0, but must be before the end of '
     'its phase, which takes 15 s'),
    ('end_s: 3', 'end_s: 16', 21, 'end_s is 16.0, but must be at most 15, the end of its phase'),
    ('deviation: 0.2', 'name: a b', 22, "name is 'a b', but must be a word of its own"),
    ('- {kind: drop}', '- {kind: drop, name: x}\n      - {kind: blur, name: x}', 24,
     "faults[3]: name is 'x', but must be a word of its own"),
    ('path: pictures', 'path: picture', 7, "sources: rear: path is 'picture', but must be the "
     "path of a folder, relative to the scenario's folder: there is nothing"),
    ('path: a.mp4', 'path: "~nobody_here/a.mp4"', 5, "source: path is '~nobody_here/a.mp4'"),
    ('seed: 7', 'seed: 7\nseed: 8', 3, 'given twice: seed'),
    ('cameras: [front', 'cameras: [front: [', 4, 'is no valid YAML: '),
    ('latency_ms: 80', 'latency_ms: 80 ms', 12, "'80 ms', but must be a number in [0, 60000] "
     'without a unit: write 80'),
    ('seed: 7', 'translator: {model: tiny}', 2, "translator: model: no model 'tiny'"),
    ('seed: 7', 'translator:\n  size: 64x64\n  backend: onnx', 4,
     "translator: backend is 'onnx', but must be one of auto, eager"),
    ('seed: 7', 'translator: {precision: half}', 2, "precision is 'half'"),
    ('seed: 7', 'translator: {device: gpu}', 2, "device is 'gpu'"),
    ('at_most: 3', 'at_most: -1', 25, 'thresholds[0]: at_most is -1.0, but must be 0 or more'),
    ('missed, at_most: 3', 'delivered_share, at_least: 99', 25,
     'at_least is 99.0, but must be a share from 0 to 1'),
    ('deviation: 0.2', 'deviation: 2', 22, 'deviation is 2, but must be a number in [0, 1]'),
    ('deviation: 0.2', 'sigma: 2', 22, "unknown key 'sigma'"),
    ('point: rgb', 'point: message', 22, "point is 'message', but must be radiance, rgb"),
    ('measure: missed', 'measure: mist', 25, "thresholds[0]: measure is 'mist'"),
    ('at_most: 3, ', '', 25, "give 'at_most' or 'at_least'"),
    ('phase: storm', 'phase: strom', 25, "phase is 'strom', but must be one of calm, storm"),
])
def test_each_mistake_is_named_with_its_line(tmp_path, before, after, line, says):
    assert before in TEXT
    with pytest.raises(UserError) as caught:
        read(tmp_path, TEXT.replace(before, after, 1))
    assert f'it.yaml, line {line}: ' in str(caught.value)
    assert says in str(caught.value)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize(('measure', 'clock', 'monitor', 'says'), [
    ('arrival_ms_p99', 'stepped', '', 'on simulated time this is not measured'),
    ('response_ms_p99', 'stepped', '/a', 'on simulated time this is not measured'),
    ('response_ms_p99', 'wall', '', "unless 'monitor' has a topic: nobody answers"),
    ('unanswered', 'wall', '', "unless 'monitor' has a topic: nobody answers"),
    ('unanswered', 'stepped', '/a', ''), ('response_ms_p99', 'wall', '/a', '')])
def test_a_threshold_of_what_is_never_measured_is_refused(tmp_path, measure, clock, monitor, says):
    text = TEXT.replace('measure: missed', f'measure: {measure}').replace(
        'latency_ms: 80', f'clock: {clock}').replace('seed: 7', f"monitor: {{topic: '{monitor}'}}")
    if not says:
        assert read(tmp_path, text).thresholds[0].measure == measure
        return
    with pytest.raises(UserError, match=rf"line 25: thresholds\[0\]: measure is '{measure}', but "
                                        f'must be another one.*{says}'):
        read(tmp_path, text)


def test_a_live_topic_needs_the_wall_clock(tmp_path):
    text = TEXT.replace('latency_ms: 80', 'clock: stepped').replace(
        'kind: folder, path: pictures', 'kind: topic, topic: /a')
    with pytest.raises(UserError, match=r"line 7: sources: rear: kind is 'topic', but must be f"):
        read(tmp_path, text)


def test_faults_of_the_machine_need_the_wall_clock(tmp_path):
    text = TEXT.replace('latency_ms: 80', 'clock: stepped').replace(
        '- {kind: drop}', '- {kind: cpu_load}')
    with pytest.raises(UserError, match=r'line 23: .*no fault of the machine'):
        read(tmp_path, text)


def test_a_fault_given_at_run_time_is_checked_in_the_same_way():
    where = Place('parameter', keys=('inject',))
    fault, = parse_faults([{'kind': 'blur', 'end_s': 2}], where, cameras=['a'], start_ns=10**9,
                          end_ns=10**12)
    assert (fault.start_ns, fault.end_ns, fault.kind) == (10**9, 3 * 10**9, 'blur')
    with pytest.raises(UserError, match=r"parameter: inject\[0\]: kind is 'blue'"):
        parse_faults([{'kind': 'blue'}], where, cameras=['a'], start_ns=0, end_ns=10)


@pytest.mark.parametrize('path', SAMPLES, ids=lambda path: path.stem)
def test_the_samples_are_valid_and_their_plan_names_every_fault(path):
    scenario = load_scenario(path)
    assert scenario.name == path.stem
    assert scenario.duration_ns <= 60 * 10**9
    assert scenario.thresholds
    text = plan(scenario)
    for name in [*(f.name for f in scenario.faults), *(p.name for p in scenario.phases),
                 *(t.name for t in scenario.thresholds)]:
        assert name in text


def test_the_samples_are_there():
    assert {path.stem for path in SAMPLES} == {
        'nominal', 'camera_loss', 'overload', 'sensor_ageing'}


def _places(node, path=()):
    """Yield the path of every value of nested mappings and lists."""
    for key, value in (node.items() if isinstance(node, dict) else enumerate(node)):
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from _places(value, (*path, key))


WRONG = [None, [], {}, [1, 'a'], {'a': 1}, float('nan'), -1, True, '']


@pytest.mark.parametrize('shift', [0, 4])
def test_whatever_stands_in_the_place_of_a_value_there_is_one_clear_line_or_none(tmp_path, shift):
    told = []
    for number, path in enumerate(_places(yaml.safe_load(TEXT))):
        content = yaml.safe_load(TEXT)
        node = content
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] = WRONG[(number + shift) % len(WRONG)]
        try:
            read(tmp_path, yaml.safe_dump(content))
        except UserError as error:
            told.append(str(error))
    assert len(told) > 30
    assert all(text.startswith(str(tmp_path / 'it.yaml')) for text in told)
    assert not any('\n' in text for text in told)
