"""Populate a scene: traffic, people, plants, buildings and street furniture along a road."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from rgb2swir_ros.lab.scenes.geometry.catalogue import OBJECT_TYPES, make_object
from rgb2swir_ros.lab.scenes.geometry.mesh import Mesh
from rgb2swir_ros.lab.scenes.places import Mix, Place
from rgb2swir_ros.lab.scenes.scene import SceneObject
from rgb2swir_ros.lab.scenes.terrain import Terrain

REACH = 420.0       # metres of populated road
NEAR = 26.0          # plants nearer than this need small leaves
NEAR_PLANTS = 110.0  # beyond this, trees of few triangles look the same
NEAR_WOOD = 60.0
FOREST_EDGE = 700.0
# Number of meshes that the objects of one kind share in a scene, rotated and scaled
SHARED_MESHES = {
    'broadleaf_near': 2, 'conifer_near': 2, 'bush_near': 2, 'broadleaf': 4, 'conifer': 3,
    'bush': 3, 'grass_tuft': 3, 'flowers': 2, 'far_tree': 6, 'palm': 2, 'dead_tree': 2, 'hedge': 2,
    'lamp_post': 1, 'guard_rail': 1, 'fence': 1, 'concrete_barrier': 1, 'noise_wall': 1,
    'bollard': 1, 'cone': 1, 'crop_row': 1, 'pole': 2, 'pylon': 1, 'rock': 4, 'person': 24,
    'bin': 1, 'bench': 1, 'hydrant': 1,
}
# Barriers placed piece after piece along the road
RUNS = {'guard_rail', 'fence', 'concrete_barrier', 'noise_wall'}
ALONG = np.pi / 2  # heading that puts an object's x axis along the road
# Kinds of parked vehicles, by weight
CAR_PARK = {'car': .88, 'truck': .05, 'parked_motorcycle': .04, 'parked_bicycle': .03}
KERB = {'car': .64, 'truck': .06, 'parked_motorcycle': .15, 'parked_bicycle': .15}
# Objects that face the oncoming traffic
FACING = {'traffic_sign', 'direction_sign', 'traffic_light', 'billboard', 'gantry'}


def weighted_choice(mix: Mix, rng: np.random.Generator) -> str:
    """Draw a name with a probability proportional to its weight."""
    weights = np.array(list(mix.values()))
    return str(rng.choice(list(mix), p=weights / weights.sum()))


@dataclass
class ScenePopulator:
    """Collects the objects of one scene.

    :param start: z where the populated road begins, and the camera's drive.
    :param drive_length: metres that the camera drives; plants along its path are near.
    """

    place: Place
    terrain: Terrain
    rng: np.random.Generator
    start: float
    drive_length: float = 0.0
    objects: list[SceneObject] = field(default_factory=list)
    _shared_meshes: dict[str, list[Mesh]] = field(default_factory=dict)

    def add(self, name: str, d: float, z: float, heading: float = 0.0, *, scale: float = 1.0,
            speed: float = 0.0, lift: float = 0.0) -> None:
        """Add one object of a kind from the catalogue."""
        if np.hypot(self._least_distance(z), d) < NEAR and f'{name}_near' in OBJECT_TYPES:
            name = f'{name}_near'
        shared = SHARED_MESHES.get(name)
        material_group = -1
        if shared is None:
            mesh = make_object(name, self.rng)
        else:
            meshes = self._shared_meshes.setdefault(name, [])
            if len(meshes) < shared:
                meshes.append(make_object(name, self.rng))
            number = int(self.rng.integers(len(meshes)))
            mesh = meshes[number]
            if name != 'person':
                material_group = sorted(OBJECT_TYPES).index(name) * 8 + number % 8
        self.objects.append(SceneObject(mesh, OBJECT_TYPES[name].category, float(d), float(z),
                                        float(heading), float(scale), float(speed), float(lift),
                                        material_group))

    def populate(self) -> list[SceneObject]:
        """Add all objects and return them."""
        for side in (-1, 1):
            self._add_buildings(side)
            self._add_roadside(side)
            self._add_plants(side)
            self._add_people(side)
        self._add_traffic()
        self._add_parked()
        return self.objects

    def edge(self, side: int) -> float:
        """Return d of the outer edge of the pavement or road."""
        left, right = self.terrain.edges
        return (right + self.terrain.walk) if side > 0 else (left - self.terrain.walk)

    def _least_distance(self, z: float) -> float:
        """Return the least distance along the road between the camera and z."""
        return max(self.start - z, z - self.start - self.drive_length, 0.0) if self.drive_length \
            else z - self.start

    def _random_positions(self, density: float, reach: float = REACH) -> Iterator[float]:
        """Yield random z, ``density`` per 100 m (a Poisson process)."""
        if density <= 0:
            return
        z = self.start + self.rng.exponential(100 / density)
        while z < self.start + reach:
            yield float(z)
            z += self.rng.exponential(100 / density)

    def _add_buildings(self, side: int) -> None:
        rng, place = self.rng, self.place
        if not place.buildings:
            return
        density = sum(place.buildings.values()) * rng.uniform(.3, 1.0)
        closed = density > 3  # terraced: no gaps between houses
        setback = rng.uniform(*place.setback)
        z = self.start + rng.uniform(0, 10)
        while z < self.start + REACH:
            name = weighted_choice(place.buildings, rng)
            mesh = make_object(name, rng)
            size = mesh.vertices.max(axis=0) - mesh.vertices.min(axis=0)
            # the mesh faces +z; it is turned to face the road
            front, depth = float(size[0]), float(size[2])
            off = setback + (0 if closed else rng.uniform(0, 8)) + depth / 2
            d = self.edge(side) + side * (self.terrain.verge * .5 + off)
            self.objects.append(SceneObject(mesh, None, d, z + front / 2, -side * np.pi / 2))
            gap = (0 if rng.random() < .8 else rng.uniform(3, 14)) if closed \
                else rng.exponential(100 / density)
            z += front + gap

    def _add_roadside(self, side: int) -> None:
        rng = self.rng
        for name, density in self.place.roadside.items():
            many = density * rng.uniform(0, 1.4)
            if name in RUNS:
                self._add_run(name, side, density)
            elif name in {'gantry', 'bridge'}:
                for z in self._random_positions(many if side > 0 else 0):
                    if z > self.start + 45:
                        self.add(name, 0, z, np.pi)
            elif name == 'lamp_post' and many > .5:  # in a row
                start = self.start + rng.uniform(0, 30)
                for z in np.arange(start, self.start + REACH, 100 / many).tolist():
                    self.add(name, self.edge(side) + side * .6, z, -side * np.pi / 2)
            else:
                for z in self._random_positions(many):
                    self._add_furniture(name, side, z)

    def _add_run(self, name: str, side: int, density: float) -> None:
        """Add a run of rails or walls along the road."""
        rng = self.rng
        if rng.random() > min(density / 12 + .15, .9):
            return
        off = rng.uniform(.4, 1.5) + (rng.uniform(1, 6) if name in {'fence', 'noise_wall'} else 0)
        start = self.start + rng.uniform(-20, 60)
        z, end = start, start + rng.uniform(40, REACH)
        while z < end:
            self.add(name, self.edge(side) + side * off, z, ALONG)
            x = self.objects[-1].mesh.vertices[:, 0]
            z += float(x.max() - x.min()) - .02

    def _add_furniture(self, name: str, side: int, z: float) -> None:
        """Add one piece of street furniture beside the road."""
        rng = self.rng
        off = rng.uniform(.3, 1.5)
        if name in {'billboard', 'pylon', 'container'}:
            off += rng.uniform(3, 25)
        elif name in {'bin', 'bench', 'bollard', 'hydrant'}:
            off -= rng.uniform(0, self.terrain.walk)
        elif name == 'cone':
            off -= rng.uniform(0, 3)
        heading = rng.uniform(0, 2 * np.pi)
        if name in FACING:
            heading = (np.pi if side > 0 or rng.random() < .4 else 0.0) + rng.normal(0, .1)
        if name in {'bus_shelter', 'bench'}:
            heading = -side * np.pi / 2
        self.add(name, self.edge(side) + side * off, z, heading)

    def _add_plants(self, side: int) -> None:
        rng, place = self.rng, self.place
        forest = rng.random() < place.forest
        green = rng.choice([.0, .3, .7, 1.0]) if not forest else rng.uniform(.7, 1.0)
        reach = {'near': NEAR_PLANTS + 60, 'far': FOREST_EDGE}
        for name, density in place.plants.items():
            small = name in {'grass_tuft', 'flowers', 'bush', 'crop_row', 'rock', 'hedge'}
            many = density * green * rng.uniform(.2, 1.3)
            for z in self._random_positions(many, 70 if name == 'grass_tuft' else reach['near']):
                off = rng.uniform(.5, 4) if name == 'grass_tuft' else rng.uniform(1.5, 16)
                if rng.random() < .5 and not small:
                    off = rng.uniform(1.2, 6)
                near = self._least_distance(z) < NEAR_PLANTS or small
                heading = ALONG if name in {'hedge', 'crop_row'} else rng.uniform(0, 2 * np.pi)
                self.add(name if near else 'far_tree', self.edge(side) + side * off, z, heading,
                         scale=rng.uniform(.6, 1.3))
        # a wood of simple trees
        wooded = forest or rng.random() < .35 * bool(place.plants.get('broadleaf', 0)
                                                     + place.plants.get('conifer', 0) > 3)
        if wooded:
            back = rng.uniform(5, 12) if forest else rng.uniform(25, 120)
            needles = rng.uniform(0, 1)
            for z in self._random_positions(rng.uniform(14, 34), FOREST_EDGE):
                off = back + rng.exponential(14)
                near = np.hypot(self._least_distance(z), off) < NEAR_WOOD
                name = 'conifer' if rng.random() < needles else 'broadleaf'
                self.add(name if near else 'far_tree', self.edge(side) + side * off, z,
                         rng.uniform(0, 2 * np.pi), scale=rng.uniform(.6, 1.5))
        for z in self._random_positions(rng.uniform(0, 4) * bool(place.plants), FOREST_EDGE):
            self.add('far_tree', self.edge(side) + side * rng.uniform(30, 220), z,
                     rng.uniform(0, 2 * np.pi), scale=rng.uniform(.6, 1.5))

    def _add_people(self, side: int) -> None:
        rng = self.rng
        for z in self._random_positions(self.place.people * rng.uniform(0, 1.2), 160):
            walk = max(self.terrain.walk, 1.2)
            d = self.edge(side) - side * rng.uniform(0, walk)
            if rng.random() < .12:  # on the carriageway
                d = rng.uniform(*self.terrain.edges)
            heading = rng.choice([0, np.pi, np.pi / 2, -np.pi / 2], p=[.36, .36, .14, .14])
            for _ in range(int(rng.choice([1, 2, 3], p=[.7, .22, .08]))):
                self.add('person', d + rng.normal(0, .6), z + rng.normal(0, .6),
                         heading + rng.normal(0, .2),
                         speed=float(rng.choice([0, rng.uniform(.8, 1.6)])))

    def _add_traffic(self) -> None:
        rng, place = self.rng, self.place
        left, right = self.terrain.edges
        lanes = max(round((right - left) / 3.4), 1)
        width = (right - left) / lanes
        two_way = place.speed[1] < 30  # a motorway's carriageway is one-way
        directions = np.where(np.arange(lanes) >= lanes / 2, 1, -1) if two_way else np.ones(lanes)
        jam = rng.random() < .15
        for lane in range(lanes):
            density = place.traffic * rng.uniform(0, 1.6) * (3 if jam else 1)
            z = self.start - 20 + rng.exponential(30)
            while z < self.start + 260 and density > .05:
                name = weighted_choice(place.vehicles, rng)
                d = left + (lane + .5) * width + rng.normal(0, .25)
                speed = rng.uniform(*place.speed) * (.2 if jam else 1)
                self.add(name, d, z, (0 if directions[lane] > 0 else np.pi) + rng.normal(0, .02),
                         speed=speed)
                long = 16 if name in {'truck', 'bus'} else 6
                z += long + rng.exponential(max(100 / density - long, 2))

    def _add_parked(self) -> None:
        rng, place = self.rng, self.place
        left, right = self.terrain.edges
        if place.lanes[1] > 8:  # a car park: rows across the paved ground
            for d in np.arange(left + 3, right - 2, rng.uniform(8, 11)).tolist():
                full = rng.uniform(.1, 1)
                for z in np.arange(self.start - 10, self.start + 110,
                                   rng.uniform(2.5, 2.9)).tolist():
                    if rng.random() < full:
                        heading = float(rng.choice([1, -1]) * np.pi / 2 + rng.normal(0, .03))
                        self.add(weighted_choice(CAR_PARK, rng), d + rng.normal(0, .2), z, heading)
            return
        for side in (-1, 1):
            for z in self._random_positions(place.parked * rng.uniform(0, 1.3), 180):
                edge = right if side > 0 else left
                heading = (0 if rng.random() < .8 else np.pi) + rng.normal(0, .03)
                self.add(weighted_choice(KERB, rng), edge - side * rng.uniform(1.0, 1.4), z,
                         heading)
