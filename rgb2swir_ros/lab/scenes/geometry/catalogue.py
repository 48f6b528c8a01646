"""Every kind of object that can stand along a road, by name.

Objects look along +z: a car drives there, a house, a sign and a traffic light show their faces
there, a lamp post's arm reaches there. What is long (rails, fences, hedges, crop rows, gantries,
bridges) lies along x. `hedge`, `crop_row`, `guard_rail`, `concrete_barrier`, `fence` and
`noise_wall` of their modules take a length, `gantry` and `bridge` a width.
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
class Kind:
    """How an object is made and what a detector should call it.

    :param make: returns a new random mesh.
    :param category: a class of the data set, or none for what is not to be found.
    """

    make: Callable[[np.random.Generator], Mesh]
    category: str | None = None


NEAR = 4.0  # times the leaves on plants that stand near

KINDS: dict[str, Kind] = {
    'car': Kind(car, 'car'),
    'truck': Kind(truck, 'truck'),
    'bus': Kind(bus, 'bus'),
    'motorcycle': Kind(motorcycle, 'motorcycle'),
    'bicycle': Kind(bicycle, 'bicycle'),
    'parked_motorcycle': Kind(partial(motorcycle, ridden=False), 'motorcycle'),
    'parked_bicycle': Kind(partial(bicycle, ridden=False), 'bicycle'),
    'person': Kind(person, 'person'),
    'broadleaf': Kind(trees.broadleaf),
    'conifer': Kind(trees.conifer),
    'palm': Kind(trees.palm),
    'dead_tree': Kind(trees.dead_tree),
    'far_tree': Kind(trees.far_tree),
    'broadleaf_near': Kind(partial(trees.broadleaf, detail=NEAR)),
    'conifer_near': Kind(partial(trees.conifer, detail=NEAR)),
    'bush_near': Kind(partial(plants.bush, detail=NEAR)),
    'bush': Kind(plants.bush),
    'hedge': Kind(plants.hedge),
    'grass_tuft': Kind(plants.grass_tuft),
    'flowers': Kind(plants.flowers),
    'crop_row': Kind(plants.crop_row),
    'house': Kind(houses.house),
    'town_block': Kind(blocks.town_block),
    'tower_block': Kind(blocks.tower_block),
    'church': Kind(landmarks.church),
    'hall': Kind(landmarks.hall),
    'silo': Kind(landmarks.silo),
    'lamp_post': Kind(poles.lamp_post),
    'pole': Kind(poles.pole),
    'pylon': Kind(poles.pylon),
    'traffic_sign': Kind(signs.traffic_sign),
    'direction_sign': Kind(signs.direction_sign),
    'gantry': Kind(signs.gantry),
    'traffic_light': Kind(signs.traffic_light),
    'billboard': Kind(signs.billboard),
    'guard_rail': Kind(barriers.guard_rail),
    'concrete_barrier': Kind(barriers.concrete_barrier),
    'fence': Kind(barriers.fence),
    'noise_wall': Kind(barriers.noise_wall),
    'bollard': Kind(barriers.bollard),
    'cone': Kind(barriers.cone),
    'bridge': Kind(barriers.bridge),
    'bus_shelter': Kind(furniture.bus_shelter),
    'bench': Kind(furniture.bench),
    'bin': Kind(furniture.litter_bin),
    'hydrant': Kind(furniture.hydrant),
    'container': Kind(furniture.container),
    'rock': Kind(furniture.rock),
    'snow_heap': Kind(furniture.snow_heap),
}


def make(kind: str, rng: np.random.Generator) -> Mesh:
    """Return a new random object.

    :param kind: a key of `KINDS`.
    :raises UserError: for an unknown kind.
    """
    if kind not in KINDS:
        raise UserError(f'unknown kind of object {kind!r}: choose one of {", ".join(KINDS)}')
    return KINDS[kind].make(rng)
