"""The events that the demo's processes send to the one that runs them: JSON, one per line."""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

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
