"""Run the processes of a bench in order, and gather what each of them has recorded."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from rgb2swir_ros.child_process import ChildProcess
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.hil.result import (
    HilRun,
    Observation,
    Responses,
    observation_from_json,
    run_from_json,
)
from rgb2swir_ros.hil.scenario import Scenario
from rgb2swir_ros.ownership import require_free, sweep, workspace, write_bytes, write_json
from rgb2swir_ros.ros.transport import profile_environment, remove_stale_segments

START_S = 60.0
DRAIN_S = 60.0
RECORDS = ('run.json', 'observation.json', 'responses.json')
LOGS = ('hil_node', 'observer', 'monitor', 'responder')
# What the evidence adds: `rgb2swir_ros.hil.evidence` writes it.
EVIDENCE = ('report.json', 'report.html', 'junit.xml')


@dataclass
class Records:
    """What the processes of a run have recorded."""

    run: HilRun
    observation: Observation
    responses: Responses


class Process(ChildProcess):
    """A process of the bench, whose output is kept."""

    def __init__(self, name: str, module: str, words: list[str], environment: dict[str, str],
                 say: Callable[[str], None]) -> None:
        """Start a module of `rgb2swir_ros.hil`.

        :param say: told of each line that it prints.
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
                 say: Callable[[str], None]) -> None:
        """Prepare.

        :param output: gets ``bag/`` and ``logs/``.
        :param work: a folder for what the processes hand over.
        :param transport: profile of Fast DDS: ``local``, ``vehicle`` or ``none``.
        :param say: told of each line that the node logs.
        """
        self.scenario, self.output, self.work = scenario, output, work
        self._say = say
        profile = {} if transport == 'none' else profile_environment(transport)
        self._environment = {**os.environ, **profile, 'PYTHONUNBUFFERED': '1'}
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

        :param rendered: folder of the frames of a source of the kind ``rendered``.
        :raises UserError: if a process cannot do its work.
        """
        scenario = self.scenario
        observer = self._start_observer()
        node = self._start(
            'hil_node', 'main', '--ros-args',
            '-p', f'scenario:={json.dumps(str(scenario.path.absolute()))}',
            '-p', f"record:={json.dumps(str(self.work / 'run.json'))}",
            '-p', f"rendered:={json.dumps(str(rendered or ''))}", '-p', 'subscribers:=1')
        while (code := node.wait(0.2)) is None:
            if observer.wait(0) is not None:
                raise UserError(f'the observer ended during the run: {observer.last_line()}')
        if code not in (0, 4) or not (self.work / 'run.json').is_file():
            raise UserError(node.last_line().removeprefix('hil_node: '))
        self._finish(observer)
        run = run_from_json(json.loads((self.work / 'run.json').read_text()))
        observation = observation_from_json(
            json.loads((self.work / 'observation.json').read_text()))
        return Records(run, observation, Responses())

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

    def _finish(self, process: Process) -> None:
        """Let a process write its record and end."""
        process.close_input()
        if process.wait(DRAIN_S) != 0:
            raise UserError(f'the {process.name} did not end as it should: '
                            f'{process.last_line()}')


def run_bench(scenario: Scenario, output: Path, *, rendered: Path | None, transport: str,
              overwrite: bool, say: Callable[[str], None]) -> Records:
    """Run a scenario and write its records, its bag and its logs to a folder.

    :raises UserError: if the folder holds an earlier run, ROS 2 is missing, or a process fails.
    """
    require_ros()
    clear(output, overwrite=overwrite)
    with workspace(output / 'bag') as work, Bench(scenario, output, work, transport=transport,
                                                  say=say) as bench:
        records = bench.run(rendered)
        for name in RECORDS:
            if (work / name).is_file():
                write_json(output / name, json.loads((work / name).read_text()))
    return records


def require_ros() -> None:
    """Raise UserError unless rclpy and its messages are there, without loading them."""
    missing = [name for name in ('rclpy', 'sensor_msgs', 'diagnostic_msgs', 'rosgraph_msgs')
               if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(f"no ROS 2 here ({', '.join(missing)} cannot be imported): source your "
                        "ROS setup file, or install it with pip install 'rgb2swir_ros[ros]'")


def clear(output: Path, *, overwrite: bool) -> None:
    """Remove an earlier run's results, and nothing else.

    :raises UserError: if there are any and they are not to be overwritten, or if something that
        this tool did not write stands in their place.
    """
    results = [output / name for name in ('bag', *RECORDS, *EVIDENCE)]
    results += [output / 'logs' / f'{name}.log' for name in LOGS]
    require_free(results, overwrite=overwrite)
    for path in results:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    output.mkdir(parents=True, exist_ok=True)
    sweep(output)
