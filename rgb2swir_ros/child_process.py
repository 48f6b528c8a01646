"""A supervised child process: start it, read its output, end it with its own children."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import IO

from rgb2swir_ros.processes import python_command

LAST_LINES = 12
REAP_S = 10.0  # a killed process that a driver holds longer is left to the kernel
READ_S = 2.0  # its own children may hold its output open
LONGEST_PAUSE_S = 0.05

OnLine = Callable[[str], None]


class ChildProcess:
    """A process that runs a module of this package.

    It leads a session. So a signal of the terminal reaches only the parent, which then ends its
    processes in order, and the process can be ended together with its own children.

    :ivar pid: its process number, which is its group's as well.
    :ivar last_lines: the last lines that ``on_error`` got.
    """

    def __init__(self, module: str, *words: str, environment: Mapping[str, str],
                 on_output: OnLine | None = None, on_error: OnLine | None = None,
                 takes_input: bool = False, descriptors: Sequence[int] = (),
                 parent_death_signal: bool = True, longest_line: int = -1) -> None:
        """Start it.

        :param words: the module's arguments.
        :param on_output: called with each line of its standard output, in a thread; if it is the
            same as ``on_error``, both streams are read as one. None: standard output goes to this
            process's standard error.
        :param on_error: the same for its standard error, which by default is that of this process.
        :param takes_input: whether its standard input is a pipe from this process.
        :param descriptors: file descriptors that it inherits.
        :param parent_death_signal: let Linux end it when the calling thread ends, however that
            ends.
        :param longest_line: bytes after which a line is split; -1: never.
        :raises OSError: if no process can be started.
        """
        merged = on_output is not None and on_output == on_error
        self._process = subprocess.Popen(
            python_command(module, *words, unbuffered=True,
                           parent_death_signal=parent_death_signal),
            env=dict(environment), pass_fds=descriptors, start_new_session=True,
            stdin=subprocess.PIPE if takes_input else subprocess.DEVNULL,
            stdout=sys.stderr.fileno() if on_output is None else subprocess.PIPE,
            stderr=(subprocess.STDOUT if merged
                    else None if on_error is None else subprocess.PIPE))
        self.pid = self._process.pid
        self.last_lines: deque[str] = deque(maxlen=LAST_LINES)
        self._code: int | None = None
        self._ending = threading.Lock()
        self._reaped = False
        self._longest_line = longest_line
        streams = [(self._process.stdout, on_output, merged),
                   (self._process.stderr, on_error, True)]
        self._readers = [
            threading.Thread(target=self._read, args=(stream, on_line, kept), daemon=True,
                             name=f'{module}-output')
            for stream, on_line, kept in streams if stream is not None]
        for reader in self._readers:
            reader.start()

    def write_line(self, line: str) -> None:
        """Write a line to its standard input, unless that is closed."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError, ValueError):
            self._process.stdin.write(f'{line}\n'.encode())
            self._process.stdin.flush()

    def close_input(self) -> None:
        """Close its standard input, if it has one."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()

    def wait(self, seconds: float) -> int | None:
        """Wait for its end and for its remaining output.

        :return: the exit code, the negative number of the signal that killed it, or None if it
            still runs when the time is over.
        """
        deadline, pause = time.monotonic() + seconds, 0.0005
        while (code := self._poll()) is None:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            pause = min(2 * pause, left, LONGEST_PAUSE_S)
            time.sleep(pause)
        for reader in self._readers:
            reader.join(READ_S)
        return code

    def signal(self, number: int, *, group: bool = True) -> None:
        """Send a signal to it and its children, or to it alone; from any thread."""
        with self._ending:
            if not self._reaped:  # the number may be reused afterwards
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    (os.killpg if group else os.kill)(self.pid, number)

    def kill(self) -> None:
        """Kill it and its children at once."""
        self.signal(signal.SIGKILL)

    def end(self, patience_s: float = 0.0) -> int | None:
        """End it and its children; idempotent.

        :param patience_s: time that it gets to end after its input was closed and SIGTERM was
            sent; then it is killed.
        :return: as of `wait`; None if even a kill does not end it, which a driver that hangs can
            cause.
        """
        self.close_input()
        if patience_s and self._poll() is None:
            self.signal(signal.SIGTERM)
            self.wait(patience_s)
        self.kill()  # its children as well
        code = self.wait(REAP_S)
        with self._ending:
            self._reaped = True
        if code is None:
            threading.Thread(target=self._process.wait, name='reaper', daemon=True).start()
        else:
            self._process.wait()
        return code

    def _poll(self) -> int | None:
        """Return what `wait` returns, at once; it is not reaped: its number stays."""
        if self._code is None:
            try:
                ended = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:  # SIGCHLD is ignored: the kernel has reaped it
                self._code = self._process.wait()
            else:
                if ended is not None:
                    killed = ended.si_code in (os.CLD_KILLED, os.CLD_DUMPED)
                    self._code = -ended.si_status if killed else ended.si_status
        return self._code

    def _read(self, stream: IO[bytes], on_line: OnLine, kept: bool) -> None:
        with stream:
            for raw in iter(lambda: stream.readline(self._longest_line), b''):
                line = raw.decode(errors='replace').rstrip()
                if kept and line:
                    self.last_lines.append(line)
                on_line(line)
