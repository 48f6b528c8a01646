"""Paired frames from a seed: one scene in several looks, or a drive through one scene.

A look is one rendering of a scene, under light, weather, materials and a camera of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from rgb2swir_ros.lab.scenes.bands import to_swir
from rgb2swir_ros.lab.scenes.boxes import ObjectBox, find_boxes
from rgb2swir_ros.lab.scenes.flow import optical_flow
from rgb2swir_ros.lab.scenes.geometry_buffer import make_geometry_buffer
from rgb2swir_ros.lab.scenes.light import Light, draw_light
from rgb2swir_ros.lab.scenes.material_map import MaterialMap, material_map
from rgb2swir_ros.lab.scenes.materials import MaterialTable
from rgb2swir_ros.lab.scenes.places import PLACES
from rgb2swir_ros.lab.scenes.populate import weighted_choice
from rgb2swir_ros.lab.scenes.raycast import RayCaster
from rgb2swir_ros.lab.scenes.rgb_camera import RgbCamera, draw_rgb_camera, take_picture
from rgb2swir_ros.lab.scenes.scene import Scene
from rgb2swir_ros.lab.scenes.scene_generator import draw_scene, with_clear_path
from rgb2swir_ros.lab.scenes.shading import draw_render_conditions, shade
from rgb2swir_ros.lab.scenes.weather import SHARES


@dataclass(frozen=True)
class RenderedFrame:
    """A pair of an RGB picture and a SWIR frame of the same view, with labels.

    :param rgb: uint8 (H, W, 3), RGB, sRGB-coded.
    :param swir: float32 (H, W), linear radiance in [0, 1] at the RGB frame's exposure.
    :param materials: material of each pixel; single frames only.
    :param flow: float32 (H, W, 2), pixels right and down to the position of each point in the
        next frame; ``seen``: bool (H, W), True where the point is visible there. Sequences only.
    """

    rgb: np.ndarray
    swir: np.ndarray
    objects: tuple[ObjectBox, ...]
    place: str
    weather: str
    materials: MaterialMap | None = None
    flow: np.ndarray | None = None
    seen: np.ndarray | None = None


def render_frames(seed: int, size: tuple[int, int], looks: int = 4, supersample: int = 2,
                  table: MaterialTable | None = None) -> list[RenderedFrame]:
    """Render one scene in several looks; rays are cast once.

    :param seed: the same seed, size and table give the same frames, on any machine with the same
        floating-point results, in any order of calls.
    :param size: (height, width) of the frames.
    :param looks: number of frames.
    :param supersample: size of the camera's picture over ``size``; it is resized by area, as the
        engine does it.
    """
    table = table or MaterialTable.load()
    scene = draw_scene(np.random.default_rng([21, seed]), _scaled(size, supersample))
    caster = RayCaster(scene)
    buffer = make_geometry_buffer(caster, scene.camera)
    materials = material_map(caster, buffer, supersample)
    frames = []
    for index in range(looks):
        rng = np.random.default_rng([22, seed, index])
        light = draw_scene_light(scene, rng)
        conditions = draw_render_conditions(caster, light, table, rng)
        bands = _as_image(shade(caster, buffer, conditions), scene.camera.size)
        rgb_camera = draw_rgb_camera(rng, bands[..., :3], light)
        rgb, swir = capture(bands, rgb_camera, size, rng)
        boxes = find_boxes(caster, buffer, supersample, swir)
        frames.append(RenderedFrame(rgb, swir, boxes, scene.place, light.weather, materials))
    return frames


def render_sequence(seed: int, size: tuple[int, int], count: int, *, rate_hz: float = 15.0,
                    supersample: int = 2, still: bool = False,
                    table: MaterialTable | None = None) -> Iterator[RenderedFrame]:
    """Render a drive through one scene in one look, with its true optical flow.

    :param count: number of frames; the last one has no flow.
    :param still: nothing moves; frames differ by the camera's noise alone.
    """
    scene, light = draw_drive(seed, size, count, rate_hz=rate_hz, supersample=supersample,
                              still=still)
    yield from render_drive(scene, light, count, seed, rate_hz=rate_hz, supersample=supersample,
                            table=table)


def draw_drive(seed: int, size: tuple[int, int], count: int, *, rate_hz: float = 15.0,
               supersample: int = 2, still: bool = False) -> tuple[Scene, Light]:
    """Draw the scene and the light of `render_sequence`, whose arguments these are."""
    scene = draw_scene(np.random.default_rng([21, seed]), _scaled(size, supersample),
                       seconds=0 if still else count / rate_hz)
    if still:
        scene = replace(scene, camera=replace(scene.camera, speed=0.0),
                        objects=tuple(replace(t, speed=0.0) for t in scene.objects))
    return scene, draw_scene_light(scene, np.random.default_rng([22, seed, 0]))


def render_drive(scene: Scene, light: Light, count: int, seed: int, *, rate_hz: float = 15.0,
                 supersample: int = 2,
                 table: MaterialTable | None = None) -> Iterator[RenderedFrame]:
    """Render a drive through a given scene; see `render_sequence`.

    :param seed: of the materials, the camera's settings and its noise.
    """
    scene = with_clear_path(scene, count / rate_hz)
    size = scene.camera.size[0] // supersample, scene.camera.size[1] // supersample
    rng = np.random.default_rng([24, seed])
    caster = RayCaster(scene)
    conditions = draw_render_conditions(caster, light, table or MaterialTable.load(), rng)
    rgb_camera: RgbCamera | None = None
    buffer = make_geometry_buffer(caster, scene.camera)
    for index in range(count):
        bands = _as_image(shade(caster, buffer, conditions), scene.camera.size)
        if rgb_camera is None:
            rgb_camera = draw_rgb_camera(rng, bands[..., :3], light)
        rgb, swir = capture(bands, rgb_camera, size, np.random.default_rng([23, seed, index]))
        boxes = find_boxes(caster, buffer, supersample, swir)
        flow = seen = None
        if index + 1 < count:
            poses, seconds = caster.poses, (index + 1) / rate_hz
            caster.at(seconds)
            following = make_geometry_buffer(caster, scene.camera, seconds)
            flow, seen = optical_flow(buffer, poses, following, caster.poses, supersample)
            buffer = following
        yield RenderedFrame(rgb, swir, boxes, scene.place, light.weather, flow=flow, seen=seen)


def draw_scene_light(scene: Scene, rng: np.random.Generator) -> Light:
    """Draw a light with the weather shares of the scene's place."""
    special = PLACES[scene.place].weathers if scene.place in PLACES else {}
    return draw_light(rng, weighted_choice({name: weight * special.get(name, 1.0)
                                            for name, weight in SHARES.items()}, rng))


def capture(bands: np.ndarray, rgb_camera: RgbCamera, size: tuple[int, int],
            rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return both pictures, resized to the frame's size.

    The SWIR frame gets part of the lens blur: a network cannot recover detail that the colour
    picture has lost entirely.

    :param bands: (H, W, 5) radiance.
    :return: RGB uint8 and SWIR float32 in [0, 1], both of ``size``.
    """
    rgb = take_picture(np.ascontiguousarray(bands[..., :3]), rgb_camera, rng)
    swir = to_swir(bands).astype(np.float32)
    if .6 * rgb_camera.blur >= .2:
        swir = np.asarray(cv2.GaussianBlur(swir, (0, 0), .6 * rgb_camera.blur))
    swir = np.clip(swir * np.float32(rgb_camera.exposure), 0, 1)
    if rgb.shape[:2] != size:
        rgb = np.asarray(cv2.resize(rgb, size[::-1], interpolation=cv2.INTER_AREA))
        swir = np.asarray(cv2.resize(swir, size[::-1], interpolation=cv2.INTER_AREA))
    return rgb, swir


def _as_image(radiance: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return radiance.reshape(*size, 5)


def _scaled(size: tuple[int, int], factor: int) -> tuple[int, int]:
    return size[0] * factor, size[1] * factor
