"""The engine process: ``python -m rgb2swir_ros.engines.process``, started by `EngineClient`.

It has three threads: the main thread translates frames; one builds engines, so that frames are
translated meanwhile; one sends heartbeats. The process ends when its parent does. An error of one
size is reported and does not affect the others.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import queue
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from rgb2swir_ros.engines.base import TransientError, first_line
from rgb2swir_ros.engines.cache import EngineCache
from rgb2swir_ros.engines.channel import Message, Size, Slot, receive, send
from rgb2swir_ros.errors import UserError

if TYPE_CHECKING:
    from rgb2swir_ros.engines.base import Engine

HEARTBEAT_S = 0.5
WARM_UPS = 3
LONGEST_TEXT = 2000  # a message holds 64 KiB, and JSON may take six bytes for a character
PR_SET_PDEATHSIG = 1


class EngineProcess:
    """Serve one parent over one channel."""

    def __init__(self, channel: socket.socket) -> None:
        """Store the channel; `serve` runs the process."""
        self._channel = channel
        self._requests: dict[Size, int] = {}  # number of the latest request for each size
        self._engines: dict[Size, tuple[Engine, Slot]] = {}
        self._registering = threading.Lock()  # guards `_requests` and `_engines`
        self._build_queue: queue.Queue[tuple[Size, int, Slot]] = queue.Queue()
        self._building = threading.Event()
        self._wake_heartbeat = threading.Event()

    def serve(self) -> NoReturn:
        """Handle requests until the parent closes the channel or dies."""
        threading.Thread(target=self._send_heartbeats, name='heartbeat', daemon=True).start()
        while True:
            message, descriptor = receive(self._channel)
            if message is None:
                exit_group()
            elif message['op'] == 'start':
                threading.Thread(target=self._build_all, args=(message['arguments'],),
                                 name='builder', daemon=True).start()
            elif message['op'] == 'prepare' and descriptor is not None:
                size = (message['height'], message['width'])
                slot = Slot(descriptor, size)
                os.close(descriptor)
                with self._registering:
                    self._requests[size] = message['number']
                self._build_queue.put((size, message['number'], slot))
            elif message['op'] == 'release':
                self._drop((message['height'], message['width']))
            elif message['op'] == 'infer':
                self._infer(message)

    def _infer(self, message: Message) -> None:
        size = (message['height'], message['width'])
        if size not in self._engines:
            self._send(op='broken', id=message['id'], height=size[0], width=size[1],
                       text='there is no engine of this size any more')
            return
        engine, slot = self._engines[size]
        started = time.perf_counter_ns()
        try:
            slot.radiance[:] = engine(slot.rgb[None])[0]
        except Exception as error:
            if str(engine.describe().get('device', '')).startswith('cuda'):
                raise  # after a CUDA error, this process cannot use the GPU
            traceback.print_exc()
            self._drop(size)
            self._send(op='broken', id=message['id'], height=size[0], width=size[1],
                       text=_text(error))
            return
        inference_ms = (time.perf_counter_ns() - started) / 1e6
        self._send(op='done', id=message['id'], height=size[0], width=size[1],
                   inference_ms=inference_ms)

    def _drop(self, size: Size, number: int | None = None) -> None:
        """Free an engine that was released or has failed.

        :param number: if given, free it only if this is its latest request.
        """
        with self._registering:
            if number in (None, self._requests.get(size)):
                self._requests.pop(size, None)
                self._engines.pop(size, None)
        gc.collect()

    def _build_all(self, arguments: dict[str, Any]) -> None:
        """Build the requested engines in order; this is the builder thread."""
        try:
            if arguments.get('backend') != 'eager':
                EngineCache(arguments.get('cache'))  # checked before the slow import of torch
            self._progress('importing torch')
            gc.disable()  # torch makes a million objects and no garbage: a sixth of its import
            from rgb2swir_ros.engines.arguments import check_arguments
            from rgb2swir_ros.engines.build import open_engine

            gc.freeze()  # nor shall collections between frames look through them
            gc.enable()
            check_arguments(**arguments)
            opener = partial(open_engine, **arguments, progress=self._progress)
            self._send(op='started', pid=os.getpid())
            while True:
                size, number, slot = self._build_queue.get()
                if self._requests.get(size) == number:  # not released meanwhile
                    self._build(size, number, slot, opener)
        except UserError as error:
            self._send(op='failed', text=_text(error))
        except BaseException:
            exit_with_traceback()

    def _build(self, size: Size, number: int, slot: Slot,
               opener: Callable[..., Engine]) -> None:
        """Build one engine, warm it up and register it, or report why it failed."""
        named = {'height': size[0], 'width': size[1], 'number': number}
        self._send(op='building', **named)
        self._mark_building(True)
        try:
            engine = opener(size=size)
            self._mark_building(False)
            self._progress('warming up')
            for _ in range(WARM_UPS):
                engine(np.zeros((1, *size, 3), np.uint8))
            description = engine.describe()
        except Exception as error:
            known = isinstance(error, UserError)
            if not known:
                traceback.print_exc()
            self._drop(size, number)
            self._send(op='failed', **named, text=_text(error),
                       again=not known or isinstance(error, TransientError))
            return
        finally:
            self._mark_building(False)
        with self._registering:
            if self._requests.get(size) == number:
                self._engines[size] = engine, slot
        self._send(op='ready', **named, engine=description)

    def _send_heartbeats(self) -> None:
        """Send heartbeats, and set the parent-death signal.

        With the signal, the kernel ends this process when the parent dies, even if native code
        hangs and holds the global interpreter lock. While a compiler runs the signal is off:
        then the end of the channel shows that the parent has died, and the whole process group is
        killed, compilers included. The kernel keeps this setting per thread.
        """
        libc = ctypes.CDLL(None, use_errno=True)
        while True:
            self._wake_heartbeat.clear()
            parent_death_signal = 0 if self._building.is_set() else signal.SIGKILL
            libc.prctl(PR_SET_PDEATHSIG, int(parent_death_signal), 0, 0, 0)
            self._send(op='heartbeat')
            self._wake_heartbeat.wait(HEARTBEAT_S)

    def _mark_building(self, building: bool) -> None:
        if building:
            self._building.set()
        else:
            self._building.clear()
        self._wake_heartbeat.set()

    def _progress(self, text: str) -> None:
        self._send(op='progress', text=text[:LONGEST_TEXT])

    def _send(self, **message: Any) -> None:
        try:
            send(self._channel, message)
        except OSError:
            exit_group()


def _text(error: Exception) -> str:
    """Return an error in one line that fits a message."""
    text = str(error) if isinstance(error, UserError) else first_line(error)
    return ' '.join(text.split())[:LONGEST_TEXT]


def exit_group() -> NoReturn:
    """Kill this process and the compilers it started; there is no state to save."""
    sys.stdout.flush()
    sys.stderr.flush()
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def exit_with_traceback() -> NoReturn:
    """Exit after an internal error: the client logs the traceback and restarts the process."""
    traceback.print_exc()
    exit_group()


def main() -> None:
    """Serve the channel whose descriptor is the only argument."""
    if len(sys.argv) != 2 or not sys.argv[1].isdigit():
        sys.exit('this is the engine process of rgb2swir_ros; translator_node starts it')
    # Ctrl-C in a terminal reaches all processes; the parent decides when this one ends
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(stream=sys.stderr, format='%(levelname)s: %(message)s')
    try:
        EngineProcess(socket.socket(fileno=int(sys.argv[1]))).serve()
    except Exception:
        exit_with_traceback()


if __name__ == '__main__':
    main()
