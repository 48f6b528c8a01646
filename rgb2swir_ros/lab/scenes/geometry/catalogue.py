"""Catalogue of all kinds of objects along a road, by name.

The front of an object faces +z: of a car, a house, a sign, a traffic light; so does the arm of a
lamp post. Long objects (rails, fences, hedges, crop rows, gantries, bridges) lie along x. `hedge`,
`crop_row`, `guard_rail`, `concrete_barrier`, `fence` and `noise_wall` of their modules take a
length, `gantry` and `bridge` a width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from rgb2swir_ros.errors import UserError

from . import barriers, blocks, furniture, houses, landmarks, plants, poles, signs, trees
from .buses import bus
from .cars import car
from .mesh import Mesh
from .people import person
from .trucks import truck
from .two_wheelers import bicycle, motorcycle


@dataclass(frozen=True)
class ObjectType:
    """How a kind of object is made, and its class for a detector.

    :param make: returns a new random mesh.
    :param category: a class of the data set, or None for objects without annotations.
    """

    make: Callable[[np.random.Generator], Mesh]
    category: str | None = None


NEAR = 4.0  # number of leaves on near plants over that on others

OBJECT_TYPES: dict[str, ObjectType] = {
    'car': ObjectType(car, 'car'),
    'truck': ObjectType(truck, 'truck'),
    'bus': ObjectType(bus, 'bus'),
    'motorcycle': ObjectType(motorcycle, 'motorcycle'),
    'bicycle': ObjectType(bicycle, 'bicycle'),
    'parked_motorcycle': ObjectType(partial(motorcycle, ridden=False), 'motorcycle'),
    'parked_bicycle': ObjectType(partial(bicycle, ridden=False), 'bicycle'),
    'person': ObjectType(person, 'person'),
    'broadleaf': ObjectType(trees.broadleaf),
    'conifer': ObjectType(trees.conifer),
    'palm': ObjectType(trees.palm),
    'dead_tree': ObjectType(trees.dead_tree),
    'far_tree': ObjectType(trees.far_tree),
    'broadleaf_near': ObjectType(partial(trees.broadleaf, detail=NEAR)),
    'conifer_near': ObjectType(partial(trees.conifer, detail=NEAR)),
    'bush_near': ObjectType(partial(plants.bush, detail=NEAR)),
    'bush': ObjectType(plants.bush),
    'hedge': ObjectType(plants.hedge),
    'grass_tuft': ObjectType(plants.grass_tuft),
    'flowers': ObjectType(plants.flowers),
    'crop_row': ObjectType(plants.crop_row),
    'house': ObjectType(houses.house),
    'town_block': ObjectType(blocks.town_block),
    'tower_block': ObjectType(blocks.tower_block),
    'church': ObjectType(landmarks.church),
    'hall': ObjectType(landmarks.hall),
    'silo': ObjectType(landmarks.silo),
    'lamp_post': ObjectType(poles.lamp_post),
    'pole': ObjectType(poles.pole),
    'pylon': ObjectType(poles.pylon),
    'traffic_sign': ObjectType(signs.traffic_sign),
    'direction_sign': ObjectType(signs.direction_sign),
    'gantry': ObjectType(signs.gantry),
    'traffic_light': ObjectType(signs.traffic_light),
    'billboard': ObjectType(signs.billboard),
    'guard_rail': ObjectType(barriers.guard_rail),
    'concrete_barrier': ObjectType(barriers.concrete_barrier),
    'fence': ObjectType(barriers.fence),
    'noise_wall': ObjectType(barriers.noise_wall),
    'bollard': ObjectType(barriers.bollard),
    'cone': ObjectType(barriers.cone),
    'bridge': ObjectType(barriers.bridge),
    'bus_shelter': ObjectType(furniture.bus_shelter),
    'bench': ObjectType(furniture.bench),
    'bin': ObjectType(furniture.litter_bin),
    'hydrant': ObjectType(furniture.hydrant),
    'container': ObjectType(furniture.container),
    'rock': ObjectType(furniture.rock),
}


def make_object(name: str, rng: np.random.Generator) -> Mesh:
    """Return a new random object.

    :param name: a key of `OBJECT_TYPES`.
    :raises UserError: for an unknown name.
    """
    if name not in OBJECT_TYPES:
        raise UserError(f'unknown kind of object {name!r}: choose one of '
                        f'{", ".join(OBJECT_TYPES)}')
    return OBJECT_TYPES[name].make(rng)
