"""The parameters of the bench's node. Needs no ROS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Parameter:
    """One row of the table.

    :param fixed: whether it can be set at the start only.
    """

    name: str
    default: Any
    description: str
    fixed: bool = True


PARAMETERS: tuple[Parameter, ...] = (
    Parameter('scenario', '', 'The scenario file to run.'),
    Parameter('record', '', 'Where the record of the run goes, as JSON; empty: nowhere.'),
    Parameter('rendered', '', 'Folder of the frames of a source of the kind rendered.'),
    Parameter('subscribers', 0, 'Wait for so many subscribers of each image topic before '
              'the run.'),
    Parameter('cache', '', "Folder for compiled engines; empty: $RGB2SWIR_CACHE or the user's "
              'cache folder.'),
    Parameter('inject', '', 'Faults to begin now, as a YAML list like that of a phase: [{kind: '
              'drop, end_s: 3}]; empty: end those that were begun in this way.', fixed=False),
)
