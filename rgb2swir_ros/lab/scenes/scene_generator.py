"""Draw a random scene: place, road, objects, camera."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rgb2swir_ros.lab.scenes.geometry.mesh import Mesh, Part, rotation
from rgb2swir_ros.lab.scenes.places import PLACES, Place
from rgb2swir_ros.lab.scenes.populate import ScenePopulator, weighted_choice
from rgb2swir_ros.lab.scenes.scene import PinholeCamera, Scene, SceneObject
from rgb2swir_ros.lab.scenes.terrain import LaneMarking, Terrain, TransverseStrip

# Texture, texels per metre and contrast of the ground's materials
GROUND = {
    'asphalt': ('speckle', 60, .09), 'concrete': ('worn', 40, .09),
    'granite': ('cobbles', 55, .20), 'brick': ('bricks', 70, .18),
    'red_paver': ('bricks', 70, .14),
    'gravel': ('speckle', 45, .22), 'soil': ('worn', 60, .20),
    'sand': ('worn', 24, .10), 'grass': ('foliage', 70, .32), 'dry_grass': ('foliage', 70, .26),
    'leaf': ('foliage', 45, .38), 'conifer': ('foliage', 40, .38),
}
KERB = {'concrete': .6, 'granite': .35, 'red_paint': .05}
PAVEMENT = {'concrete': .45, 'granite': .22, 'asphalt': .15, 'red_paver': .13, 'brick': .05}
RED_STRIPS, RED_LANES = .14, .07  # share of roads with red surfacing across, and along a lane
SPOTS = {'soil': .3, 'dry_grass': .3}  # patches on verges, besides the place's own ground
CLUTTER_SHARE = .06


def draw_scene(rng: np.random.Generator, size: tuple[int, int], name: str | None = None,
               seconds: float = 0.0) -> Scene:
    """Draw a scene.

    :param size: (height, width) of the camera's picture.
    :param name: a key of `PLACES`; drawn when not given.
    :param seconds: duration of the camera's drive.
    """
    if name is None and rng.random() < CLUTTER_SHARE:
        return draw_clutter(rng, size)
    name = name or weighted_choice({key: place.weight for key, place in PLACES.items()}, rng)
    place = PLACES[name]
    terrain = draw_terrain(place, rng)
    camera = draw_pinhole_camera(place, terrain, size, rng)
    objects = ScenePopulator(place, terrain, rng, camera.z, camera.speed * seconds).populate()
    objects = [t for item in objects if (t := _clear_of_camera(item, camera)) is not None]
    if camera.height < 2.2 and abs(camera.yaw) < .3 and rng.random() < .18:
        objects.append(draw_bonnet(camera, rng))
    return Scene(terrain, tuple(objects), camera, name)


def with_clear_path(scene: Scene, seconds: float) -> Scene:
    """Return the scene without static objects in the path of the camera and the traffic ahead.

    :param seconds: duration of the camera's drive.
    """
    camera = scene.camera
    end = camera.z + camera.speed * seconds + 60

    def blocks(item: SceneObject) -> bool:
        across = rotation(item.heading)[0] @ item.mesh.vertices.T * item.scale + item.d
        stands = not item.speed and camera.z - 3 < item.z < end
        return bool(stands and across.min() < camera.d + 1.1 and across.max() > camera.d - 1.1
                    and item.mesh.vertices[:, 1].min() * item.scale + item.lift < camera.height
                    and not _spans_road(across, item))

    if not camera.speed:
        return scene
    return replace(scene, objects=tuple(t for t in scene.objects if not blocks(t)))


def _spans_road(across: np.ndarray, item: SceneObject) -> bool:
    """Return whether an object spans the road: gantries, bridges, arms of lamps."""
    low = item.mesh.vertices[:, 1] * item.scale < 2.0
    wide = float(np.ptp(across))
    return wide > 12 or bool((~low).any() and np.ptp(across[low]) < .6 * wide)


def draw_terrain(place: Place, rng: np.random.Generator) -> Terrain:
    """Draw the road and the land."""
    lanes = int(rng.integers(place.lanes[0], place.lanes[1] + 1))
    lane = rng.uniform(*place.lane)
    shoulder = rng.uniform(.2, 2.5)
    half = lanes * lane / 2
    left, right = -half - rng.uniform(.2, shoulder), half + rng.uniform(.2, shoulder)
    walk = float(rng.uniform(1.2, 4.5)) if rng.random() < place.walk else 0.0
    motorway = place.speed[1] >= 34
    strips: list[TransverseStrip] = []
    if motorway:  # the opposite carriageway, beyond the median
        median = rng.uniform(2, 9)
        strips.append(TransverseStrip(-400, 2400, left - median - 2 * half - 2, left - median,
                                      'road'))
    elif rng.random() < .35:
        at = rng.uniform(15, 90)
        strips.append(TransverseStrip(at, rng.uniform(5, 9), left - 80, right + 80, 'road'))
        if rng.random() < .6:
            strips.append(TransverseStrip(at - rng.uniform(3, 5), 3.2, left, right, 'line', .5))
        strips.append(TransverseStrip(at - 6, .4, 0, right, 'line'))
    if place.walk and rng.random() < .25:
        strips.append(TransverseStrip(rng.uniform(5, 50), rng.uniform(2.5, 4), left, right, 'line',
                                      .5))
    if rng.random() < RED_STRIPS:
        for at in rng.uniform(3, 70, int(rng.integers(1, 4))):
            strips.append(TransverseStrip(float(at), rng.uniform(.8, 6), left, right, 'red'))
    flat = (abs(strips[0].low - left) + 4 if motorway else rng.uniform(2, 30))
    bank = (0.0, 0.0) if walk else tuple(rng.normal(0, 1, 2).clip(-1, 1) * np.array(
        [place.bank[1]] * 2) * (rng.random(2) < .5))
    bend = place.bend * rng.uniform(0, 1) * (rng.random() < .75)
    return Terrain(
        edges=(float(left), float(right)), walk=walk, kerb=.13 if walk else 0.0,
        bend=(float(bend), float(rng.uniform(70, 260)), float(rng.uniform(0, 6.28))),
        climb=(float(rng.uniform(0, 5) * (rng.random() < .6)), float(rng.uniform(80, 300)),
               float(rng.uniform(0, 6.28))),
        hills=float(rng.uniform(*place.hills) * (rng.random() < .7)),
        hills_scale=float(rng.uniform(60, 400)), bank=(float(bank[0]), float(bank[1])),
        flat=float(flat), verge=float(rng.uniform(*place.verge)), parts=_parts(place, rng),
        spots=float(rng.uniform(0, .35)) if rng.random() < .6 else 0.0,
        repairs=float(rng.uniform(0, .25)) if rng.random() < .4 else 0.0,
        lines=_lines(place, lanes, lane, half, (left, right), rng), strips=tuple(strips),
        offset=(float(rng.uniform(0, 512)), float(rng.uniform(0, 512))))


def draw_clutter(rng: np.random.Generator, size: tuple[int, int]) -> Scene:
    """Draw slabs of random materials at random angles: varied edges without a road's structure."""
    place = PLACES['works']
    terrain = draw_terrain(place, rng)
    names = [*GROUND, 'white_paint', 'yellow_paint', 'red_paint', 'wood', 'snow', 'water',
             'galvanized', 'aluminium', 'skin', 'cotton', 'tyre', 'plaster', 'roof_tile',
             'plastic', 'rust', 'car_paint', 'cloth', 'sign_face', 'wall', 'roof', 'metal_paint']
    camera = replace(draw_pinhole_camera(place, terrain, size, rng), yaw=0.0, height=1.6,
                     pitch=float(rng.normal(.05, .15)), speed=0.0)
    objects = []
    for _ in range(int(rng.integers(12, 70))):
        away = float(np.exp(rng.uniform(np.log(3), np.log(40))))
        across = away * rng.uniform(-.6, .6) / camera.focal
        material = str(rng.choice(names))
        texture, texels, contrast = GROUND.get(material, (str(rng.choice(
            ['worn', 'speckle', 'smooth', 'streaks', 'bricks', 'leaves'])), 60, .12))
        part = Part('slab', material, texture, float(texels * np.exp(rng.normal(0, .6))),
                    float(contrast * rng.uniform(.5, 2)), gloss=float(rng.choice([0, 0, 0, .05])))
        objects.append(SceneObject(_slab(part, rng, away * rng.uniform(.03, .3)), None,
                                   camera.d + float(across), camera.z + away,
                                   lift=float(rng.uniform(-.3, 1) * away * .4 + .6)))
    return Scene(terrain, tuple(objects), camera, 'clutter')


def _slab(part: Part, rng: np.random.Generator, size: float) -> Mesh:
    """Return a randomly oriented flat polygon of 3 to 8 corners."""
    corners = int(rng.integers(3, 9))
    angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
    flat = np.stack([np.cos(angles) * rng.uniform(.5, 1.5), np.sin(angles), 0 * angles], axis=1)
    turn = np.linalg.qr(rng.normal(0, 1, (3, 3)) + 1.5 * np.eye(3))[0]
    points = np.concatenate([np.zeros((1, 3)), flat @ turn * size])
    k = np.arange(corners)
    faces = np.stack([0 * k, 1 + k, 1 + (k + 1) % corners], axis=1)
    return Mesh(points.astype(np.float32), faces.astype(np.int32),
                np.zeros(corners, np.uint8), (part,))


def draw_bonnet(camera: PinholeCamera, rng: np.random.Generator) -> SceneObject:
    """Draw the bonnet of the ego vehicle at the bottom of the picture; it reflects the sky."""
    x, z = np.meshgrid(np.linspace(-.95, .95, 25), np.linspace(.5, rng.uniform(1.5, 2.1), 13))
    ahead = (z - z.min()) / (z.max() - z.min())
    y = -rng.uniform(.38, .62) - rng.uniform(.05, .18) * x ** 2 - .12 * ahead ** 2
    points = np.stack([x, y + camera.height, z], axis=-1).reshape(-1, 3)
    corner = (np.arange(12)[:, None] * 25 + np.arange(24)).ravel()
    faces = np.concatenate([np.stack([corner, corner + 25, corner + 1], 1),
                            np.stack([corner + 1, corner + 25, corner + 26], 1)])
    mesh = Mesh(points.astype(np.float32), faces.astype(np.int32),
                np.zeros(len(faces), np.uint8),
                (Part('bonnet', 'car_paint', gloss=float(rng.uniform(.03, .07)), contrast=.02),))
    return SceneObject(mesh, None, camera.d, camera.z, heading=camera.yaw, speed=camera.speed)


def _part(name: str, material: str, rng: np.random.Generator) -> Part:
    texture, texels, contrast = GROUND.get(material, ('speckle', 50, .1))
    return Part(name, material, texture, float(texels * rng.uniform(.7, 1.4)),
                float(contrast * rng.uniform(.6, 1.3)), leafy=False)


def _parts(place: Place, rng: np.random.Generator) -> dict[str, Part]:
    left = weighted_choice(place.ground, rng)
    right = left if rng.random() < .6 else weighted_choice(place.ground, rng)
    road = weighted_choice(place.road, rng)
    parts = {'road': _part('road', road, rng),
             'repair': _part('repair', 'asphalt' if road != 'soil' else 'gravel', rng),
             'kerb': _part('kerb', weighted_choice(KERB, rng), rng),
             'walk': _part('walk', weighted_choice(PAVEMENT, rng), rng),
             'verge_left': _part('verge_left', left, rng),
             'verge_right': _part('verge_right', right, rng),
             'spots': _part('spots', weighted_choice({**place.ground, **SPOTS}, rng), rng)}
    for k in range(4):
        parts[f'field_{k}'] = _part(f'field_{k}', weighted_choice(place.fields, rng), rng)
    yellow = rng.random() < .3
    parts['line'] = Part('line', 'white_paint', 'speckle', 50, .06)
    parts['edge_line'] = Part('edge_line', 'yellow_paint' if yellow else 'white_paint',
                              'speckle', 50, .06)
    parts['red'] = Part('red', 'red_paver', 'speckle', 50, .1)
    return parts


def _lines(place: Place, lanes: int, lane: float, half: float, edges: tuple[float, float],
           rng: np.random.Generator) -> tuple[LaneMarking, ...]:
    if rng.random() < .12:
        return ()
    width = rng.uniform(.10, .22)
    dash, gap = rng.uniform(2, 6), rng.uniform(2, 9)
    lines = []
    if rng.random() < RED_LANES:  # for buses or bicycles
        wide = float(lane * rng.uniform(.5, 1))
        lines.append(LaneMarking(half - .5 * wide, 'red', wide))
    for k in range(1, lanes):
        middle = lanes % 2 == 0 and k == lanes // 2 and place.speed[1] < 30
        solid = middle and rng.random() < .4
        paint = 'edge_line' if middle else 'line'
        lines.append(LaneMarking(-half + k * lane, paint, width, 0 if solid else dash, gap))
    if rng.random() < .8:
        inset = rng.uniform(.1, .3)
        lines += [LaneMarking(max(-half, edges[0] + inset), 'edge_line', width),
                  LaneMarking(min(half, edges[1] - inset), 'line', width)]
    return tuple(lines)


def draw_pinhole_camera(place: Place, terrain: Terrain, size: tuple[int, int],
                        rng: np.random.Generator) -> PinholeCamera:
    """Draw a camera: mostly in a car, sometimes sideways, elevated, in a lorry or on foot."""
    left, right = terrain.edges
    lanes = max(round((right - left) / 3.4), 1)
    lane = int(rng.integers(lanes // 2, lanes))
    d = left + (lane + .5) * (right - left) / lanes + rng.normal(0, .3)
    focal = float(rng.uniform(.55, 1.5))
    speed = float(rng.uniform(*place.speed))
    mount = rng.random()
    yaw, height, pitch = rng.normal(0, .06), rng.uniform(1.15, 1.8), rng.normal(-.02, .06)
    if mount < .10:     # a surround camera, looking sideways
        yaw = float(rng.choice([-1, 1]) * rng.uniform(.3, 1.4))
        pitch -= rng.uniform(0, .2)
    elif mount < .24:   # on a bridge, a mast, a balcony
        height = rng.uniform(4, 16)
        pitch = -rng.uniform(.05, .55)
        d = rng.uniform(left - 4, right + 4)
        yaw = rng.normal(0, .35)
        speed = 0.0
    elif mount < .34:   # in a lorry or a bus
        height = rng.uniform(2.1, 3.1)
        pitch -= .05
    elif mount < .42:   # on foot
        side = rng.choice([-1, 1])
        d = (right if side > 0 else left) + side * (terrain.walk * .5 + rng.uniform(0, 1))
        height, speed, yaw = rng.uniform(1.5, 1.8), 1.2, rng.normal(-side * .2, .4)
    return PinholeCamera(size, focal, float(height), float(d), float(rng.uniform(0, 40)),
                         float(pitch), float(yaw), float(rng.normal(0, .012)), speed)


def _clear_of_camera(item: SceneObject, camera: PinholeCamera) -> SceneObject | None:
    """Return an object if it is clear of the camera; traffic in its lane gets its speed."""
    away, across = item.z - camera.z, abs(item.d - camera.d)
    size = item.mesh.vertices.max(axis=0) - item.mesh.vertices.min(axis=0)
    room = 1.2 + .5 * float(max(size[0], size[2])) * item.scale
    if np.hypot(away, across) < room or (across < 2.0 and -12 < away < 7 and item.category):
        return None
    tall = item.lift + size[1] * item.scale
    if tall > camera.height and across < room and abs(away) < room:
        return None
    if item.speed and across < 1.8 and abs(item.heading) < .5:
        return replace(item, speed=camera.speed)
    return item
