"""The client's handle on one engine process: start, messages, kill. No torch in here."""

from __future__ import annotations

import itertools
import os
import select
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

from rgb2swir_ros.child_process import ChildProcess
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
LONGEST_LINE = 8192  # a progress bar may go on for ever without the end of a line


class EngineHandle:
    """One engine process and all it shares with the client.

    :ivar last_heard: `time.monotonic` of its last message.
    :ivar verdict: why it is given up: (whether it hung, text); None before.
    :ivar attributed: whether the failure has been counted against a size.
    :ivar started: whether it has loaded torch and the model.
    :ivar building: the size that it builds an engine for, and `time.monotonic` of the beginning.
    :ivar inferring: the size that it translates a frame of.
    :ivar engines: description of each engine that is ready.
    :ivar done: inference time in ms of each finished request.
    :ivar broken: what was wrong with each request that failed.
    :ivar slots: shared memory for the frames of each size that is requested.
    :ivar asked: the number of the latest request for an engine of each size.
    """

    def __init__(self, arguments: dict[str, Any], log: Callable[[str], None]) -> None:
        """Start the process.

        :param arguments: those of `open_engine` except size and progress.
        :param log: called with each line that the process prints.
        :raises OSError: if no process can be started.
        """
        self._log = log
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                # it sets its parent-death signal itself: another one while it compiles
                self._process = ChildProcess(
                    MODULE, str(theirs.fileno()), descriptors=[theirs.fileno()],
                    environment={**os.environ, 'PYTHONUNBUFFERED': '1', **waiting_environment()},
                    on_output=self._log_line, on_error=self._log_line,
                    parent_death_signal=False, longest_line=LONGEST_LINE)
        except OSError:
            self.channel.close()
            raise
        self.pid = self._process.pid
        self.born = self.last_heard = time.monotonic()
        self.verdict: tuple[bool, str] | None = None
        self.attributed = False
        self.started = False
        self.building: tuple[Size, float] | None = None
        self.inferring: Size | None = None
        self.engines: dict[Size, dict[str, Any]] = {}
        self.done: dict[int, float] = {}
        self.broken: dict[int, str] = {}
        self.slots: dict[Size, Slot] = {}
        self.asked: dict[Size, int] = {}
        self._numbers = itertools.count(1)
        # poll, since select knows no descriptor above 1023
        self._poll = select.poll()
        self._poll.register(self.channel, select.POLLIN)
        self.send(op='start', arguments=arguments)

    def send(self, descriptor: int | None = None, **message: Any) -> None:
        """Send a message, and never wait.

        If the process is gone, `receive` reports it; if it has stopped reading, it is killed.
        """
        try:
            send(self.channel, message, descriptor, socket.MSG_DONTWAIT)
        except BlockingIOError:
            self.verdict = self.verdict or (True, f'engine process {self.pid} takes no messages')
            self.kill()
        except OSError:
            pass

    def prepare(self, size: Size) -> None:
        """Request an engine, with fresh memory for its frames.

        :raises OSError: if there is none.
        """
        descriptor = create_slot_memory(size)
        try:
            self.slots[size] = Slot(descriptor, size)
            self.asked[size] = next(self._numbers)
            self.send(descriptor, op='prepare', height=size[0], width=size[1],
                      number=self.asked[size])
        finally:
            os.close(descriptor)

    def release(self, size: Size) -> None:
        """Release an engine, built or not."""
        if size in self.asked:
            self.forget(size)
            self.send(op='release', height=size[0], width=size[1])

    def forget(self, size: Size) -> None:
        """Remove an engine that the process does not have any longer."""
        self.engines.pop(size, None)
        self.slots.pop(size, None)
        self.asked.pop(size, None)

    def receive(self, timeout_s: float) -> tuple[bool, Message | None]:
        """Wait for a message.

        :return: (False, None) if none came in time; (True, None) if none will ever come.
        """
        if not self._poll.poll(max(timeout_s, 0) * 1000):
            return False, None
        message, _ = receive(self.channel)
        self.last_heard = time.monotonic()
        return True, message

    def kill(self) -> None:
        """Kill the process and whatever it started, at once, from any thread."""
        self._process.kill()

    def end(self) -> str:
        """Kill, reap, close everything; again does nothing more.

        :return: how the process ended, with the last that it printed.
        """
        code = self._process.end()
        self.channel.close()
        if code is None:
            text = f'engine process {self.pid} was killed and does not end'
        elif code < 0:
            text = f'engine process {self.pid} was killed ({signal.Signals(-code).name})'
        else:
            text = f'engine process {self.pid} ended with code {code}'
        lines = self._process.last_lines
        return f'{text}: {lines[-1]}' if lines else text

    def _log_line(self, line: str) -> None:
        if line:
            self._log(line)
