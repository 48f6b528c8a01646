"""The balance of the frames, from the counts of the three processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Account:
    """The frames of one run.

    :param sent: the camera's count.
    :param received: the node's count, like the four after it.
    :param lost_noticed: frames that the node knows it missed, by gaps in sequence numbers; it
        cannot know of those before the first and after the last frame that arrived.
    :param recorded: the recorder's count.
    :param strangers: recorded frames whose stamp the camera did not send, or sent less often.
    """

    sent: int
    received: int
    translated: int
    dropped: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    lost_noticed: int = 0
    in_hand: int = 0
    recorded: int = 0
    strangers: int = 0

    @property
    def lost(self) -> int:
        """Frames that the camera sent and the node did not receive."""
        return self.sent - self.received

    @property
    def lost_to_recorder(self) -> int:
        """Frames that the node translated and the recorder did not receive."""
        return self.translated - self.recorded

    def problems(self) -> list[str]:
        """Return the contradictions between the counts; empty if every frame is accounted for."""
        found = []
        fates = self.translated + sum(self.dropped.values()) + sum(self.refused.values())
        if self.received != fates:
            found.append(f'the node received {self.received} frames, but accounts for {fates}'
                         + (f'; {self.in_hand} still in its hands' if self.in_hand else ''))
        if self.lost < 0:
            found.append(f'the node received {self.received} frames, but {self.sent} were sent')
        if self.lost_noticed > max(self.lost, 0):
            found.append(f'the node missed {self.lost_noticed} frames, but only '
                         f'{max(self.lost, 0)} did not arrive')
        if self.lost_to_recorder < 0:
            found.append(f'{self.recorded} frames were recorded, but {self.translated} translated')
        if self.strangers:
            found.append(f'{self.strangers} recorded frames have a stamp that was not sent')
        if not self.translated:
            found.append('no frame was translated')
        return found

    def rows(self) -> list[tuple[str, int]]:
        """Return (name, count) of each row of the table; reasons with count zero have no row."""
        named = [(f'dropped: {words(key)}', n) for key, n in sorted(self.dropped.items()) if n]
        named += [(f'refused: {words(key)}', n) for key, n in sorted(self.refused.items()) if n]
        return [
            ('sent by the camera', self.sent), ('received by the node', self.received),
            ('translated', self.translated), ('dropped', sum(self.dropped.values())),
            *[row for row in named if row[0].startswith('dropped')],
            ('refused', sum(self.refused.values())),
            *[row for row in named if row[0].startswith('refused')],
            ('lost in transport', self.lost), ('  noticed by the node', self.lost_noticed),
            ('recorded', self.recorded), ('lost on the way to the recorder',
                                          self.lost_to_recorder)]


def words(key: str) -> str:
    """Return the readable name of a reason."""
    return {'overwritten': 'overwritten by a newer one', 'idle': 'nobody listened',
            'late': 'older than max_age_ms'}.get(key, key.replace('_', ' '))


def balance(camera: Mapping[str, Any], sent: Sequence[int], recorded: Sequence[int]) -> Account:
    """Return the account of a run.

    :param camera: the values of the node's last status of its camera, as texts.
    :param sent: the stamps that the camera sent, in nanoseconds.
    :param recorded: the stamps that the recorder received.
    """
    def number(key: str) -> int:
        return int(float(camera.get(key, 0)))

    def group(prefix: str) -> dict[str, int]:
        return {key.removeprefix(prefix): number(key) for key in camera if key.startswith(prefix)}

    return Account(
        sent=len(sent), received=number('received'), translated=number('translated'),
        dropped=group('dropped_'), refused=group('refused_'),
        lost_noticed=number('lost_transport'), in_hand=number('in_hand'), recorded=len(recorded),
        strangers=sum((Counter(recorded) - Counter(sent)).values()))
