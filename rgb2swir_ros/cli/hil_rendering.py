"""Render the frames of a bench's source of the kind ``rendered``, which needs the laboratory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.files import write_picture
from rgb2swir_ros.hil.opening import RENDERED_CAMERA
from rgb2swir_ros.hil.scenario import Scenario
from rgb2swir_ros.ownership import require_free, write_json
from rgb2swir_ros.progress import ProgressDisplay
from rgb2swir_ros.sizes import parse_size

RATE_HZ = 15.0  # of a scenario that keeps recorded times


def render(scenario: Scenario, output: Path, *, overwrite: bool) -> Path | None:
    """Render the frames of the sources of the kind ``rendered`` to ``output/rendered``.

    They depend on the scenario's seed, rate, and the section's ``frames`` and ``size`` alone.

    :param overwrite: whether earlier ones may be replaced.
    :return: the folder; None if no source is of the kind.
    :raises UserError: if two such sources differ, or the folder has other pictures.
    """
    sections = [section for section in (*scenario.sources.values(), scenario.watchdog.failover)
                if section is not None and section.kind == 'rendered']
    if not sections:
        return None
    if any(section != replace(sections[0], loop=section.loop) for section in sections):
        raise UserError('the sources of the kind rendered differ: one rendering serves them all')
    from rgb2swir_ros.lab.scenes.frames import draw_drive, render_drive
    section, folder = sections[0], output / 'rendered'
    files = [folder / f'{index:06d}.png' for index in range(section.frames)]
    camera = folder / RENDERED_CAMERA
    earlier = [path for path in folder.glob('*.*') if path not in (*files, camera)]
    require_free([*files, camera, *earlier], overwrite=overwrite)
    for path in earlier:  # of a longer run: they would be shown, too
        path.unlink()
    rate = scenario.pacing.rate_hz or RATE_HZ
    scene, light = draw_drive(scenario.seed, parse_size(section.size), section.frames,
                              rate_hz=rate)
    write_json(camera, {'focal': scene.camera.focal})
    with ProgressDisplay(section.frames, 'frames rendered') as display:
        frames = render_drive(scene, light, section.frames, scenario.seed, rate_hz=rate)
        for file, frame in zip(files, frames, strict=True):
            write_picture(file, frame.rgb)
            display.advance()
    return folder
