"""Run player, translator node and recorder, and collect what each of them counted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rgb2swir_ros.demo.children import ChildError, Children, DemoProcess
from rgb2swir_ros.ros.domain import claim_domain, release_domain
from rgb2swir_ros.ros.transport import local_environment

START_S = 60.0
ENGINE_S = 300.0  # compiling on a busy machine; a cached engine loads in a second
READ_S = 120.0
LOGS = ('player.log', 'translator.log', 'recorder.log')


@dataclass(frozen=True)
class LiveOptions:
    """What is played, and the node's parameters.

    :param cameras: the node's names of the bag's cameras.
    :param parameters: further parameters of the node.
    :param player: further words of the player's command line.
    :param engine_size: ``WxH`` of the engine to wait for; '' for any.
    """

    source: Path
    cameras: list[str]
    parameters: Mapping[str, Any]
    player: list[str]
    engine_size: str = ''


@dataclass
class LiveRun:
    """What a run left behind.

    :param sent: camera, stamp, record time and monotonic time of each frame, in nanoseconds.
    :param arrived: stamp, monotonic time and camera of each frame that was recorded.
    :param cameras: the values of the node's last status of each camera.
    :param engine: the values of its last status of the engine.
    :param broke_off: what of the bag could not be read, or ''.
    """

    sent: list[tuple[str, int, int, int]] = field(default_factory=list)
    arrived: list[tuple[int, int, str]] = field(default_factory=list)
    cameras: dict[str, dict[str, str]] = field(default_factory=dict)
    engine: dict[str, str] = field(default_factory=dict)
    broke_off: str = ''


class LiveConductor:
    """One bag, played once or several times."""

    def __init__(self, options: LiveOptions, recorded: Path, logs: Path, work: Path,
                 say: Callable[[str], None]) -> None:
        """Prepare.

        :param recorded: where the recorder writes its bag.
        :param logs: folder for the processes' logs; it exists.
        :param work: folder for what is needed only during the run.
        :param say: called with one line on what is going on.
        """
        self._options, self._recorded, self._logs, self._work = options, recorded, logs, work
        self._say = say
        self._domain_id = claim_domain()
        self._environment = local_environment(domain_id=self._domain_id)
        self._environment['ROS_LOG_DIR'] = str(work / 'ros_logs')
        self._children = Children()
        self._told: dict[str, Any] = {}

    def run(self) -> LiveRun:
        """Start, play, drain, stop. Every process has ended when this returns or raises.

        :raises UserError: if a process fails, with its last words.
        """
        try:
            return self._run()
        finally:
            release_domain(self._domain_id)

    def _run(self) -> LiveRun:
        with self._children:
            self._say('starting recorder and translator')
            recorder = self._start_recorder()
            translator = self._start_translator()
            player = self._start_player()
            self._children.await_event(player, 'prepared', READ_S)
            self._await_engine(recorder)
            self._say('playing')
            done = self._play(player, recorder)
            self._children.await_last_frames(recorder, done['sent'], self._listen,
                                             self._counts)
            self._finish(player, 15.0)
            self._finish(recorder, 30.0)
            translator.interrupt()
            if translator.wait(15.0) is None:
                self._say('the translator did not end within 15 s and is killed')
            self._children.forget(translator)
        sent = [tuple(entry) for entry in self._read('sent')]
        arrived = [tuple(entry) for entry in self._read('arrived')]
        return LiveRun(sent, arrived, self._told.get('cameras', {}),
                       self._told.get('engine', {}), done['error'])

    def _start(self, name: str, module: str, *words: str) -> DemoProcess:
        return self._children.start(name, f'rgb2swir_ros.{module}', words, self._environment,
                                    self._logs / f'{name}.log')

    def _start_recorder(self) -> DemoProcess:
        words = [str(self._recorded), '--record', str(self._work / 'arrived.json'),
                 '--by-arrival']
        for camera in self._options.cameras:
            words += ['--camera', camera]
        child = self._start('recorder', 'demo.recorder', *words)
        self._children.await_event(child, 'recording', START_S)
        return child

    def _start_translator(self) -> DemoProcess:
        parameters: dict[str, Any] = {'use_sim_time': True, 'cameras': self._options.cameras,
                                      **self._options.parameters}
        for camera in self._options.cameras:
            for topic in ('image_raw', 'camera_info'):
                # the recorder must get every frame, also if a busy machine delays it
                parameters[f'qos_overrides./{camera}/swir/{topic}.publisher.depth'] = 50
        words = ['--ros-args']
        for name, value in parameters.items():
            words += ['-p', f'{name}:={json.dumps(value)}']
        return self._start('translator', 'ros.main', *words)

    def _start_player(self) -> DemoProcess:
        return self._start('player', 'live.player', str(self._options.source), '--record',
                           str(self._work / 'sent.json'), *self._options.player)

    def _await_engine(self, recorder: DemoProcess) -> None:
        deadline, said = time.monotonic() + ENGINE_S, ''
        while not self._is_ready():
            event = self._children.next_event(recorder, 0.5)
            if event is not None:
                self._listen(event)
            text = self._told.get('engine_text', '')
            if text.partition(' (')[0] != said:
                said = text.partition(' (')[0]
                self._say(f'engine {text}')
            if self._told.get('engine', {}).get('state') == 'failed':
                raise ChildError('the engine failed: ' + self._told['engine'].get('detail', ''))
            if time.monotonic() > deadline:
                raise ChildError(f'no engine after {ENGINE_S:.0f} s; the last status: '
                                 f'{text or "none"} (see {self._logs})')

    def _is_ready(self) -> bool:
        engine = self._told.get('engine', {})
        size = self._options.engine_size
        return engine.get('state') == 'ready' and (
            not size or any(key.startswith(f'{size} ') for key in engine))

    def _listen(self, event: dict[str, Any]) -> None:
        if event['event'] == 'diagnostics':
            cameras = {**self._told.get('cameras', {}), **event.get('cameras', {})}
            self._told.update(event, cameras=cameras)

    def _play(self, player: DemoProcess, recorder: DemoProcess) -> dict[str, Any]:
        player.write_line('go')
        while True:
            while not recorder.events.empty():
                self._listen(recorder.events.get())
            event = self._children.next_event(player, 0.5)
            if event is not None and event['event'] == 'done':
                return event
            if event is not None and event['event'] == 'progress':
                self._say(f"{event['sent']} published, {self._total('translated')} translated")

    def _counts(self) -> tuple[int, int, int, int, int]:
        return (self._total('received'), self._total('lost_transport'),
                self._total('translated'), self._total('in_hand'),
                int(self._told.get('recorded', 0)))

    def _total(self, key: str) -> int:
        return sum(int(float(values.get(key, 0)))
                   for values in self._told.get('cameras', {}).values())

    def _finish(self, child: DemoProcess, seconds: float) -> None:
        child.close_input()
        if child.wait(seconds) != 0:
            child.check()
            raise ChildError(child.last_words(f'the {child.name} did not end'))
        self._children.forget(child)

    def _read(self, name: str) -> Any:
        return json.loads((self._work / f'{name}.json').read_text())
