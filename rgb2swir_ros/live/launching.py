"""The arguments of replay.launch.py as strings. Needs no ``launch`` package."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rgb2swir_ros.live.player import camera_names
from rgb2swir_ros.replay.bag import CameraBag


@dataclass(frozen=True)
class PlayerArgument:
    """A launch argument of the player: its description and default; without one it must be given.

    :param option: of the player's command line; '' for its first word.
    """

    description: str
    default: str | None = None
    option: str = ''


PLAYER_ARGUMENTS: dict[str, PlayerArgument] = {
    'bag': PlayerArgument('Bag to play: a folder, .mcap, .db3 or .bag.'),
    'topics': PlayerArgument('Image topics to play, with spaces between them; empty: every colour '
                             'camera.', '', '--topics'),
    'rate': PlayerArgument('Times the recorded pace.', '1.0', '--rate'),
    'loop': PlayerArgument('How often the bag is played.', '1', '--loop'),
    'clock': PlayerArgument('Rate of /clock in hertz.', '40.0', '--clock'),
    'start_offset': PlayerArgument('Seconds of the bag that are passed over.', '0.0',
                                   '--start-offset'),
    'playback_duration': PlayerArgument('Seconds of the bag that are played; empty: to its end.',
                                        '', '--playback-duration'),
}


def player_words(values: Mapping[str, str]) -> list[str]:
    """Return the player's command line.

    :param values: the string of every argument.
    """
    words = [values['bag']]
    for name, row in PLAYER_ARGUMENTS.items():
        if row.option and values[name]:
            words += [row.option, *(values[name].split() if name == 'topics' else [values[name]])]
    return words


def recorded_cameras(values: Mapping[str, str]) -> str:
    """Return the node's parameter ``cameras`` for a bag, as it is written after ``cameras:=``.

    :raises FootageError: if the bag cannot be read or has none.
    """
    return json.dumps(camera_names(CameraBag(Path(values['bag']), values['topics'].split())))
