"""Run frames through the node: the processes of a demo and of a live replay, and their counts."""

from __future__ import annotations

import json
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rgb2swir_ros.demo.children import ChildError, Children, DemoProcess
from rgb2swir_ros.ros.domain import claim_domain, release_domain
from rgb2swir_ros.ros.transport import local_environment, remove_stale_segments

START_S = 60.0
ENGINE_S = 300.0  # compiling on a busy machine; a cached engine loads in a second
READ_S = 120.0
DRAIN_S = 20.0
STEADY = 3  # so many equal statuses in a row mean that no more frames come


@dataclass(frozen=True)
class Sender:
    """The process that publishes the frames.

    :param module: of this package; ``words``: of its command line.
    :param doing: what it does while it publishes, for progress lines.
    """

    name: str
    module: str
    words: Sequence[str]
    doing: str


class Conductor(ABC):
    """A sender, the translator node and a recorder, in a ROS domain of their own."""

    def __init__(self, options: Any, recorded: Path, logs: Path, work: Path,
                 say: Callable[[str], None]) -> None:
        """Claim a ROS domain; nothing is started yet.

        :param options: what is sent, as the class that sends it wants it.
        :param recorded: where the recorder writes its bag.
        :param logs: folder for the processes' logs; it exists.
        :param work: folder for what is needed only during the run.
        :param say: called with one line at each new step.
        """
        self._options = options
        self._recorded, self._logs, self._work, self._say = recorded, logs, work, say
        self._domain_id = claim_domain()
        self._environment = local_environment(domain_id=self._domain_id)
        self._environment['ROS_LOG_DIR'] = str(work / 'ros_logs')
        self._children = Children()
        self._cameras: dict[str, dict[str, str]] = {}  # the values of each camera's last status
        self._engine: dict[str, str] = {}  # and of the engine's
        self._recorded_frames = 0
        self._engine_step = ''
        self._engine_since = time.monotonic()

    def run(self) -> Any:
        """Start the processes, send the frames, wait for the last ones, and stop.

        All processes have ended when this returns or raises.

        :raises UserError: if a process fails; the text has the last lines of its log.
        """
        try:
            with self._children:
                return self._run()
        finally:
            release_domain(self._domain_id)
            remove_stale_segments()  # a process that had to be killed leaves 128 MB behind

    @abstractmethod
    def _run(self) -> Any:
        """Call `_send_through`, and return what the run left."""

    def _send_through(self, sender: Sender, cameras: Sequence[str],
                      parameters: Mapping[str, Any], *, size: str = '',
                      recorder_words: Sequence[str] = ()) -> tuple[dict[str, Any], dict[str, int]]:
        """Send the frames through the node to the recorder.

        :param cameras: the node's cameras; ``parameters``: its further parameters.
        :param size: ``WxH`` of the engine to wait for; '' for any.
        :return: the sender's last event, and how many messages of each topic were recorded.
        """
        self._say('starting recorder and translator')
        recorder = self._start_recorder(cameras, recorder_words)
        translator = self._start_translator(cameras, parameters)
        source = self._start(sender.name, sender.module, *sender.words)
        self._await_engine(recorder, size)
        self._say(f'waiting for the {sender.name} to read ahead')
        self._children.await_event(source, 'prepared', READ_S)
        self._say(sender.doing)
        done = self._send(source, recorder)
        self._await_last_frames(recorder, done['sent'])
        source.close_input()
        if self._stop(source):
            source.check()
        counts = self._finish_recorder(recorder)
        translator.interrupt()
        self._stop(translator)
        return done, counts

    def _start(self, name: str, module: str, *words: str) -> DemoProcess:
        return self._children.start(name, f'rgb2swir_ros.{module}', words, self._environment,
                                    self._logs / f'{name}.log')

    def _start_recorder(self, cameras: Sequence[str], words: Sequence[str]) -> DemoProcess:
        named = [word for camera in cameras for word in ('--camera', camera)]
        child = self._start('recorder', 'demo.recorder', str(self._recorded), '--record',
                            str(self._work / 'arrived.json'), *named, *words)
        self._children.await_event(child, 'recording', START_S)
        return child

    def _start_translator(self, cameras: Sequence[str],
                          parameters: Mapping[str, Any]) -> DemoProcess:
        given: dict[str, Any] = {'cameras': list(cameras), **parameters}
        for camera in cameras:
            for topic in ('image_raw', 'camera_info'):
                # the recorder must get every frame, also if a busy machine delays it
                given[f'qos_overrides./{camera}/swir/{topic}.publisher.depth'] = 50
        words = ['--ros-args']
        for name, value in given.items():
            words += ['-p', f'{name}:={json.dumps(value)}']
        return self._start('translator', 'ros.main', *words)

    def _await_engine(self, recorder: DemoProcess, size: str) -> None:
        """Wait until the node's engine is ready, as its diagnostics say.

        :raises ChildError: if the engine failed, a process ends, or the time limit passes.
        """
        deadline = time.monotonic() + ENGINE_S
        while not self._is_ready(size):
            event = self._children.next_event(recorder, 0.5)
            if event is not None:
                self._listen(event)
            if self._engine.get('state') == 'failed':
                raise ChildError('the engine failed: ' + self._engine.get('detail', ''))
            if time.monotonic() > deadline:
                raise ChildError(f'no engine after {ENGINE_S:.0f} s; the last status: '
                                 f'{self._engine_step or "none"} (see {self._logs})')

    def _is_ready(self, size: str) -> bool:
        return self._engine.get('state') == 'ready' and (
            not size or any(key.startswith(f'{size} ') for key in self._engine))

    def _listen(self, event: dict[str, Any]) -> None:
        """Store a status of the node, and report the state of the engine when it changes."""
        if event['event'] != 'diagnostics':
            return
        self._cameras.update(event.get('cameras', {}))
        self._recorded_frames = int(event['recorded'])
        if 'engine' not in event:
            return
        self._engine, text = event['engine'], event['engine_text']
        step = re.sub(r' \(\d+ s\)$', '', text)
        waited = time.monotonic() - self._engine_since
        if step != self._engine_step or (waited > 10 and not text.startswith('ready')):
            self._engine_step, self._engine_since = step, time.monotonic()
            self._say(f'engine {text}')

    def _listen_to_all(self, recorder: DemoProcess) -> None:
        while not recorder.events.empty():
            self._listen(recorder.events.get())

    def _send(self, source: DemoProcess, recorder: DemoProcess) -> dict[str, Any]:
        """Let the sender begin, and return its last event."""
        source.write_line('go')
        while True:
            self._listen_to_all(recorder)
            event = self._children.next_event(source, 0.5)
            if event is not None and event['event'] == 'done':
                return event
            if event is not None and event['event'] == 'progress':
                dropped = sum(self._total(key) for key in {
                    key for values in self._cameras.values() for key in values
                    if key.startswith('dropped_')})
                self._say(f"{event['sent']} sent, {self._total('translated')} translated, "
                          f'{dropped} dropped')

    def _total(self, key: str) -> int:
        """Return the sum of a count over the cameras."""
        return sum(int(float(values.get(key, 0))) for values in self._cameras.values())

    def _await_last_frames(self, recorder: DemoProcess, sent: int) -> None:
        """Wait until the node has counted the frames that it was sent and the recorder has them.

        It ends, too, when the counts no longer change.
        """
        self._listen_to_all(recorder)
        deadline = time.monotonic() + DRAIN_S
        before: tuple[int, ...] = ()
        equal = 0
        while time.monotonic() < deadline:
            event = self._children.next_event(recorder, 0.5)
            if event is None:
                continue
            self._listen(event)
            received, lost, translated, in_hand = (self._total(key) for key in (
                'received', 'lost_transport', 'translated', 'in_hand'))
            now = received, lost, translated, in_hand, self._recorded_frames
            if received + lost >= sent and not in_hand and self._recorded_frames >= translated:
                return
            equal = equal + 1 if now == before else 0
            if equal >= STEADY:
                return
            before = now

    def _stop(self, child: DemoProcess) -> int | None:
        """Wait for a process that was told to end; return its exit code, None if it was killed."""
        code = child.wait(15.0)
        if code is None:
            self._say(f'the {child.name} did not end within 15 s and is killed')
        self._children.forget(child)
        return code

    def _finish_recorder(self, recorder: DemoProcess) -> dict[str, int]:
        recorder.close_input()
        code = recorder.wait(30.0)
        counts: dict[str, int] = {}
        while not recorder.events.empty():
            counts = recorder.events.get().get('counts', counts)
        if code != 0:
            recorder.check()
            raise ChildError(recorder.last_words('the recorder did not end'))
        self._children.forget(recorder)
        return counts

    def _record(self, name: str) -> list[tuple[Any, ...]]:
        """Return the entries of the record that a process has written."""
        return [tuple(entry) for entry in json.loads((self._work / f'{name}.json').read_text())]
