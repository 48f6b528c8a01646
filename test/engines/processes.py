"""A client whose log lines are recorded, and helpers to wait for its process."""

from __future__ import annotations

import time
from pathlib import Path

from rgb2swir_ros.engines.client import EngineClient

SIZE = (32, 48)
PATIENCE_S = 60.0


def wait_until(condition, what: str) -> None:
    """Wait for a condition that is soon true on an idle machine."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, f'{what} did not happen in {PATIENCE_S} s'
        time.sleep(0.02)


def group_members(group: int) -> list[int]:
    """Return the running processes of a process group."""
    members = []
    for stat in Path('/proc').glob('[0-9]*/stat'):
        try:
            state, _, pgrp = stat.read_text().rsplit(')', 1)[1].split()[:3]
        except OSError:
            continue
        if int(pgrp) == group and state not in 'ZX':
            members.append(int(stat.parent.name))
    return members


class Rig:
    """A client with its log lines."""

    def __init__(self, model, cache, **arguments):
        self.lines: list[str] = []
        self.client = EngineClient(str(model), cache=cache, threads=1, log=self.lines.append,
                                   **arguments)

    def until_ready(self, size=SIZE):
        def settled():
            assert self.client.status().state != 'failed', (self.client.status(), self.lines)
            return self.client.ready(size)
        wait_until(settled, f'engine {size}')
