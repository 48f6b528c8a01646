"""Open the sources of a scenario."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.hil.scenario import Scenario
from rgb2swir_ros.hil.sections import SourceSection
from rgb2swir_ros.hil.source import SourceFrame, open_pictures, restamped
from rgb2swir_ros.sizes import parse_size

Frames = Iterator[SourceFrame]
RENDERED_CAMERA = 'camera.json'  # beside rendered frames: their camera


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
    folder = Path(rendered).absolute()
    return SourceSection(kind='folder', path=str(folder), loop=section.loop,
                         focal=section.focal or _focal(folder / RENDERED_CAMERA))


def _focal(file: Path) -> float:
    """Return the focal length over width that rendered frames have; 0 if it is not noted."""
    if not file.is_file():
        return 0.0
    try:
        return float(json.loads(file.read_text())['focal'])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"'{file}' does not say the focal length of the frames: {error}"
                        ) from error
