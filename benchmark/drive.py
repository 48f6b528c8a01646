"""Render the drive that comes with the package: rgb2swir_ros/demo/drive.mp4.

Takes about half an hour on two cores.
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from rgb2swir_ros.cli.shared import add_overwrite
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.files import finished
from rgb2swir_ros.lab.scenes.frames import render_drive
from rgb2swir_ros.lab.scenes.light import draw_light
from rgb2swir_ros.lab.scenes.scene import Scene
from rgb2swir_ros.lab.scenes.scene_generator import draw_scene
from rgb2swir_ros.ownership import require_free
from rgb2swir_ros.replay.drive import FILE, FOCAL
from rgb2swir_ros.replay.video_writer import VideoWriter

RATE_HZ = 15.0
SPEED = 9.0  # metres a second
PLACE, WEATHER, SEED = 'suburb', 'clear', 5


def demo_scene(seed: int, size: tuple[int, int]) -> Scene:
    """Return the scene, seen through the demo's camera, which drives at an even pace."""
    scene = draw_scene(np.random.default_rng([31, seed]), size, PLACE, 6.0)
    left, right = scene.terrain.edges
    camera = replace(scene.camera, focal=FOCAL, height=1.5, d=left + .72 * (right - left),
                     pitch=math.radians(-1.5), yaw=0.0, roll=0.0, speed=SPEED)
    # nobody close ahead hides the street, and who is farther ahead keeps pace
    objects = tuple(replace(t, speed=SPEED) if t.speed and abs(t.heading) < .5 else t
                    for t in scene.objects if t.mesh.parts[0].name != 'bonnet'
                    and not (t.speed and abs(t.d - camera.d) < 2
                             and camera.z < t.z < camera.z + 25))
    return replace(scene, camera=camera, objects=objects)


def main() -> None:
    """Render and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--output', type=Path, default=Path('out/drive.mp4'),
                        help='(default %(default)s); the package has it as ' + FILE.name)
    parser.add_argument('--frames', type=int, default=90)
    parser.add_argument('--size', type=int, nargs=2, default=(540, 960),
                        metavar=('HEIGHT', 'WIDTH'))
    parser.add_argument('--seed', type=int, default=SEED)
    add_overwrite(parser)
    arguments = parser.parse_args()
    try:
        require_free([arguments.output], overwrite=arguments.overwrite)
    except UserError as error:
        parser.error(str(error))
    height, width = arguments.size
    light = draw_light(np.random.default_rng([32, arguments.seed]), WEATHER)
    scene = demo_scene(arguments.seed, (2 * height, 2 * width))
    with finished(arguments.output) as part, VideoWriter(part, RATE_HZ, crf=23) as video:
        for index, frame in enumerate(render_drive(scene, light, arguments.frames, arguments.seed,
                                                   rate_hz=RATE_HZ)):
            video.write(frame.rgb)
            print(f'\r{index + 1}/{arguments.frames} frames', end='', file=sys.stderr, flush=True)
    print(file=sys.stderr)


if __name__ == '__main__':
    main()
