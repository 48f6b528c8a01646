"""Run the processes of a bench in order, and gather what each of them has recorded."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from rgb2swir_ros.child_process import ChildProcess
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.hil.load import LoadMeter
from rgb2swir_ros.hil.responders import responder_kinds
from rgb2swir_ros.hil.result import (
    HilRun,
    Observation,
    Responses,
    observation_from_json,
    responses_from_json,
    run_from_json,
)
from rgb2swir_ros.hil.scenario import Scenario
from rgb2swir_ros.hil.sections import STEPPED_DEPTH
from rgb2swir_ros.ownership import (
    clear_results,
    require_free,
    sweep,
    workspace,
    write_bytes,
    write_json,
)
from rgb2swir_ros.ros.available import require_ros
from rgb2swir_ros.ros.transport import profile_environment, remove_stale_segments

START_S = 60.0
WRONG_INPUT_CODE, ERROR_CODE = 2, 4  # of hil_node
DRAIN_S = 60.0
RECORDS = ('run.json', 'observation.json', 'responses.json')
LOGS = ('hil_node', 'observer', 'monitor', 'responder')
# What the evidence adds: `rgb2swir_ros.hil.evidence` writes it.
EVIDENCE = ('report.json', 'report.html', 'junit.xml')


@dataclass
class Records:
    """What the processes of a run have recorded.

    :param load: (monotonic time, share of idle processor time from 0 to 1), second by second.
    :param interrupted: whether Ctrl-C ended the run.
    """

    run: HilRun
    observation: Observation
    responses: Responses
    load: list[tuple[int, float]] = field(default_factory=list)
    interrupted: bool = False


class Process(ChildProcess):
    """A process of the bench, whose output is kept."""

    def __init__(self, name: str, module: str, words: list[str], environment: dict[str, str],
                 say: Callable[[str], None]) -> None:
        """Start a module of `rgb2swir_ros.hil`.

        :param say: called with each line that it prints.
        """
        self.name, self.lines = name, list[str]()
        self._said = threading.Condition()
        self._say = say
        super().__init__(f'rgb2swir_ros.hil.{module}', *words, environment=environment,
                         on_output=self._take, on_error=self._take, takes_input=True)

    def await_line(self, line: str, seconds: float) -> None:
        """Wait until it has printed a line.

        :raises UserError: if it ends before, or does not in time.
        """
        deadline = time.monotonic() + seconds
        while line not in self.lines:
            if self.wait(0) is not None:
                raise UserError(f'the {self.name} ended before the run: {self.last_line()}')
            if time.monotonic() > deadline:
                raise UserError(f'the {self.name} did not start within {seconds:.0f} s')
            with self._said:
                self._said.wait(0.1)

    def last_line(self) -> str:
        """Return the last that it printed."""
        return self.lines[-1] if self.lines else '(it said nothing)'

    def _take(self, line: str) -> None:
        self.lines.append(line)
        with self._said:
            self._said.notify_all()
        self._say(line)


class Bench:
    """The processes of one run; leaving the block ends them all and writes their logs."""

    def __init__(self, scenario: Scenario, output: Path, work: Path, *, transport: str,
                 say: Callable[[str], None],
                 responders: Mapping[str, str] | None = None,
                 environment: Mapping[str, str] | None = None) -> None:
        """Prepare.

        :param output: gets ``bag/`` and ``logs/``.
        :param work: a folder for what the processes hand over.
        :param transport: profile of Fast DDS: ``local``, ``vehicle`` or ``none``.
        :param say: called with each line that the node logs.
        :param responders: where classes are that this room does not know, by name.
        :param environment: of the processes; by default this one's.
        """
        self._responders = responders
        self.scenario, self.output, self.work = scenario, output, work
        self._say = say
        profile = {} if transport == 'none' else profile_environment(transport, environment)
        self._environment = {**(environment or os.environ), **profile, 'PYTHONUNBUFFERED': '1'}
        self._processes: list[Process] = []

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        for process in reversed(self._processes):
            process.end(5.0)
            text = ''.join(f'{line}\n' for line in process.lines)
            write_bytes(self.output / 'logs' / f'{process.name}.log', text.encode())
        remove_stale_segments()

    def run(self, rendered: Path | None = None) -> Records:
        """Run the scenario.

        A process that breaks off during the run, or Ctrl-C, is an error of the run, which its
        record says: the node ends at once, and what was counted so far is kept.

        :param rendered: folder of the frames of a source of the kind ``rendered``.
        :raises UserError: if a process cannot begin its work.
        """
        beside = {'observation.json': self._start_observer()}
        subscribers = 1
        if self.scenario.monitor.topic:
            subscribers += self._start_responder()
            beside['responses.json'] = self._start_monitor()
        node = self._start(
            'hil_node', 'main', '--ros-args',
            '-p', f'scenario:={json.dumps(str(self.scenario.path.absolute()))}',
            '-p', f"record:={json.dumps(str(self.work / 'run.json'))}",
            '-p', f"rendered:={json.dumps(str(rendered or ''))}",
            '-p', f'subscribers:={subscribers}')
        broken: list[str] = []
        interrupted = False
        with LoadMeter() as meter:
            try:
                while (code := node.wait(0.2)) is None and not broken:
                    broken += [f'the {one.name} ended during the run: {one.last_line()}'
                               for one in self._processes if one is not node
                               and one.wait(0) is not None]
            except KeyboardInterrupt:
                interrupted = True
        if broken or interrupted:
            node.signal(signal.SIGINT, group=False)
            node.wait(DRAIN_S)
        elif code == WRONG_INPUT_CODE:
            raise UserError(node.last_line().removeprefix('hil_node: '))
        elif code not in (0, ERROR_CODE) or not self._has('run.json'):
            broken.append(f'the hil_node ended with exit code {code}: {node.last_line()}')
        responders = [one for one in self._processes if one.name == 'responder']
        unfinished = [text for one in (*responders, *beside.values())  # what waits is answered
                      if (text := self._finish(one))]
        broken = broken or unfinished
        records = self._records()
        records.load, records.interrupted = meter.samples, interrupted
        if broken:
            records.run.error = '; '.join(filter(None, [records.run.error, *broken]))
            (self.work / 'run.json').write_text(json.dumps(asdict(records.run)))
        return records

    def _records(self) -> Records:
        """Return what the processes have written; what is missing is empty."""
        pacing = self.scenario.pacing
        run = HilRun(self.scenario.name, self.scenario.seed, pacing.clock, pacing.clock_name,
                     duration_ns=self.scenario.duration_ns)
        records = Records(run, Observation(), Responses())
        if self._has('run.json'):
            records.run = run_from_json(self._read('run.json'))
        if self._has('observation.json'):
            records.observation = observation_from_json(self._read('observation.json'))
        if self._has('responses.json'):
            records.responses = responses_from_json(self._read('responses.json'))
        return records

    def _has(self, name: str) -> bool:
        return (self.work / name).is_file()

    def _read(self, name: str) -> dict[str, Any]:
        made: dict[str, Any] = json.loads((self.work / name).read_text())
        return made

    def _start_responder(self) -> int:
        """Start the responder, if the scenario has one; return how many there are."""
        monitor = self.scenario.monitor
        if not monitor.responder:
            return 0
        kinds = responder_kinds(self._responders)
        if monitor.responder not in kinds:
            raise UserError(f"the responder '{monitor.responder}' comes with rgb2swir hil only")
        words = [kinds[monitor.responder], '--topic', monitor.topic, '--options',
                 json.dumps(monitor.options)]
        if self.scenario.stepped:  # frames come as fast as they are made: all of them may wait
            words += ['--depth', str(STEPPED_DEPTH)]
        for camera in self.scenario.cameras:
            words += ['--image', f'{camera}/swir/image_raw']
        self._start('responder', 'respond', *words).await_line('responding', START_S)
        return 1

    def _start_monitor(self) -> Process:
        words = [self.scenario.monitor.topic, '--type', self.scenario.monitor.type,
                 '--record', str(self.work / 'responses.json')]
        monitor = self._start('monitor', 'monitor', *words)
        monitor.await_line('monitoring', START_S)
        return monitor

    def _start_observer(self) -> Process:
        words = [str(self.output / 'bag'), '--record', str(self.work / 'observation.json')]
        for camera in self.scenario.cameras:
            words += ['--camera', camera]
        observer = self._start('observer', 'observer', *words)
        observer.await_line('observing', START_S)
        return observer

    def _start(self, name: str, module: str, *words: str) -> Process:
        process = Process(name, module, list(words), self._environment,
                          self._say if name == 'hil_node' else lambda _: None)
        self._processes.append(process)
        return process

    def _finish(self, process: Process) -> str:
        """Let a process write its record and end; return what is wrong if it does not."""
        process.close_input()
        if process.wait(DRAIN_S) == 0:
            return ''
        return f'the {process.name} did not end as it should: {process.last_line()}'


def run_bench(scenario: Scenario, output: Path, *, rendered: Path | None, transport: str,
              overwrite: bool, say: Callable[[str], None],
              responders: Mapping[str, str] | None = None,
              environment: Mapping[str, str] | None = None) -> Records:
    """Run a scenario and write its records, its bag and its logs to a folder.

    :param responders: and ``environment``: as of `Bench`.
    :raises UserError: if the folder holds an earlier run, ROS 2 is missing, or a process fails.
    """
    require_ros()
    clear(output, overwrite=overwrite)
    with workspace(output / 'bag') as work, Bench(
            scenario, output, work, transport=transport, say=say, responders=responders,
            environment=environment) as bench:
        records = bench.run(rendered)
        for name in RECORDS:
            if (work / name).is_file():
                write_json(output / name, json.loads((work / name).read_text()))
    return records


def require_ready(output: Path, *, overwrite: bool) -> None:
    """Check that a run can begin, before anything is made for it.

    :raises UserError: if ROS 2 is missing, or the folder holds an earlier run that is not to be
        overwritten.
    """
    require_ros()
    require_free(_results(output), overwrite=overwrite)


def clear(output: Path, *, overwrite: bool) -> None:
    """Remove an earlier run's results, and nothing else.

    :raises UserError: if there are any and they are not to be overwritten, or if something that
        this tool did not write stands in their place.
    """
    clear_results(_results(output), overwrite=overwrite)
    output.mkdir(parents=True, exist_ok=True)
    sweep(output)


def _results(output: Path) -> list[Path]:
    """Return what a run writes."""
    return [*(output / name for name in ('bag', *RECORDS, *EVIDENCE)),
            *(output / 'logs' / f'{name}.log' for name in LOGS)]
