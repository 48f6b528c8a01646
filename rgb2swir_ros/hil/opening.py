"""Open the sources of a scenario."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.hil.scenario import Scenario
from rgb2swir_ros.hil.sections import SourceSection
from rgb2swir_ros.hil.source import SourceFrame, open_pictures, restamped
from rgb2swir_ros.sizes import parse_size

Frames = Iterator[SourceFrame]


def open_footage(scenario: Scenario, rendered: str) -> tuple[dict[str, Frames], Frames | None]:
    """Open all sources that are footage.

    :param rendered: folder of the frames that were rendered for the run, or empty.
    :return: the frames of each camera that has no live topic, and those of the failover source.
    :raises UserError: if one cannot be opened.
    """
    box, rate = parse_size(scenario.translator.size), scenario.pacing.rate_hz
    folder = scenario.path.absolute().parent

    def frames(section: SourceSection, where: str) -> Frames:
        try:
            return restamped(open_pictures(_with_path(section, rendered), folder), box, rate)
        except UserError as error:
            raise UserError(f'{where}: {error}') from None
    footage = {camera: frames(section, f'the source of {camera}')
               for camera, section in scenario.sources.items() if section.kind != 'topic'}
    if scenario.stepped and len(footage) < len(scenario.cameras):
        raise UserError('a live topic runs on the wall clock: stepped needs footage')
    failover = scenario.watchdog.failover
    if failover is None:
        return footage, None
    return footage, frames(replace(failover, loop=True), 'the failover source')


def _with_path(section: SourceSection, rendered: str) -> SourceSection:
    """Return where rendered frames are; other sections as they are."""
    if section.kind != 'rendered':
        return section
    if not rendered:
        raise UserError('frames are rendered by rgb2swir hil; the node needs their folder in its '
                        "parameter 'rendered'")
    return SourceSection(kind='folder', path=str(Path(rendered).absolute()), loop=section.loop,
                         focal=section.focal)
