"""Light on a geometry buffer: five bands of radiance for one look of a scene.

Units: 1.0 is the radiance of a white Lambertian surface that faces the main light, in each band.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rgb2swir_ros.lab.scenes.buffer import SKY_DIRECTIONS, SKY_SHARES, Buffer, ground_rows
from rgb2swir_ros.lab.scenes.cast import GROUND, Caster, Hits
from rgb2swir_ros.lab.scenes.lamps import lamp_light
from rgb2swir_ros.lab.scenes.light import Light
from rgb2swir_ros.lab.scenes.materials import Table, dusted, wet

FILM_GLOSS = .03      # of a water film, at normal incidence; a puddle is smooth as well
# Bright tissue fills its own small shadows with scattered light
TISSUE = {'grass', 'leaf', 'conifer', 'dry_grass'}
TISSUE_RELIEF_SWIR = .6
UNEVEN = TISSUE | {'soil', 'sand', 'gravel', 'granite', 'wood', 'rust', 'roof', 'brick'}
# What comes through a crown to leaves in its own shadow. ``REACHES_M``: how far towards the sun
# the crown may go on; ``LAYERS``: how many leaves the light meets there. Within the first reach
# it is their lit neighbours that light them, which has a term of its own. Then the share of the
# light that falls on a leaf of no certain slope; and what a leaf scatters over what it reflects,
# as it lets through a little less than that.
REACHES_M, LAYERS = (1.5, 3.0, 6.0), (np.inf, 1.2, 1.6)
LEAF_SHARE, SCATTERED = .47, 1.85
# Patterns of dye or paint: much of what is seen of them in the visible is gone in SWIR
DYED = {'cloth', 'sign_face', 'car_paint', 'metal_paint', 'plastic'}


@dataclass(frozen=True)
class Look:
    """One look of a scene: its light, and what everything is made of.

    :param reflectance: (S, 5), a row for each surface of the caster.
    :param snow: (5,) reflectance of the snow that lies where ``light.snow`` says.
    :param relief: factor on all textures' contrast.
    :param tint: (S, 5) how the logarithm of reflectance varies over metres, band by band.
    :param relief_swir: (S,) share of the texture's contrast that is left in SWIR.
    """

    light: Light
    reflectance: np.ndarray
    snow: np.ndarray
    relief: float
    tint: np.ndarray
    relief_swir: np.ndarray


def draw_look(caster: Caster, light: Light, table: Table, rng: np.random.Generator) -> Look:
    """Draw every surface's reflectance from the table; a family's members resemble each other."""
    rows = np.empty((len(caster.surfaces), 5), np.float32)
    families: dict[tuple[int, str, str], np.ndarray] = {}
    for number, surface in enumerate(caster.surfaces):
        part = surface.part
        if surface.family < 0:
            rows[number] = table.draw(part.material, rng)
            continue
        key = (surface.family, part.material, part.name)
        if key not in families:
            families[key] = table.draw(part.material, rng)
        rows[number] = families[key] * np.exp(rng.normal(0, .08))
    count = len(rows)
    names = [s.part.material for s in caster.surfaces]
    uneven = np.array([.11 if n in UNEVEN else .04 for n in names])[:, None]
    tint = uneven * (rng.normal(0, .8, (count, 1)) + rng.normal(0, .6, (count, 5)))
    dyed = np.array([n in DYED for n in names])
    left = np.where(dyed, rng.uniform(.1, 1.0, count), rng.uniform(.75, 1.1, count))
    left[[n in TISSUE for n in names]] = TISSUE_RELIEF_SWIR
    return Look(light, np.clip(rows, .005, .99), table.draw('snow', rng),
                float(rng.uniform(.7, 1.4)), tint.astype(np.float32), left.astype(np.float32))


def shade(caster: Caster, buffer: Buffer, look: Look) -> np.ndarray:
    """Return radiance (N, 5), float32, of a look; not clipped."""
    hits, light = buffer.hits, look.light
    solid = ~hits.sky
    rho = _reflectance(caster, buffer, look)
    leafy = np.array([s.part.leafy for s in caster.surfaces])[hits.surface] & solid
    light_in, lit = _irradiance(caster, buffer, look, rho, leafy)
    light_in += lamp_light(caster, buffer, light)
    radiance = rho * light_in
    radiance += _emission(caster, buffer, light)
    _mirror(caster, buffer, look, radiance, lit)
    clear = np.exp(-np.where(solid, hits.distance, 0)[:, None] * light.extinction)
    radiance = radiance * clear + (1 - clear) * light.air
    sky = np.flatnonzero(hits.sky)
    if len(sky):
        radiance[sky] = light.sky_radiance(buffer.direction[sky])
    return radiance.astype(np.float32)


def _reflectance(caster: Caster, buffer: Buffer, look: Look) -> np.ndarray:
    hits, light = buffer.hits, look.light
    rho = look.reflectance[hits.surface]
    parts = [s.part for s in caster.surfaces]
    contrast = np.array([p.contrast for p in parts], np.float32)[hits.surface] * look.relief
    relief = np.clip(contrast * (buffer.fine + .35 * buffer.coarse), -1.5, 1.0)
    logarithm = look.tint[hits.surface] * buffer.coarse[:, None]
    logarithm[:, :3] += relief[:, None]
    logarithm[:, 3:] += (relief * look.relief_swir[hits.surface])[:, None]
    rho = np.clip(rho * np.exp(logarithm), .003, .97)
    if light.wetness:
        open_up = np.clip(hits.normal[:, 1], 0, 1) * buffer.open_sky[:, -1]
        depth = light.wetness * np.clip(.75 + .35 * buffer.coarse, 0, 1) * open_up
        rho = rho + depth[:, None] * (wet(rho, 1.0) - rho)
    if light.snow:
        upward = np.clip((hits.normal[:, 1] - .35) / .3, 0, 1) * buffer.open_sky[:, -1]
        drift = .9 * buffer.coarse + .3 * buffer.fine
        # wheels and ploughs keep most of the carriageway free
        road = np.array([p.name in {'road', 'repair'} or 'paint' in p.material
                         for p in parts])[hits.surface] & ground_rows(hits)
        cover = np.where(road, light.snow * 1.6 - 1.05, light.snow * 2.2 - .6)
        lies = np.clip((cover * 1.4 + drift) * 2.5 + .5, 0, 1) * upward
        rho = dusted(rho, look.snow, lies)
    return rho.astype(np.float32)


def _irradiance(caster: Caster, buffer: Buffer, look: Look, rho: np.ndarray,
                leafy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the light (N, 5) on every pixel's surface, and the share (N,) of direct light."""
    hits, light = buffer.hits, look.light
    solid = ~hits.sky
    toward = light.sun_direction.astype(np.float32)
    cosine = hits.normal @ toward
    # a leaf is lit from either side; what comes through is a part of what falls on it
    share = np.where(leafy, .5 * np.abs(cosine) + .22, np.clip(cosine, 0, 1))
    lit = np.zeros(len(cosine), np.float32)
    if light.sun.any():
        rows = np.flatnonzero(solid & (share > 0))
        side = np.where(cosine[rows, None] < 0, -1, 1) * hits.normal[rows]
        lit[rows] = caster.lit(hits.point[rows], side, toward)
    direct = (share * lit).astype(np.float32)[:, None] * light.sun
    if light.sun.any():
        crowns = np.array([s.part.name == 'foliage' for s in caster.surfaces])[hits.surface]
        rows = np.flatnonzero(solid & crowns & (lit == 0))
        direct[rows] += LEAF_SHARE * light.sun * _through_crown(
            caster, hits.point[rows], toward, rho[rows])
    slope = np.clip(hits.normal @ SKY_DIRECTIONS.T, 0, 1)
    slope = np.where(leafy[:, None], .5 * slope + .3, slope)
    weights = (buffer.open_sky * slope * SKY_SHARES).astype(np.float32)
    sky = light.sky_radiance(SKY_DIRECTIONS)
    level = (SKY_SHARES * SKY_DIRECTIONS[:, 1]) @ sky
    sky = sky * (light.sky / np.maximum(level, 1e-9))
    openness = buffer.open_sky.mean(axis=1)
    ground = look.reflectance[:caster.ground_surfaces].mean(axis=0)
    if light.snow:
        ground = dusted(ground, look.snow, light.snow)
    sunny = light.sun * max(float(toward[1]), 0)
    bounce = ground * (.6 * sunny + .7 * light.sky)
    # from below, and from whatever else stands in the sky's place
    below = (.5 - .5 * hits.normal[:, 1]) * (.35 + .65 * openness) + .12 * (1 - openness)
    total = direct + weights @ sky.astype(np.float32) \
        + below[:, None].astype(np.float32) * bounce
    # Leaves light each other, the more the brighter they are: in SWIR a crown has few dark gaps.
    # The shares make a lit crown about as bright as the table's canopies, whose shadows count.
    total += (leafy * (.2 + .5 * openness))[:, None] * rho * (.6 * sunny + .4 * light.sky)
    return total.astype(np.float32), lit


def _through_crown(caster: Caster, point: np.ndarray, toward: np.ndarray,
                   rho: np.ndarray) -> np.ndarray:
    """Return the share (N, 5) of the sun that leaves let through to leaves in their shadow.

    A canopy dims light as if it were black, but for a factor sqrt(1 - scattered) on the number of
    layers (Goudriaan 1977, "Crop Micrometeorology"). Leaves scatter nearly all light of the first
    SWIR band: against the sun a crown is black to the eye and bright in SWIR. What still lies in
    shadow beyond ``REACHES_M`` is in that of something else.

    :param point: (N, 3); ``rho``: (N, 5), their reflectance.
    """
    through = np.zeros_like(rho)
    dimming = np.sqrt(1 - np.minimum(SCATTERED * rho, .95))
    rows = np.arange(len(point))
    for reach, layers in zip(REACHES_M, LAYERS, strict=True):
        start = point[rows] + reach * toward
        free = caster.lit(start, np.zeros_like(start), toward)
        through[rows[free]] = np.exp(-layers * dimming[rows[free]])
        rows = rows[~free]
    return through


def _emission(caster: Caster, buffer: Buffer, light: Light) -> np.ndarray:
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


def _mirror(caster: Caster, buffer: Buffer, look: Look, radiance: np.ndarray,
            lit: np.ndarray) -> None:
    """Add what glossy parts and wet ground mirror, in place."""
    hits, light = buffer.hits, look.light
    gloss = np.array([s.part.gloss for s in caster.surfaces], np.float32)[hits.surface]
    if light.wetness:
        puddle = np.clip(.4 + .9 * buffer.coarse - .25 * np.abs(buffer.fine)
                         + 2 * (light.puddles - .5), 0, 1)
        gloss = np.where(ground_rows(hits), FILM_GLOSS * light.wetness * puddle, gloss)
    gloss = np.where(hits.sky, 0, gloss)
    rows = np.flatnonzero(gloss > .004)
    if len(rows) == 0:
        return
    seen, normal = buffer.direction[rows], hits.normal[rows]
    cosine = np.clip(-(seen * normal).sum(axis=1), 0, 1)
    fresnel = gloss[rows] * (1 + (1 / np.maximum(gloss[rows], .02) - 1)
                             * (1 - cosine) ** 5)
    away = seen + 2 * cosine[:, None] * normal
    away = (away / np.linalg.norm(away, axis=1, keepdims=True)).astype(np.float32)
    start = hits.point[rows] + normal * (2e-3 + 2e-4 * hits.distance[rows, None])
    spread = 8 / (buffer.lens.focal * buffer.lens.size[1])
    image = caster.hits(start.astype(np.float32), away, spread)
    mirrored = _plain(image, look)
    sky = np.flatnonzero(image.sky)
    if len(sky):
        mirrored[sky] = np.minimum(light.sky_radiance(away[sky]), 8.0)
    share = np.clip(fresnel, 0, 1)[:, None]
    radiance[rows] = radiance[rows] * (1 - share) + share * mirrored


def _plain(image: Hits, look: Look) -> np.ndarray:
    """Return roughly lit radiance (N, 5) of what is seen in a mirror: no shadows, no texture."""
    light = look.light
    cosine = np.clip(image.normal @ light.sun_direction.astype(np.float32), 0, 1)[:, None]
    up = (.55 + .45 * image.normal[:, 1])[:, None]
    shaded = np.where(image.thing == GROUND, .8, .6)[:, None]
    return (look.reflectance[image.surface]
            * (shaded * cosine * light.sun + .7 * up * light.sky)).astype(np.float32)
