"""One run of a live replay: the player plays a bag, and the node translates it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rgb2swir_ros.demo.conduct import Conductor, Sender

LOGS = ('player.log', 'translator.log', 'recorder.log')


@dataclass(frozen=True)
class LiveOptions:
    """What is played, and the node's parameters.

    :param cameras: the node's names of the bag's cameras.
    :param parameters: further parameters of the node.
    :param player: further words of the player's command line.
    :param engine_size: ``WxH`` of the engine to wait for; '' for any.
    """

    source: Path
    cameras: list[str]
    parameters: Mapping[str, Any]
    player: list[str]
    engine_size: str = ''


@dataclass
class LiveRun:
    """What a run left behind.

    :param sent: camera, stamp, record time and monotonic time of each frame, in nanoseconds.
    :param arrived: stamp, monotonic time and camera of each frame that was recorded.
    :param cameras: the values of the node's last status of each camera.
    :param engine: the values of its last status of the engine.
    :param broke_off: what of the bag could not be read, or ''.
    """

    sent: list[tuple[str, int, int, int]] = field(default_factory=list)
    arrived: list[tuple[int, int, str]] = field(default_factory=list)
    cameras: dict[str, dict[str, str]] = field(default_factory=dict)
    engine: dict[str, str] = field(default_factory=dict)
    broke_off: str = ''


class LiveConductor(Conductor):
    """One bag, played once or several times."""

    _options: LiveOptions

    def _run(self) -> LiveRun:
        options = self._options
        words = [str(options.source), '--record', str(self._work / 'sent.json'), *options.player]
        done, _ = self._send_through(
            Sender('player', 'live.player', words, 'playing'), options.cameras,
            {'use_sim_time': True, **options.parameters}, size=options.engine_size,
            recorder_words=['--by-arrival'])
        return LiveRun(self._record('sent'), self._record('arrived'), self._cameras,
                       self._engine, done['error'])
