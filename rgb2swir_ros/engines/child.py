"""The client's handle on one engine process: started, spoken to, killed. No torch in here."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from rgb2swir_ros.engines.channel import (
    Message,
    Size,
    Slot,
    create_slot_memory,
    receive,
    send,
)
from rgb2swir_ros.engines.processor import waiting_environment

MODULE = 'rgb2swir_ros.engines.process'
LAST_LINES = 20


class Child:
    """One engine process and all it shares with the client.

    :ivar last_heard: `time.monotonic` of its last message.
    :ivar verdict: (hung, text) once it is given up; None before.
    :ivar started: whether it has loaded torch and the model.
    :ivar engines: description of each engine that is ready.
    :ivar done: inference time in ms of each finished request.
    """

    def __init__(self, arguments: dict[str, Any], log: Callable[[str], None]) -> None:
        """Start the process.

        It gets a session of its own: no signal of a terminal reaches it, and it can be killed
        together with the compilers that it runs.

        :param arguments: those of `open_engine` except size and progress.
        :param log: told each line that the process prints.
        :raises OSError: if no process can be started.
        """
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, '-m', MODULE, str(theirs.fileno())], pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, 'PYTHONUNBUFFERED': '1', **waiting_environment()})
        self.pid = self._process.pid
        self.born = self.last_heard = time.monotonic()
        self.verdict: tuple[bool, str] | None = None
        self.started = False
        self.engines: dict[Size, dict[str, Any]] = {}
        self.done: dict[int, float] = {}
        self.slots: dict[Size, Slot] = {}
        self.asked: dict[Size, float] = {}
        self._log = log
        self._lines: deque[str] = deque(maxlen=LAST_LINES)
        self._ending = threading.Lock()
        self._ended = False
        self._listener = threading.Thread(target=self._listen, name='engine-output', daemon=True)
        self._listener.start()
        self.tell(op='start', arguments=arguments)

    def tell(self, descriptor: int | None = None, **message: Any) -> None:
        """Send a message; if the process is gone, whoever listens to it will find out."""
        with contextlib.suppress(OSError):
            send(self.channel, message, descriptor)

    def prepare(self, size: Size) -> None:
        """Ask for an engine, with fresh memory for its frames."""
        descriptor = create_slot_memory(size)
        try:
            self.slots[size] = Slot(descriptor, size)
            self.asked[size] = time.monotonic()
            self.tell(descriptor, op='prepare', height=size[0], width=size[1])
        finally:
            os.close(descriptor)

    def hear(self, timeout_s: float) -> tuple[bool, Message | None]:
        """Wait for a message.

        :return: (False, None) if none came in time; (True, None) if none will ever come.
        """
        readable, _, _ = select.select([self.channel], [], [], max(timeout_s, 0))
        if not readable:
            return False, None
        message, _ = receive(self.channel)
        self.last_heard = time.monotonic()
        return True, message

    def kill(self) -> None:
        """Kill the process and whatever it started, at once, from any thread."""
        with self._ending:
            if not self._ended:  # afterwards the number may belong to somebody else
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.pid, signal.SIGKILL)

    def end(self) -> str:
        """Kill, reap, close everything; again does nothing more.

        :return: how the process ended, with the last that it printed.
        """
        self.kill()
        code = self._process.wait()
        with self._ending:
            self._ended = True
        self._listener.join(timeout=2)
        self.channel.close()
        if code < 0:
            text = f'engine process {self.pid} was killed ({signal.Signals(-code).name})'
        else:
            text = f'engine process {self.pid} ended with code {code}'
        return f'{text}: {self._lines[-1]}' if self._lines else text

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for raw in output:
                line = raw.decode(errors='replace').rstrip()
                if line:
                    self._lines.append(line)
                    self._log(line)
