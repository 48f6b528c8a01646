"""The closed loop: responder and monitor in processes of their own, and a verdict as exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import types
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest

from rgb2swir_ros.cli.main import main
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.hil import conduct
from rgb2swir_ros.hil.detections import DetectionResponder
from rgb2swir_ros.hil.evidence import write_evidence
from rgb2swir_ros.hil.figures import Figures
from rgb2swir_ros.hil.monitor import message_class
from rgb2swir_ros.hil.responders import load_responder, responder_kinds
from rgb2swir_ros.hil.result import SENT
from rgb2swir_ros.hil.scenario import load_scenario

pytestmark = pytest.mark.ros
LOOP = {'topic': '/sut/answers', 'responder': 'brightness'}


def image(encoding='mono16', fill=4095, **changes):
    pixels = np.full((48, 64), fill, np.uint16 if encoding == 'mono16' else np.uint8)
    fields = {'height': 48, 'width': 64, 'encoding': encoding, 'is_bigendian': 0,
              'step': pixels.strides[0], 'data': pixels.tobytes(), 'header': None}
    return SimpleNamespace(**(fields | changes))


@pytest.fixture(scope='module')
def looped(bench):
    """Return scenario, records and folder of a short run with the loop closed."""
    return bench({'name': 'loop', 'duration_s': 4, 'monitor': LOOP,
                  'pacing': {'rate_hz': 10, 'latency_ms': 150, 'tolerance_ms': 50},
                  'thresholds': [
                      {'name': 'answered', 'measure': 'response_ms_p50', 'at_most': 10_000},
                      {'name': 'too_much', 'measure': 'response_ms_p50', 'at_most': 150}]})


def test_each_frame_is_answered_and_its_age_is_measured_from_the_stamp(looped):
    scenario, records, _ = looped
    assert records.responses.topic == '/sut/answers'
    sent = [frame for frame in records.run.frames if frame.outcome in SENT]
    assert len(sent) > 30
    assert {stamp for stamp, _, _ in records.responses.responses} == {f.stamp_ns for f in sent}
    figures = Figures(scenario, records.run, records.observation, records.responses)
    assert figures.value('unanswered') == 0
    by_index = {frame.index: age for frame, age in figures.answers}
    for frame, _ in figures.arrived:  # an answer comes after the latency
        assert by_index[frame.index] > 150
    assert figures.value('response_ms_p50') > 150
    assert len(by_index) == len(sent)


def test_a_loop_that_is_too_slow_fails_its_case(looped):
    scenario, records, folder = looped
    result = write_evidence(scenario, records, folder)
    checks = {check.name: check.verdict for check in result.checks}
    assert checks['threshold.answered'] == 'pass'
    assert checks['threshold.too_much'] == 'fail'
    assert json.loads((folder / 'responses.json').read_text())['responses']
    assert (folder / 'logs/responder.log').is_file()


def test_a_failed_threshold_is_the_exit_code_of_the_command(bench, looped, capsys):
    path = looped[0].path.with_name('failing.yaml')
    text = looped[0].path.read_text().replace('name: loop', 'name: failing')
    path.write_text(text.replace('duration_s: 4', 'duration_s: 2'))
    output = path.parent / 'out_failing'
    code = main(['hil', str(path), '-o', str(output), '--transport', 'local', '--json'])
    printed = json.loads(capsys.readouterr().out)
    checks = {check['name']: check['verdict'] for check in printed['checks']}
    assert checks['threshold.too_much'] == 'fail'
    # a machine that is too busy may make it inconclusive, but never a pass
    assert code == printed['exit_code'] == {'fail': 1, 'inconclusive': 3}[printed['verdict']]
    assert (code == 3) == ('inconclusive' in checks.values())
    root = ElementTree.parse(output / 'junit.xml').getroot()
    assert int(root.get('failures')) >= 1
    for name in ('report.json', 'report.html', 'bag/metadata.yaml', 'run.json',
                 'observation.json', 'responses.json', 'logs/monitor.log'):
        assert (output / name).is_file(), name


def test_a_process_that_breaks_off_is_an_error_of_the_run_and_leaves_evidence(bench, monkeypatch):
    started = {}

    class Watched(conduct.Process):
        def __init__(self, name, *words):
            started[name] = self
            super().__init__(name, *words)

        def _take(self, line):
            super()._take(line)
            if self.name == 'hil_node' and 'running broken' in line:
                threading.Timer(1.0, started['observer'].kill).start()
    monkeypatch.setattr(conduct, 'Process', Watched)
    scenario, records, folder = bench({
        'name': 'broken', 'duration_s': 30, 'pacing': {'rate_hz': 10, 'latency_ms': 150}})
    assert 'the observer ended during the run' in records.run.error
    assert 0 < len(records.run.frames) < 250  # what the node has counted until then
    result = write_evidence(scenario, records, folder)
    assert result.exit_code == 4
    root = ElementTree.parse(folder / 'junit.xml').getroot()
    case, = (one for one in root.iter('testcase') if one.get('name') == 'rule.run_whole')
    assert case.find('error').get('type') == 'error'


def test_ctrl_c_ends_the_run_and_leaves_evidence_of_what_there_was(looped):
    path = looped[0].path.with_name('stopped.yaml')
    text = looped[0].path.read_text().replace('name: loop', 'name: stopped')
    path.write_text(text.replace('duration_s: 4', 'duration_s: 60'))
    output = path.parent / 'out_stopped'
    process = subprocess.Popen(
        [sys.executable, '-m', 'rgb2swir_ros.cli.main', 'hil', str(path), '-o', str(output),
         '--transport', 'local'], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    said = []
    for line in process.stderr:
        said.append(line)
        if 'running stopped' in line:
            time.sleep(1)
            process.send_signal(signal.SIGINT)
    process.stderr.close()
    assert process.wait(60) == 130, said
    assert said[-1] == 'rgb2swir hil: interrupted\n'
    assert json.loads((output / 'report.json').read_text())['verdict'] == 'error'
    run = json.loads((output / 'run.json').read_text())
    assert 'interrupted' in run['error']
    assert 0 < len(run['frames']) < 300
    log = (output / 'logs/hil_node.log').read_text()
    assert 'Traceback' not in log
    assert 'context is invalid' not in log


def responding(name: str, line: str) -> dict[str, str]:
    """Return a detector, as a class that a process of the bench can import."""
    folder = Path(os.environ['PYTHONPATH'].partition(os.pathsep)[0])
    (folder / f'{name}.py').write_text(f"""
import time
from rgb2swir_ros.hil.responders import BrightnessResponder


class Responder(BrightnessResponder):
    def respond(self, image):
        {line}
        return super().respond(image)
""")
    return {'detector': f'{name}:Responder'}


def test_a_slow_responder_answers_every_frame_of_a_stepped_run(bench):
    _, records, _ = bench({
        'name': 'stepped_loop', 'duration_s': 3, 'pacing': {'clock': 'stepped', 'rate_hz': 10},
        'monitor': {'topic': '/answers', 'responder': 'detector'}},
        responders=responding('slow', 'time.sleep(0.1)'))
    assert {stamp for stamp, _, _ in records.responses.responses} == {
        frame.stamp_ns for frame in records.run.frames}
    assert len(records.responses.responses) == 30


def test_a_responder_that_breaks_off_is_named(bench):
    _, records, _ = bench({'name': 'forgetful', 'duration_s': 30,
                           'monitor': {'topic': '/answers', 'responder': 'detector'},
                           'pacing': {'rate_hz': 10, 'latency_ms': 150}},
                          responders=responding('forgetful', "raise KeyError('the key')"))
    assert "the responder ended during the run: KeyError: 'the key'" in records.run.error
    assert len(records.run.frames) < 250


class Model:
    """Finds one person in each frame, and keeps what it was shown."""

    classes = ('car', 'person')

    def __init__(self):
        self.seen = []

    def detect(self, display_values):
        self.seen.extend(display_values)
        return [SimpleNamespace(boxes=np.array([[1, 2, 5, 8.]]), scores=np.array([.75]),
                                labels=np.array([1]))]


def test_the_detector_answers_with_what_it_finds(monkeypatch):
    pytest.importorskip('diagnostic_msgs')
    monkeypatch.setitem(sys.modules, 'vision_msgs', None)  # not installed
    model = Model()
    answer = DetectionResponder(model).respond(image())
    assert model.seen[0].dtype == np.float32
    assert model.seen[0].shape == (48, 64)
    assert model.seen[0].min() == 1  # full scale of 12 bits
    status, = answer.status
    values = {one.key: one.value for one in status.values}
    assert values['class'] == status.message == 'person'
    assert float(values['score']) == .75
    assert float(values['right']) == 5
    assert DetectionResponder(Model()).respond(image(data=b'12')) is None
    DetectionResponder(model, 8).respond(image('mono8', 51))
    assert model.seen[-1].max() == pytest.approx(.2)


def message_kind(name, **kinds):
    """Return a class as rosidl makes one: fields of fixed types, and no others."""
    class Kind:
        __slots__ = tuple(kinds)

        def __init__(self, **given):
            for field, kind in kinds.items():
                setattr(self, field, given.pop(field) if field in given else kind())
            assert not given, f'{name} has no {list(given)}'

        def __setattr__(self, field, value):
            assert isinstance(value, kinds[field]), f'{name}.{field}: {value!r}'
            object.__setattr__(self, field, value)
    Kind.__name__ = name
    return Kind


def vision_messages():
    """Return a stand-in for the module ``vision_msgs.msg``, fields as of its version 4."""
    pose = message_kind('Pose2D', position=message_kind('Point2D', x=float, y=float),
                        theta=float)
    guess = message_kind('ObjectHypothesisWithPose', hypothesis=message_kind(
        'ObjectHypothesis', class_id=str, score=float), pose=object)
    detection = message_kind(
        'Detection2D', header=SimpleNamespace, results=list, id=str, bbox=message_kind(
            'BoundingBox2D', center=pose, size_x=float, size_y=float))
    return {kind.__name__: kind for kind in (guess, detection, message_kind(
        'Detection2DArray', header=SimpleNamespace, detections=list))}


def test_the_detector_answers_with_vision_msgs_where_they_are(monkeypatch):
    package, module = types.ModuleType('vision_msgs'), types.ModuleType('vision_msgs.msg')
    module.__dict__.update(vision_messages())
    monkeypatch.setitem(sys.modules, 'vision_msgs', package)
    monkeypatch.setitem(sys.modules, 'vision_msgs.msg', module)
    header = SimpleNamespace(stamp=12, frame_id='front')
    answer = DetectionResponder(Model()).respond(image(header=header))
    assert type(answer).__name__ == 'Detection2DArray'
    found, = answer.detections
    assert found.header is header  # trackers read each detection's own
    center, guess = found.bbox.center, found.results[0].hypothesis
    assert (center.position.x, center.position.y, center.theta) == (3, 5, 0)
    assert (found.bbox.size_x, found.bbox.size_y) == (4, 6)
    assert (guess.class_id, guess.score) == ('person', .75)
    nothing = SimpleNamespace(boxes=np.zeros((0, 4)), scores=np.zeros(0), labels=np.zeros(0, int))
    empty = DetectionResponder(SimpleNamespace(classes=(), detect=lambda _: [nothing]))
    assert empty.respond(image(header=header)).detections == []


def test_the_package_s_detector_is_the_responder_of_that_name():
    pytest.importorskip('torch')
    pytest.importorskip('diagnostic_msgs')
    from rgb2swir_ros.cli.hil import RESPONDERS
    responder = load_responder(responder_kinds(RESPONDERS)['detector'], {})
    assert responder.respond(image(fill=400)) is not None
    with pytest.raises(UserError, match="no option 'modle'"):
        load_responder(RESPONDERS['detector'], {'modle': 'x'})
    with pytest.raises(UserError, match="'bits' is 99"):
        load_responder(RESPONDERS['detector'], {'bits': 99})


@pytest.mark.parametrize(('name', 'says'), [
    ('nothing/msg/Here', "'nothing/msg/Here' cannot be imported"),
    ('std_msgs/msg/String', 'do not begin with a header')])
def test_a_message_without_a_stamp_is_refused(name, says):
    pytest.importorskip('std_msgs')
    with pytest.raises(UserError, match=says):
        message_class(name)


@pytest.mark.parametrize(('place', 'says'), [
    ('rgb2swir_ros.nothing:X', 'cannot be loaded'),
    ('rgb2swir_ros.hil.responders:Nothing', 'cannot be loaded')])
def test_a_responder_that_is_none_is_refused(place, says):
    with pytest.raises(UserError, match=says):
        load_responder(place, {})


@pytest.mark.parametrize(('monitor', 'says'), [
    ('{topic: /a, responder: brihgtness}', "responder is 'brihgtness'"),
    ('{responder: brightness}', "together with a 'topic'")])
def test_a_wrong_loop_is_named_with_its_line(tmp_path, monitor, says):
    path = tmp_path / 'a.yaml'
    path.write_text(f'name: a\nmonitor: {monitor}\n')
    with pytest.raises(UserError, match=r'line 2') as caught:
        load_scenario(path)
    assert says in str(caught.value)
