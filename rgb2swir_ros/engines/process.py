"""The engine process: ``python -m rgb2swir_ros.engines.process``, started by `EngineClient`.

Three threads: this one translates frames; one builds engines, so that a camera is served while
another's engine is compiled; one sends heartbeats. The process ends when its parent does.
"""

from __future__ import annotations

import ctypes
import logging
import os
import queue
import signal
import socket
import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from rgb2swir_ros.engines.channel import Message, Size, Slot, receive, send
from rgb2swir_ros.errors import UserError

if TYPE_CHECKING:
    from rgb2swir_ros.engines.base import Engine

HEARTBEAT_S = 0.5
WARM_UPS = 3
PR_SET_PDEATHSIG = 1


class EngineProcess:
    """Serve one parent over one channel."""

    def __init__(self, channel: socket.socket) -> None:
        """Take the channel; `serve` does the rest."""
        self._channel = channel
        self._engines: dict[Size, tuple[Engine, Slot]] = {}
        self._wanted: queue.Queue[tuple[Size, Slot]] = queue.Queue()
        self._building = threading.Event()
        self._wake_heart = threading.Event()

    def serve(self) -> NoReturn:
        """Answer until the parent closes the channel or dies."""
        threading.Thread(target=self._beat, name='heartbeat', daemon=True).start()
        while True:
            message, descriptor = receive(self._channel)
            if message is None:
                end_group()
            elif message['op'] == 'start':
                threading.Thread(target=self._build_all, args=(message['arguments'],),
                                 name='builder', daemon=True).start()
            elif message['op'] == 'prepare' and descriptor is not None:
                size = (message['height'], message['width'])
                self._wanted.put((size, Slot(descriptor, size)))
                os.close(descriptor)
            elif message['op'] == 'infer':
                self._infer(message)

    def _infer(self, message: Message) -> None:
        engine, slot = self._engines[message['height'], message['width']]
        started = time.perf_counter_ns()
        slot.radiance[:] = engine(slot.rgb[None])[0]
        inference_ms = (time.perf_counter_ns() - started) / 1e6
        self._tell(op='done', id=message['id'], inference_ms=inference_ms)

    def _build_all(self, arguments: dict[str, Any]) -> None:
        """Build what is asked for, in order: the work of the builder thread."""
        try:
            self._progress('importing torch')
            from rgb2swir_ros.engines.build import check_model, open_engine

            check_model(arguments['model'])
            self._tell(op='started', pid=os.getpid())
            while True:
                size, slot = self._wanted.get()
                self._mark_building(True)
                engine = open_engine(**arguments, size=size, progress=self._progress)
                self._mark_building(False)
                self._progress('warming up')
                for _ in range(WARM_UPS):
                    engine(np.zeros((1, *size, 3), np.uint8))
                self._engines[size] = engine, slot
                self._tell(op='ready', height=size[0], width=size[1], engine=engine.describe())
        except UserError as error:
            self._tell(op='failed', text=str(error))
        except BaseException:
            end_with_traceback()

    def _beat(self) -> None:
        """Send heartbeats, and see to it that nothing outlives the parent.

        While a compiler runs, the death of the parent is noticed as the end of the channel, and
        the whole group is ended. At other times the kernel ends this process by itself, even
        where native code hangs with Python's lock held. The kernel keeps that wish per thread.
        """
        libc = ctypes.CDLL(None, use_errno=True)
        while True:
            self._wake_heart.clear()
            wish = 0 if self._building.is_set() else signal.SIGKILL
            libc.prctl(PR_SET_PDEATHSIG, int(wish), 0, 0, 0)
            self._tell(op='heartbeat')
            self._wake_heart.wait(HEARTBEAT_S)

    def _mark_building(self, building: bool) -> None:
        if building:
            self._building.set()
        else:
            self._building.clear()
        self._wake_heart.set()

    def _progress(self, text: str) -> None:
        self._tell(op='progress', text=text)

    def _tell(self, **message: Any) -> None:
        try:
            send(self._channel, message)
        except OSError:
            end_group()


def end_group() -> NoReturn:
    """End this process and the compilers it started, at once: nothing of it is worth saving."""
    sys.stdout.flush()
    sys.stderr.flush()
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def end_with_traceback() -> NoReturn:
    """End on an error that is not the user's: the client logs the traceback and starts anew."""
    traceback.print_exc()
    end_group()


def main() -> None:
    """Serve the channel whose descriptor is the one argument."""
    if len(sys.argv) != 2 or not sys.argv[1].isdigit():
        sys.exit('this is the engine process of rgb2swir_ros; translator_node starts it')
    # Ctrl-C in a terminal reaches everybody; the parent decides when this process ends
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(stream=sys.stderr, format='%(levelname)s: %(message)s')
    try:
        EngineProcess(socket.socket(fileno=int(sys.argv[1]))).serve()
    except Exception:
        end_with_traceback()


if __name__ == '__main__':
    main()
