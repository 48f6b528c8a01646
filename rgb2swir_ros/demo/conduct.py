"""Run the demo's three processes, and collect their counts."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rgb2swir_ros.demo.children import ChildError, Children, DemoProcess
from rgb2swir_ros.demo.footage import Footage
from rgb2swir_ros.imaging.fit import fit_size
from rgb2swir_ros.replay import drive
from rgb2swir_ros.ros.domain import claim_domain, release_domain
from rgb2swir_ros.ros.transport import local_environment
from rgb2swir_ros.sizes import format_size

START_S = 60.0
ENGINE_S = 300.0  # compiling on a busy machine; a cached engine loads in a second
READ_S = 120.0
CAMERA = 'camera'


@dataclass(frozen=True)
class DemoOptions:
    """The settings of a demo.

    :param input: a path, or None for the built-in drive.
    :param box: (height, width) that frames are scaled down to fit.
    :param rate_hz: frames per second; 0 is the rate of the recording.
    """

    input: Path | None
    seconds: float
    model: str = 'nano'
    box: tuple[int, int] = (512, 640)
    backend: str = 'auto'
    rate_hz: float = 0.0
    topic: str | None = None


@dataclass(frozen=True)
class Run:
    """The records of a run.

    :param sent: (stamp, monotonic time) of each frame sent, in nanoseconds.
    :param arrived: the same for each frame recorded.
    :param camera: the values of the node's last status of its camera.
    :param engine: the values of its last status of the engine.
    :param broke_off: why the footage could not be read to its end, or ''.
    """

    footage: Footage
    sent: list[tuple[int, int]]
    arrived: list[tuple[int, int]]
    camera: dict[str, str]
    engine: dict[str, str]
    broke_off: str
    bag_counts: dict[str, int]


class Conductor:
    """One run of the demo."""

    def __init__(self, options: DemoOptions, bag: Path, logs: Path, work: Path,
                 say: Callable[[str], None]) -> None:
        """Prepare.

        :param bag: where the recorder writes its bag.
        :param logs: folder for the processes' logs.
        :param work: folder for what is needed only during the run.
        :param say: called with one line at each new step.
        """
        self._options, self._bag, self._logs, self._work = options, bag, logs, work
        self._say = say
        self._domain_id = claim_domain()
        self._environment = local_environment(domain_id=self._domain_id)
        self._environment['ROS_LOG_DIR'] = str(work / 'ros_logs')
        self._children = Children()
        self._told: dict[str, Any] = {}
        self._engine_step = ''
        self._engine_since = time.monotonic()

    def run(self) -> Run:
        """Start the processes, send the frames, wait for the last ones, and stop.

        All processes have ended when this returns or raises.

        :raises UserError: if a process fails; the text has the last lines of its log.
        """
        try:
            return self._run()
        finally:
            release_domain(self._domain_id)

    def _run(self) -> Run:
        footage = Footage(drive.FILE if self._options.input is None else self._options.input,
                          self._options.seconds, self._options.topic)
        with self._children:
            self._say('starting recorder and translator')
            recorder = self._start_recorder(footage)
            translator = self._start_translator(footage)
            camera = self._start_camera(footage)
            self._await_engine(recorder, footage.size)
            self._say('waiting for the camera to read ahead')
            self._children.await_event(camera, 'prepared', READ_S)
            done = self._film(camera, recorder)
            self._children.await_last_frames(recorder, done['sent'], self._listen,
                                             self._counts)
            self._finish(camera)
            counts = self._finish_recorder(recorder)
            translator.interrupt()
            if translator.wait(15.0) is None:
                self._say('the translator did not end within 15 s and is killed')
            self._children.forget(translator)
        return Run(footage, self._record('sent'), self._record('arrived'),
                   self._told.get('camera', {}), self._told.get('engine', {}), done['error'],
                   counts)

    def _start(self, name: str, module: str, *arguments: str) -> DemoProcess:
        return self._children.start(name, f'rgb2swir_ros.{module}', arguments, self._environment,
                                    self._logs / f'{name}.log')

    def _start_recorder(self, footage: Footage) -> DemoProcess:
        words = [str(self._bag), '--camera', CAMERA, '--record', str(self._work / 'arrived.json')]
        if footage.record_start_ns is not None:
            words += ['--start-ns', str(footage.record_start_ns)]
        child = self._start('recorder', 'demo.recorder', *words)
        self._children.await_event(child, 'recording', START_S)
        return child

    def _start_translator(self, footage: Footage) -> DemoProcess:
        parameters: dict[str, Any] = {
            'cameras': [CAMERA], 'model': self._options.model,
            'size': format_size(self._options.box), 'source_size': format_size(footage.size),
            'backend': self._options.backend,
            'input_transport': 'compressed' if footage.compressed else 'raw',
            # the recorder must get every frame, also if a busy machine delays it
            f'qos_overrides./{CAMERA}/swir/image_raw.publisher.depth': 50,
            f'qos_overrides./{CAMERA}/swir/camera_info.publisher.depth': 50,
        }
        words = ['--ros-args']
        for name, value in parameters.items():
            words += ['-p', f'{name}:={json.dumps(value)}']
        return self._start('translator', 'ros.main', *words)

    def _start_camera(self, footage: Footage) -> DemoProcess:
        words = [str(footage.source.path), '--seconds', str(self._options.seconds), '--name',
                 CAMERA, '--record', str(self._work / 'sent.json'), '--rate',
                 str(self._options.rate_hz)]
        if self._options.topic:
            words += ['--topic', self._options.topic]
        return self._start('camera', 'demo.camera', *words)

    def _await_engine(self, recorder: DemoProcess, source: tuple[int, int]) -> None:
        size = format_size(fit_size(source, self._options.box))
        deadline = time.monotonic() + ENGINE_S
        while not self._is_ready(size):
            event = self._children.next_event(recorder, 0.5)
            if event is not None:
                self._listen(event)
            if self._told.get('engine', {}).get('state') == 'failed':
                raise ChildError('the engine failed: ' + self._told['engine'].get('detail', ''))
            if time.monotonic() > deadline:
                raise ChildError(f'no engine after {ENGINE_S:.0f} s; the last status: '
                                 f'{self._engine_step or "none"} (see {self._logs})')

    def _is_ready(self, size: str) -> bool:
        engine = self._told.get('engine', {})
        return engine.get('state') == 'ready' and any(
            key.startswith(f'{size} ') for key in engine)

    def _listen(self, event: dict[str, Any]) -> None:
        """Store a status of the node, and report the state of the engine when it changes."""
        if event['event'] != 'diagnostics':
            return
        self._told.update(event)
        text = event.get('engine_text', '')
        step = re.sub(r' \(\d+ s\)$', '', text)
        waited = time.monotonic() - self._engine_since
        if step != self._engine_step or (waited > 10 and not text.startswith('ready')):
            self._engine_step, self._engine_since = step, time.monotonic()
            self._say(f'engine {text}')

    def _film(self, camera: DemoProcess, recorder: DemoProcess) -> dict[str, Any]:
        self._say('filming')
        camera.write_line('go')
        while True:
            while not recorder.events.empty():
                self._listen(recorder.events.get())
            event = self._children.next_event(camera, 0.5)
            if event is not None and event['event'] == 'done':
                return event
            if event is not None and event['event'] == 'progress':
                counted = self._told.get('camera', {})
                self._say(f"{event['sent']} sent, {counted.get('translated', 0)} translated, "
                          f"{_dropped(counted)} dropped")

    def _counts(self) -> tuple[int, int, int, int, int]:
        counted = self._told.get('camera', {})
        received, lost, translated, in_hand = (int(float(counted.get(key, 0))) for key in (
            'received', 'lost_transport', 'translated', 'in_hand'))
        return received, lost, translated, in_hand, int(self._told.get('recorded', 0))

    def _finish(self, child: DemoProcess) -> None:
        child.close_input()
        if child.wait(15.0) not in (0, None):
            child.check()
        self._children.forget(child)

    def _finish_recorder(self, recorder: DemoProcess) -> dict[str, int]:
        recorder.close_input()
        code = recorder.wait(30.0)
        counts: dict[str, int] = {}
        while not recorder.events.empty():
            event = recorder.events.get()
            counts = event.get('counts', counts)
        if code != 0:
            recorder.check()
            raise ChildError(recorder.last_words('the recorder did not end'))
        self._children.forget(recorder)
        return counts

    def _record(self, name: str) -> list[tuple[int, int]]:
        text = (self._work / f'{name}.json').read_text()
        return [(stamp, at) for stamp, at, *_ in json.loads(text)]


def _dropped(counted: dict[str, str]) -> int:
    return sum(int(float(value)) for key, value in counted.items() if key.startswith('dropped_'))
