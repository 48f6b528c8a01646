"""What the demo's processes send to the one that runs them: events, errors, an exit code.

An event is a line of JSON on standard output.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rgb2swir_ros.errors import UserError

USER_ERROR = 2  # the exit code after one line that states the error

_lock = threading.Lock()


def say(event: str, **values: Any) -> None:
    """Print an event on standard output; ignore a reader that is gone."""
    line = json.dumps({'event': event, **values})
    with _lock:
        try:
            print(line, flush=True)
        except (BrokenPipeError, ValueError):
            sys.stdout = open('/dev/null', 'w')  # noqa: SIM115 - for the rest of the process


def parse(line: str) -> dict[str, Any] | None:
    """Return the event of a line, or None for any other line (the output of a library)."""
    if not line.startswith('{'):
        return None
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and 'event' in event else None


def listen(go: threading.Event, closed: threading.Event) -> None:
    """Follow the standard input in a thread: ``go`` is set by a line, ``closed`` by its end."""
    def follow() -> None:
        for _ in sys.stdin:
            go.set()
        closed.set()

    threading.Thread(target=follow, daemon=True).start()


@contextmanager
def ros_context(name: str, record: Path | None, arguments: Sequence[str] = ()
                ) -> Iterator[None]:
    """Initialise rclpy for a block, and shut it down afterwards.

    An error that a user can fix is printed as one line, ``NAME: ...``, and ends the process with
    exit code `USER_ERROR`.

    :param name: of the process.
    :param record: the file that it writes, named if an error of the system names none.
    :param arguments: of ROS.
    """
    import rclpy
    rclpy.init(args=list(arguments))
    try:
        yield
    except UserError as error:
        print(f'{name}: {error}', file=sys.stderr)
        sys.exit(USER_ERROR)
    except OSError as error:  # the disk is full
        print(f"{name}: '{error.filename or record}': {error.strerror or error}",
              file=sys.stderr)
        sys.exit(USER_ERROR)
    finally:
        rclpy.try_shutdown()
