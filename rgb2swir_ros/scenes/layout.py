"""What stands where in a scene: light, sky, ground and objects, all drawn from one seed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from rgb2swir_ros.scenes.canvas import Light
from rgb2swir_ros.scenes.materials import Material, draw, draw_coloured


@dataclass(frozen=True)
class Thing:
    """An upright object that faces the camera.

    :param kind: what `rgb2swir_ros.scenes.objects` knows how to paint.
    :param x: metres to the right of the camera's path; ``z``: metres ahead of the start.
    :param width: metres; ``height``: metres.
    :param lit: share of direct light on its front.
    :param materials: the parts' materials, by part.
    :param seed: of its own detail.
    """

    kind: str
    x: float
    z: float
    width: float
    height: float
    lit: float
    materials: dict[str, Material]
    seed: int


@dataclass(frozen=True)
class Sky:
    """The sky: radiance of the clear part at zenith and horizon, and clouds.

    :param zenith: (3,) linear RGB; the horizon's is the light's.
    :param cover: cloud cover in [0, 1]; 1 is overcast.
    :param cloud: brightness of a cloud, alike in both bands.
    """

    zenith: np.ndarray
    zenith_swir: float
    cover: float
    cloud: float
    texture: str
    offset: tuple[float, float]


@dataclass(frozen=True)
class Ridge:
    """A far band along the horizon: a wood, a hedge, a hill.

    :param distance: metres; ``height``: metres at its highest.
    :param rough: how much its outline varies, in [0, 1].
    """

    distance: float
    height: float
    rough: float
    lit: float
    material: Material
    texture: str
    offset: tuple[float, float]


@dataclass(frozen=True)
class Scene:
    """All of a scene but the camera. Lengths are metres."""

    light: Light
    sky: Sky
    road: Material
    road_edges: tuple[float, float]
    road_texture: str
    lines: tuple[tuple[float, float, Material], ...]  # x, length of a dash (0: solid), paint
    kerb: Material
    verges: tuple[tuple[Material, str], tuple[Material, str]]  # left, right: material, texture
    patches: Material | None  # a second material on the verges
    shade: float              # cover of the road by cast shadows
    ridges: tuple[Ridge, ...] = ()  # far to near
    things: tuple[Thing, ...] = field(default=())


def draw_light(rng: np.random.Generator) -> tuple[Light, Sky]:
    """Draw weather: clear (half of all), clouds, overcast, haze."""
    overcast = rng.random() < .2
    hazy = rng.random() < .25
    blue = np.array([rng.uniform(.35, .75), rng.uniform(.6, .85), 1.0])
    if overcast:
        level = rng.uniform(.5, 1.1)
        sky_rgb = np.array([.97, 1.0, 1.03]) / 1.0
        horizon, horizon_swir = level * sky_rgb, level * rng.uniform(.7, .95)
        zenith, zenith_swir = horizon * rng.uniform(.6, 1.0), horizon_swir * rng.uniform(.6, .95)
        light = Light(0.0, sky_rgb, 1.0, rng.uniform(0, .006), rng.uniform(.7, 1.0),
                      horizon, horizon_swir)
        sky = Sky(zenith, zenith_swir, 1.0, level, 'clouds', _offset(rng))
        return light, sky
    # Rayleigh light at 1.2 um is .044 of that at .55 um; haze adds light that is less blue
    whiteness = rng.uniform(.1, .95)
    pale = .6 * whiteness * rng.random()
    zenith = (blue * (1 - pale) + pale) * rng.uniform(.12, .8)
    horizon = (blue * (1 - whiteness) + whiteness) * rng.uniform(.35, 1.0)
    haze_swir = rng.uniform(.24, .4)
    zenith_swir = zenith.mean() * .044 + rng.uniform(0, .015)
    horizon_swir = horizon.mean() * (.05 + .10 * whiteness * rng.random())
    light = Light(1.0, blue / blue.mean(), rng.uniform(.45, .95),
                  rng.uniform(.001, .006) if hazy else rng.uniform(0, .0008), haze_swir,
                  horizon, horizon_swir)
    cover = rng.uniform(.05, .7) if rng.random() < .4 else 0.0
    return light, Sky(zenith, zenith_swir, cover, rng.uniform(.7, 1.3), 'clouds', _offset(rng))


def draw_scene(rng: np.random.Generator, *, length: float = 160.0) -> Scene:
    """Draw a road with all that stands along it.

    :param length: metres of road that are furnished.
    """
    light, sky = draw_light(rng)
    half = rng.uniform(3, 11)
    shift = rng.uniform(-.5, .5) * half
    left, right = -half + shift, half + shift
    ground = ('grass', 'dry_grass', 'soil', 'gravel', 'concrete', 'asphalt', 'snow', 'granite')
    chance = (.30, .25, .12, .07, .10, .06, .05, .05)
    kinds = rng.choice(ground, 2, p=chance)
    if rng.random() < .6:
        kinds[1] = kinds[0]
    lines: list[tuple[float, float, Material]] = []
    if rng.random() < .85:
        lane = rng.uniform(2.8, 3.8)
        for x in np.arange(left + .4, right, lane):
            outer = x < left + lane / 2 or x > right - lane
            paint = 'yellow_paint' if outer and rng.random() < .35 else 'white_paint'
            lines.append((float(x), 0.0 if outer else rng.uniform(2, 5), draw(paint, rng)))
    road = draw(rng.choice(['asphalt', 'concrete', 'granite', 'soil'], p=[.68, .20, .08, .04]),
                rng, spread=1.3)
    if road.name == 'asphalt':  # aged asphalt is grey: brighter in both bands
        age = rng.uniform(1, 2.6)
        road = Material('asphalt', road.rgb * age, road.swir * age ** .75)
    return Scene(
        light=light, sky=sky, road=road, road_edges=(left, right),
        road_texture='cobbles' if road.name == 'granite' else str(rng.choice(['speckle', 'worn'])),
        lines=tuple(lines), kerb=draw('concrete', rng),
        verges=(_verge(str(kinds[0]), rng), _verge(str(kinds[1]), rng)),
        patches=draw(str(rng.choice(['soil', 'dry_grass', 'grass'])), rng)
        if rng.random() < .35 else None,
        shade=rng.uniform(.1, .55) if light.sun and rng.random() < .4 else 0.0,
        ridges=_ridges(rng, light),
        things=tuple(sorted(_things(rng, light, left, right, length), key=lambda t: -t.z)))


def _offset(rng: np.random.Generator) -> tuple[float, float]:
    return float(rng.uniform(0, 512)), float(rng.uniform(0, 512))


def _verge(kind: str, rng: np.random.Generator) -> tuple[Material, str]:
    textures = {'grass': 'foliage', 'dry_grass': 'foliage', 'snow': 'smooth',
                'granite': 'cobbles', 'soil': 'worn', 'gravel': 'speckle'}
    return draw(kind, rng), textures.get(kind, 'speckle')


def _ridges(rng: np.random.Generator, light: Light) -> tuple[Ridge, ...]:
    ridges = []
    for _ in range(int(rng.choice([0, 1, 2, 3], p=[.2, .35, .3, .15]))):
        distance = float(np.exp(rng.uniform(np.log(40), np.log(900))))
        kind = str(rng.choice(['leaf', 'conifer', 'dry_grass', 'grass', 'soil', 'granite'],
                              p=[.4, .2, .2, .08, .08, .04]))
        wood = kind in {'leaf', 'conifer'}
        height = rng.uniform(3, 16) if wood else distance * rng.uniform(.02, .15)
        ridges.append(Ridge(distance, float(height), float(rng.uniform(.2, 1)),
                            float(rng.uniform(.2, 1)) if light.sun else 1.0, draw(kind, rng),
                            'foliage' if wood or 'grass' in kind else 'worn', _offset(rng)))
    return tuple(sorted(ridges, key=lambda ridge: -ridge.distance))


def _things(rng: np.random.Generator, light: Light, left: float, right: float,
            length: float) -> list[Thing]:
    things: list[Thing] = []

    def put(kind: str, x: float, z: float, width: float, height: float,
            **materials: Material) -> None:
        lit = float(rng.choice([0.0, rng.uniform(.25, 1.0)], p=[.35, .65])) if light.sun else 1.0
        things.append(Thing(kind, x, z, width, height, lit, materials,
                            int(rng.integers(1 << 31))))

    green = float(rng.choice([.0, .3, .8, 1.5]))
    town = float(rng.choice([.0, .0, .4, 1.2]))
    for side, edge in ((-1, left), (1, right)):
        for z in np.cumsum(rng.exponential(9 / max(green, .05), 40)):
            if z < length and green:
                height = rng.uniform(2, 14) * (1 if rng.random() < .8 else .3)
                kind = 'conifer' if rng.random() < .3 else 'leaf'
                put('tree', edge + side * rng.uniform(1.5, 16), z, height * rng.uniform(.5, 1.1),
                    height, crown=draw(kind, rng), trunk=draw('wood', rng))
        for z in np.cumsum(rng.exponential(16 / max(town, .05), 20)):
            if z < length and town:
                wall = draw(str(rng.choice(['plaster', 'brick', 'concrete', 'wood'])), rng)
                put('house', edge + side * rng.uniform(4, 18), z, rng.uniform(7, 22),
                    rng.uniform(4, 16), wall=wall, roof=draw('roof_tile', rng),
                    glass=draw('glass', rng))
        if rng.random() < .35:
            rail = draw(str(rng.choice(['concrete', 'aluminium', 'galvanized'])), rng)
            for z in np.arange(6, length, 6.0):
                put('barrier', edge + side * .6, z, .4, .8, body=rail)
        for z in rng.uniform(8, length, rng.poisson(2.0)):
            put('pole', edge + side * rng.uniform(.8, 2), z, .15, rng.uniform(2.5, 8),
                body=draw(str(rng.choice(['aluminium', 'wood', 'galvanized'])), rng),
                plate=draw_coloured('car_paint', rng))
        for z in rng.uniform(5, length * .6, rng.poisson(1.2)):
            _person(rng, put, edge + side * rng.uniform(-.5, 3), z)
    for z in rng.uniform(6, length, rng.poisson(rng.choice([1.0, 4.0, 8.0]))):
        big = rng.random() < .2
        width, height = (2.5, rng.uniform(2.8, 3.8)) if big else (1.8, rng.uniform(1.4, 1.8))
        if rng.random() < .3:
            width *= 2.3  # seen from the side
        put('truck' if big else 'car', rng.uniform(left + 1, right - 1), z, width, height,
            body=draw_coloured('car_paint', rng), glass=draw('glass', rng),
            tyre=draw('tyre', rng), plate=draw('white_paint', rng))
    return things


def _person(rng: np.random.Generator, put, x: float, z: float) -> None:  # type: ignore[no-untyped-def]
    put('person', x, z, rng.uniform(.5, .7), rng.uniform(1.5, 1.9),
        top=draw_coloured('cloth', rng), trousers=draw_coloured('cloth', rng),
        skin=draw('skin', rng, spread=2.0), hair=draw('black_cloth', rng))
