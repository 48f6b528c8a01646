"""Shading of a geometry buffer: radiance in five bands under given conditions.

Units: 1.0 is the radiance of a white Lambertian surface that faces the main light, in each band.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rgb2swir_ros.lab.scenes import foliage
from rgb2swir_ros.lab.scenes.geometry_buffer import (
    SKY_DIRECTIONS,
    SKY_SHARES,
    GeometryBuffer,
    is_ground,
)
from rgb2swir_ros.lab.scenes.lamp_lighting import lamp_light
from rgb2swir_ros.lab.scenes.light import Light
from rgb2swir_ros.lab.scenes.materials import (
    MaterialTable,
    snow_covered_reflectance,
    wet_reflectance,
)
from rgb2swir_ros.lab.scenes.raycast import GROUND, RayCaster, RayHits
from rgb2swir_ros.lab.scenes.vectors import row_dot, row_length

FILM_GLOSS = .03  # Fresnel reflectance of water at normal incidence, for films and puddles
# Leaves scatter so much SWIR that light fills the small shadows between them
TISSUE = {'grass', 'leaf', 'conifer', 'dry_grass'}
LEAVES = {'leaf', 'conifer'}
TISSUE_RELIEF_SWIR = .6
UNEVEN = TISSUE | {'soil', 'sand', 'gravel', 'granite', 'wood', 'rust', 'roof', 'brick'}
# Depth of a leaf in its crown, towards the sun: a leaf whose sun returns within a reach (m) lies
# behind so many layers of leaves. Beyond the last it lies in the shadow of another object.
REACHES_M, LAYERS = (1.5, 3.0, 6.0), (.3, 1.0, 1.9)
# Materials with dyed or painted patterns, which lose much of their visible contrast in SWIR
DYED = {'cloth', 'sign_face', 'car_paint', 'metal_paint', 'plastic'}


@dataclass(frozen=True)
class RenderConditions:
    """The light and the materials that one frame is rendered with.

    :param reflectance: (S, 5), a row for each surface of the caster.
    :param snow: (5,) reflectance of the snow of ``light.snow``.
    :param relief: factor on the contrast of all textures.
    :param tint: (S, 5) amplitude of the variation of log reflectance over metres, by band.
    :param relief_swir: (S,) contrast of the texture in SWIR over that in the visible.
    """

    light: Light
    reflectance: np.ndarray
    snow: np.ndarray
    relief: float
    tint: np.ndarray
    relief_swir: np.ndarray


def draw_render_conditions(caster: RayCaster, light: Light, table: MaterialTable,
                           rng: np.random.Generator) -> RenderConditions:
    """Draw the reflectance of every surface; those of one material group are similar."""
    rows = np.empty((len(caster.surfaces), 5), np.float32)
    groups: dict[tuple[int, str, str], np.ndarray] = {}
    for number, surface in enumerate(caster.surfaces):
        part = surface.part
        if surface.material_group < 0:
            rows[number] = table.draw(part.material, rng)
            continue
        key = (surface.material_group, part.material, part.name)
        if key not in groups:
            groups[key] = table.draw(part.material, rng)
        rows[number] = groups[key] * np.exp(rng.normal(0, .08))
    count = len(rows)
    names = [s.part.material for s in caster.surfaces]
    # woods in the distance are ground, with the light of crowns and not of single leaves
    woods = np.array([s.object_index == GROUND and n in LEAVES
                      for s, n in zip(caster.surfaces, names, strict=True)])
    rows[woods] = foliage.crown_reflectance(rows[woods], foliage.in_tuft(names)[woods])
    uneven = np.array([.11 if n in UNEVEN else .04 for n in names])[:, None]
    tint = uneven * (rng.normal(0, .8, (count, 1)) + rng.normal(0, .6, (count, 5)))
    dyed = np.array([n in DYED for n in names])
    left = np.where(dyed, rng.uniform(.1, 1.0, count), rng.uniform(.75, 1.1, count))
    left[[n in TISSUE for n in names]] = TISSUE_RELIEF_SWIR
    return RenderConditions(light, np.clip(rows, .005, .99), table.draw('snow', rng),
                float(rng.uniform(.7, 1.4)), tint.astype(np.float32), left.astype(np.float32))


def shade(caster: RayCaster, buffer: GeometryBuffer, conditions: RenderConditions) -> np.ndarray:
    """Return radiance (N, 5), float32, not clipped."""
    hits, light = buffer.hits, conditions.light
    solid = ~hits.sky
    rho = _reflectance(caster, buffer, conditions)
    leafy = np.array([s.part.leafy for s in caster.surfaces])[hits.surface] & solid
    in_tuft = foliage.in_tuft([s.part.material for s in caster.surfaces])
    rho[leafy] = foliage.tuft_albedo(rho[leafy], in_tuft[hits.surface[leafy]])
    irradiance = _irradiance(caster, buffer, conditions, rho, leafy)
    lamps = lamp_light(caster, buffer, light)
    if lamps.any():
        lamps[leafy] *= .5  # a lamp lights one side of a leaf, and both scatter
        irradiance += lamps
    radiance = rho * irradiance
    radiance += _emission(caster, buffer, light)
    _add_reflections(caster, buffer, conditions, radiance)
    clear = np.exp(-np.where(solid, hits.distance, 0)[:, None] * light.extinction)
    radiance = radiance * clear + (1 - clear) * light.air
    sky = np.flatnonzero(hits.sky)
    if len(sky):
        radiance[sky] = light.sky_radiance(buffer.direction[sky])
    return radiance.astype(np.float32)


def _reflectance(caster: RayCaster, buffer: GeometryBuffer,
                 conditions: RenderConditions) -> np.ndarray:
    hits, light = buffer.hits, conditions.light
    rho = conditions.reflectance[hits.surface]
    parts = [s.part for s in caster.surfaces]
    contrast = np.array([p.contrast for p in parts], np.float32)[hits.surface] * conditions.relief
    relief = np.clip(contrast * (buffer.fine + .35 * buffer.coarse), -1.5, 1.0)
    logarithm = conditions.tint[hits.surface] * buffer.coarse[:, None]
    logarithm[:, :3] += relief[:, None]
    logarithm[:, 3:] += (relief * conditions.relief_swir[hits.surface])[:, None]
    rho = np.clip(rho * np.exp(logarithm), .003, .97)
    if light.wetness:
        open_up = np.clip(hits.normal[:, 1], 0, 1) * buffer.open_sky[:, -1]
        depth = light.wetness * np.clip(.75 + .35 * buffer.coarse, 0, 1) * open_up
        # water lies on leaves and paint, but soaks into neither
        soaks = np.array([not (p.leafy or p.gloss) for p in parts], np.float32)[hits.surface]
        rho = rho + depth[:, None] * (wet_reflectance(rho, 1.0, soaks) - rho)
    if light.snow:
        upward = np.clip((hits.normal[:, 1] - .35) / .3, 0, 1) * buffer.open_sky[:, -1]
        drift = .9 * buffer.coarse + .3 * buffer.fine
        # traffic and ploughs clear most of the carriageway
        road = np.array([p.name in {'road', 'repair', 'red'} or 'paint' in p.material
                         for p in parts])[hits.surface] & is_ground(hits)
        cover = np.where(road, light.snow * 1.6 - 1.05, light.snow * 2.2 - .6)
        lies = np.clip((cover * 1.4 + drift) * 2.5 + .5, 0, 1) * upward
        rho = snow_covered_reflectance(rho, conditions.snow, lies)
    return rho.astype(np.float32)


def _irradiance(caster: RayCaster, buffer: GeometryBuffer, conditions: RenderConditions,
                albedo: np.ndarray, leafy: np.ndarray) -> np.ndarray:
    """Return the irradiance (N, 5), float32, of every pixel's surface, lamps aside.

    Of leaves it is the mean of both sides.

    :param albedo: (N, 5) of tufts of leaves, where ``leafy`` (N,).
    """
    hits, light = buffer.hits, conditions.light
    toward = light.sun_direction.astype(np.float32)
    cosine = hits.normal @ toward
    share = np.where(leafy, .5 * foliage.facing(cosine), np.clip(cosine, 0, 1))
    lit = np.zeros(len(cosine), np.float32)
    if light.sun.any():
        rows = np.flatnonzero(~hits.sky & (share > 0))
        side = np.where(cosine[rows, None] < 0, -1, 1) * hits.normal[rows]
        footprint = hits.distance[rows] / (buffer.camera.focal * buffer.camera.size[1])
        lit[rows] = caster.lit(hits.point[rows], side, toward, footprint)
    slope = hits.normal @ SKY_DIRECTIONS.T
    on_leaves = .5 * foliage.facing(slope[leafy])
    np.clip(slope, 0, 1, out=slope)
    slope[leafy] = on_leaves
    weights = (buffer.open_sky * slope * SKY_SHARES).astype(np.float32)
    sky = light.sky_radiance(SKY_DIRECTIONS)
    level = (SKY_SHARES * SKY_DIRECTIONS[:, 1]) @ sky
    sky = sky * (light.sky / np.maximum(level, 1e-9))
    openness = buffer.open_sky.mean(axis=1)
    ground = conditions.reflectance[:caster.ground_surfaces].mean(axis=0)
    if light.snow:
        ground = snow_covered_reflectance(ground, conditions.snow, light.snow)
    bounce = ground * (.6 * light.sun * max(float(toward[1]), 0) + .7 * light.sky)
    # light from below, and from objects that cover part of the sky; leaves have two sides
    below = np.where(leafy, .5 * openness, (.5 - .5 * hits.normal[:, 1]) * (.35 + .65 * openness)
                     + .12 * (1 - openness))
    total = (share * lit).astype(np.float32)[:, None] * light.sun + weights @ sky.astype(
        np.float32) + below[:, None].astype(np.float32) * bounce
    rows = np.flatnonzero(leafy)
    if len(rows):
        around = foliage.scattered_within(albedo[rows],
                                          foliage.layers_to_sky(buffer.open_sky[rows]))
        total[rows] += around * .5 * (light.sky + bounce)
        if light.sun.any():
            layers = _layers_to_sun(caster, hits.point[rows], toward, lit[rows] > 0)
            total[rows] += foliage.scattered_within(albedo[rows], layers) * .25 * light.sun
    return total.astype(np.float32)


def _layers_to_sun(caster: RayCaster, point: np.ndarray, toward: np.ndarray,
                   lit: np.ndarray) -> np.ndarray:
    """Return the layers (N,) of leaves between leaves and sun; inf in the shadow of others.

    :param point: (N, 3); ``lit``: (N,) whether the sun reaches them.
    """
    layers = np.where(lit, 0, np.inf).astype(np.float32)
    rows = np.flatnonzero(~lit)
    for reach, between in zip(REACHES_M, LAYERS, strict=True):
        start = point[rows] + reach * toward
        free = caster.lit(start, np.zeros_like(start), toward)
        layers[rows[free]] = between
        rows = rows[~free]
    return layers


def _emission(caster: RayCaster, buffer: GeometryBuffer, light: Light) -> np.ndarray:
    if not light.lamps:
        return np.zeros(5, np.float32)
    rows = np.zeros((len(caster.surfaces), 5), np.float32)
    windows = np.zeros(len(caster.surfaces), bool)
    for number, surface in enumerate(caster.surfaces):
        lamp = surface.part.lamp
        if lamp in light.lamps:
            rows[number] = light.lamps[lamp]
            windows[number] = lamp == 'window'
    hits = buffer.hits
    out = rows[hits.surface]
    out[windows[hits.surface] & (buffer.cell > .3)] = 0
    out[hits.sky] = 0
    return out


def _add_reflections(caster: RayCaster, buffer: GeometryBuffer, conditions: RenderConditions,
                     radiance: np.ndarray) -> None:
    """Add mirror reflections of glossy parts and wet ground to ``radiance``, in place."""
    hits, light = buffer.hits, conditions.light
    gloss = np.array([s.part.gloss for s in caster.surfaces], np.float32)[hits.surface]
    if light.wetness:
        puddle = np.clip(.4 + .9 * buffer.coarse - .25 * np.abs(buffer.fine)
                         + 2 * (light.puddles - .5), 0, 1)
        gloss = np.where(is_ground(hits), FILM_GLOSS * light.wetness * puddle, gloss)
    gloss = np.where(hits.sky, 0, gloss)
    rows = np.flatnonzero(gloss > .004)
    if len(rows) == 0:
        return
    seen, normal = buffer.direction[rows], hits.normal[rows]
    cosine = np.clip(-row_dot(seen, normal), 0, 1)
    in_swir = np.array([s.part.swir_gloss for s in caster.surfaces], np.float32)
    share = np.empty((len(rows), 5), np.float32)
    share[:, :3] = _fresnel(gloss[rows], cosine)[:, None]
    share[:, 3:] = _fresnel(gloss[rows] * in_swir[hits.surface[rows]], cosine)[:, None]
    away = seen + 2 * cosine[:, None] * normal
    away = (away / row_length(away)[:, None]).astype(np.float32)
    start = hits.point[rows] + normal * (2e-3 + 2e-4 * hits.distance[rows, None])
    spread = 8 / (buffer.camera.focal * buffer.camera.size[1])
    image = caster.hits(start.astype(np.float32), away, spread)
    mirrored = _shade_reflection(caster, image, conditions)
    sky = np.flatnonzero(image.sky)
    if len(sky):
        mirrored[sky] = np.minimum(light.sky_radiance(away[sky]), 8.0)
    radiance[rows] = radiance[rows] * (1 - share) + share * mirrored


def _fresnel(gloss: np.ndarray, cosine: np.ndarray) -> np.ndarray:
    """Return the mirrored share (N,) by that at normal incidence: Schlick (1994)."""
    return np.clip(gloss * (1 + (1 / np.maximum(gloss, .02) - 1) * (1 - cosine) ** 5), 0, 1)


def _shade_reflection(caster: RayCaster, image: RayHits,
                      conditions: RenderConditions) -> np.ndarray:
    """Return approximate radiance (N, 5) of reflected objects, without shadows and textures."""
    light = conditions.light
    cosine = np.clip(image.normal @ light.sun_direction.astype(np.float32), 0, 1)[:, None]
    up = (.55 + .45 * image.normal[:, 1])[:, None]
    shaded = np.where(image.object_index == GROUND, .8, .6)[:, None]
    leafy = np.array([s.part.leafy for s in caster.surfaces])[:, None]
    rows = np.where(leafy, foliage.crown_reflectance(
        conditions.reflectance, foliage.in_tuft([s.part.material for s in caster.surfaces])),
        conditions.reflectance)
    return (rows[image.surface]
            * (shaded * cosine * light.sun + .7 * up * light.sky)).astype(np.float32)
