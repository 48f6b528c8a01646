"""A test rig: the node, cameras and listeners in separate processes on an exclusive ROS domain."""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import pytest

from ..lab.evaluation.tiny import save_tiny

PEER = Path(__file__).with_name('peer.py')


class Process:
    """A child whose output lines are kept; JSON lines as dicts."""

    def __init__(self, words: list[str], environment: dict[str, str],
                 others: list[Process]) -> None:
        self.words, self._others = words, others
        self.child = subprocess.Popen(
            words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True)
        self.lines: list[str] = []
        self.said: list[dict] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.child.stdout:
            if line.startswith('{'):
                self.said.append(json.loads(line))
            else:
                self.lines.append(line.rstrip())

    def of(self, topic: str) -> list[dict]:
        """Return what was heard on a topic."""
        return [said for said in list(self.said) if said.get('topic') == topic]

    def sent(self) -> list[int]:
        """Return the stamps that a camera has sent."""
        return [said['sent'] for said in list(self.said) if 'sent' in said]

    def wait(self, condition: Callable[[], object], what: str, timeout_s: float = 30.0):
        """Wait until a condition holds and return its value; fail with the output otherwise."""
        deadline = time.monotonic() + timeout_s
        while not (value := condition()):
            if time.monotonic() > deadline:
                pytest.fail(f'{what}: not within {timeout_s:.0f} s\n' + '\n'.join(
                    process.output() for process in self._others))
            time.sleep(0.02)
        return value

    def wait_said(self, key: str, timeout_s: float = 30.0) -> dict:
        """Wait for a JSON line with a key."""
        return self.wait(lambda: next((s for s in list(self.said) if key in s), None),
                         f'a line with {key!r}', timeout_s)

    def ask_to_end(self) -> None:
        """Request its end: close stdin, which ends a peer, and interrupt it, which ends a node."""
        with contextlib.suppress(OSError):
            self.child.stdin.close()
        if 'rgb2swir_ros.ros.main' in self.words and self.child.poll() is None:
            self.child.send_signal(signal.SIGINT)

    def finish(self) -> None:
        """Request its end, and wait for it."""
        self.ask_to_end()
        self.ended()

    def ended(self, timeout_s: float = 20.0) -> int:
        """Wait for the end and return the exit code."""
        try:
            code = self.child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            pytest.fail(f'still running after {timeout_s:.0f} s\n' + self.output())
        self._reader.join(5)
        return code

    def output(self) -> str:
        """Return the last of what it wrote."""
        head = f'--- {self.words[1:5]} exit code {self.child.poll()}'
        said = [str(said)[:1500] for said in self.said[-2:]]
        return '\n'.join([head, *self.lines[-25:], *said])

    def kill(self) -> None:
        """Kill it and whatever it started."""
        for send in (lambda: os.killpg(self.child.pid, signal.SIGKILL), self.child.kill):
            with contextlib.suppress(ProcessLookupError):
                send()
        self.child.wait(10)


@cache
def tiny_model() -> str:
    """Return the folder of a model that leaves the processor to ROS: the node is tested."""
    folder = tempfile.TemporaryDirectory(prefix='rgb2swir-tiny-')
    atexit.register(folder.cleanup)
    return str(save_tiny(Path(folder.name) / 'tiny', plain=True))


class Rig:
    """Starts processes on one ROS domain and ends them all."""

    def __init__(self, cache: Path) -> None:
        pytest.importorskip('rclpy', reason='rclpy is not installed')
        from rgb2swir_ros.ros.domain import claim_domain
        from rgb2swir_ros.ros.transport import local_environment
        self.domain = claim_domain()
        self.environment = local_environment(domain_id=self.domain) | {
            'RGB2SWIR_CACHE': str(cache), 'PYTHONUNBUFFERED': '1', 'OMP_NUM_THREADS': '1'}
        self.processes: list[Process] = []

    def start(self, *words: object) -> Process:
        """Start a Python process with the given words."""
        process = Process([sys.executable, *map(str, words)], self.environment, self.processes)
        self.processes.append(process)
        return process

    def node(self, *words: str, **parameters: object) -> Process:
        """Start the translator; parameters as Python values."""
        given = {'model': tiny_model(), 'backend': 'eager', 'size': '160x128'} | parameters
        arguments = [word for name, value in given.items()
                     for word in ('-p', f'{name}:={json.dumps(value)}')]
        return self.start('-m', 'rgb2swir_ros.ros.main', '--ros-args', *arguments, *words)

    def camera(self, name: str, *words: object) -> Process:
        """Start a camera; see ``peer.py``."""
        return self.start(PEER, 'camera', '--camera', name, *words)

    def listen(self, *topics: str) -> Process:
        """Start a listener to ``TOPIC:KIND``; returns once it has subscribed."""
        listener = self.start(PEER, 'listener', *topics)
        listener.wait_said('ready')
        return listener

    def set(self, **parameters: object) -> list:
        """Set parameters of the running node; return [successful, reason] of each."""
        caller = self.start(PEER, 'call', '--set', json.dumps(parameters))
        return caller.wait_said('results')['results']

    def transition(self, label: str) -> bool:
        """Request a lifecycle transition; return whether it succeeded."""
        return self.start(PEER, 'call', '--transition', label).wait_said('success')['success']

    def end(self, first: int = 0) -> None:
        """End the processes in good order: a killed one leaves its shared memory behind.

        :param first: index of the first process to end; those started before it continue.
        """
        from rgb2swir_ros.ros.transport import remove_stale_segments
        ending = self.processes[first:]
        for process in ending:
            process.ask_to_end()
        deadline = time.monotonic() + 10
        for process in ending:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.child.wait(max(0.0, deadline - time.monotonic()))
            process.kill()
        del self.processes[first:]
        remove_stale_segments()

    def close(self) -> None:
        """End every process and release the domain."""
        from rgb2swir_ros.ros.domain import release_domain
        self.end()
        release_domain(self.domain)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """Yield a rig for one test."""
    made = Rig(tmp_path / 'cache')
    yield made
    made.close()


@pytest.fixture(scope='module')
def shared_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Yield a rig for all tests of a module."""
    made = Rig(tmp_path_factory.mktemp('cache'))
    yield made
    made.close()


@pytest.fixture
def make_node(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Yield a function that makes a TranslatorNode in this process, on an exclusive ROS domain.

    Its words are those after ``--ros-args``; its engine is :class:`FakeEngine`.
    """
    pytest.importorskip('rclpy', reason='rclpy is not installed')
    from rclpy.context import Context
    from rclpy.parameter import Parameter

    from rgb2swir_ros.ros import node as module
    from rgb2swir_ros.ros.domain import claim_domain, release_domain
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    monkeypatch.setattr(module, 'EngineClient', FakeEngine)
    context = Context()
    domain = claim_domain()
    context.init(args=[], domain_id=domain)
    made: list[Any] = []

    def make(*words: str, **parameters: object) -> Any:
        node = module.TranslatorNode(
            context=context, cli_args=['--ros-args', *words] if words else None,
            parameter_overrides=[Parameter(name, value=value)
                                 for name, value in parameters.items()])
        made.append(node)
        return node
    yield make
    while made:
        made.pop().close()
    context.try_shutdown()
    # rclpy frees the services of a lifecycle node's states with the node, which is in cycles.
    # Until then its participant stays in the graph; freed in another thread, it may block all.
    gc.collect()
    release_domain(domain)


class FakeEngine:
    """A fake of the engine client: it starts nothing and records the requests."""

    living: ClassVar[list[FakeEngine]] = []

    def __init__(self, *_: object, **__: object) -> None:
        self.asked: list[tuple[int, int]] = []

    def start(self) -> None:
        """Count as running."""
        self.living.append(self)

    def prepare(self, size: tuple[int, int]) -> None:
        """Record a size."""
        self.asked.append(size)

    def ready(self, size: tuple[int, int]) -> bool:
        """Have no engine."""
        return False

    def status(self) -> Any:
        """Report that it is starting."""
        from rgb2swir_ros.engines.client import EngineStatus
        return EngineStatus(state='starting', detail='', restarts=0, heartbeat_age_s=None,
                            engines={})

    def close(self) -> None:
        """Count as stopped."""
        if self in self.living:
            self.living.remove(self)
