"""The engine process: ``python -m rgb2swir_ros.engines.process``, started by `EngineClient`.

Three threads: this one translates frames; one builds engines, so that a camera is served while
another's engine is compiled; one sends heartbeats. The process ends when its parent does. An
error of one size is reported and ends nothing else.
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
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from rgb2swir_ros.engines.base import PassingError, first_line
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
        """Take the channel; `serve` does the rest."""
        self._channel = channel
        self._asked: dict[Size, int] = {}  # the latest request's number
        self._engines: dict[Size, tuple[Engine, Slot]] = {}
        self._registering = threading.Lock()  # guards those two
        self._wanted: queue.Queue[tuple[Size, int, Slot]] = queue.Queue()
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
                slot = Slot(descriptor, size)
                os.close(descriptor)
                with self._registering:
                    self._asked[size] = message['number']
                self._wanted.put((size, message['number'], slot))
            elif message['op'] == 'release':
                self._drop((message['height'], message['width']))
            elif message['op'] == 'infer':
                self._infer(message)

    def _infer(self, message: Message) -> None:
        size = (message['height'], message['width'])
        if size not in self._engines:
            self._tell(op='broken', id=message['id'], height=size[0], width=size[1],
                       text='there is no engine of this size any more')
            return
        engine, slot = self._engines[size]
        started = time.perf_counter_ns()
        try:
            slot.radiance[:] = engine(slot.rgb[None])[0]
        except Exception as error:
            if str(engine.describe().get('device', '')).startswith('cuda'):
                raise  # after an error on a GPU, nothing works there for this process any more
            traceback.print_exc()
            self._drop(size)
            self._tell(op='broken', id=message['id'], height=size[0], width=size[1],
                       text=_text(error))
            return
        inference_ms = (time.perf_counter_ns() - started) / 1e6
        self._tell(op='done', id=message['id'], height=size[0], width=size[1],
                   inference_ms=inference_ms)

    def _drop(self, size: Size, number: int | None = None) -> None:
        """Free an engine that nobody wants any more, or that failed.

        :param number: only if this is the latest request for it.
        """
        with self._registering:
            if number in (None, self._asked.get(size)):
                self._asked.pop(size, None)
                self._engines.pop(size, None)
        gc.collect()

    def _build_all(self, arguments: dict[str, Any]) -> None:
        """Build what is asked for, in order: the work of the builder thread."""
        try:
            if arguments.get('backend') != 'eager':
                EngineCache(arguments.get('cache'))  # needs no torch, so it is said at once
            self._progress('importing torch')
            from rgb2swir_ros.engines.build import check_arguments

            check_arguments(**arguments)
            self._tell(op='started', pid=os.getpid())
            while True:
                size, number, slot = self._wanted.get()
                if self._asked.get(size) == number:  # not released meanwhile
                    self._build(size, number, slot, arguments)
        except UserError as error:
            self._tell(op='failed', text=_text(error))
        except BaseException:
            end_with_traceback()

    def _build(self, size: Size, number: int, slot: Slot, arguments: dict[str, Any]) -> None:
        """Build one engine, warm it up and take it into service, or report why it cannot be."""
        from rgb2swir_ros.engines.build import open_engine

        named = {'height': size[0], 'width': size[1], 'number': number}
        self._tell(op='building', **named)
        self._mark_building(True)
        try:
            engine = open_engine(**arguments, size=size, progress=self._progress)
            self._mark_building(False)
            self._progress('warming up')
            for _ in range(WARM_UPS):
                engine(np.zeros((1, *size, 3), np.uint8))
            about = engine.describe()
        except Exception as error:
            known = isinstance(error, UserError)
            if not known:
                traceback.print_exc()
            self._drop(size, number)
            self._tell(op='failed', **named, text=_text(error),
                       again=not known or isinstance(error, PassingError))
            return
        finally:
            self._mark_building(False)
        with self._registering:
            if self._asked.get(size) == number:
                self._engines[size] = engine, slot
        self._tell(op='ready', **named, engine=about)

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
        self._tell(op='progress', text=text[:LONGEST_TEXT])

    def _tell(self, **message: Any) -> None:
        try:
            send(self._channel, message)
        except OSError:
            end_group()


def _text(error: Exception) -> str:
    """Return an error in one line that fits a message."""
    text = str(error) if isinstance(error, UserError) else first_line(error)
    return ' '.join(text.split())[:LONGEST_TEXT]


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
