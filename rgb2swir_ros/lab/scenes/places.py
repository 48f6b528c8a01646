"""Kinds of places, as probabilities and densities from which scenes are drawn."""

from __future__ import annotations

from dataclasses import dataclass, field

Mix = dict[str, float]  # names and their weights


@dataclass(frozen=True)
class Place:
    """One kind of place. Densities are objects per 100 m on one side of the road.

    :param weight: relative probability.
    :param lanes: (least, most) number; ``lane``: their width in metres, (least, most).
    :param road: materials of the carriageway.
    :param walk: probability of a pavement; ``verge``: its width in metres, (least, most).
    :param ground: materials beside the road; ``fields``: farther away.
    :param hills: height in metres, (least, most); ``bank``: of the land right beside the road.
    :param bend: greatest amplitude of the road's bends, metres.
    :param traffic: most vehicles per 100 m of lane; ``vehicles``: weights of their kinds.
    :param speed: metres a second, (least, most).
    :param parked: greatest density of parked vehicles; ``people``: of pedestrians.
    :param roadside: densities of street furniture by kind.
    :param plants: greatest densities by kind; ``forest``: probability of a closed wood.
    :param buildings: greatest densities by kind; ``setback``: metres from the verge.
    :param weathers: factors on the usual weights of weathers.
    """

    weight: float
    lanes: tuple[int, int]
    lane: tuple[float, float]
    road: Mix
    ground: Mix
    fields: Mix
    walk: float = 0.0
    verge: tuple[float, float] = (1.0, 6.0)
    hills: tuple[float, float] = (0.0, 25.0)
    bank: tuple[float, float] = (-1.0, 1.5)
    bend: float = 12.0
    traffic: float = 3.0
    vehicles: Mix = field(default_factory=lambda: {'car': .56, 'truck': .14, 'bus': .09,
                                                   'motorcycle': .12, 'bicycle': .09})
    speed: tuple[float, float] = (8, 16)
    parked: float = 0.0
    people: float = 0.0
    roadside: Mix = field(default_factory=dict)
    plants: Mix = field(default_factory=dict)
    forest: float = 0.0
    buildings: Mix = field(default_factory=dict)
    setback: tuple[float, float] = (2.0, 14.0)
    weathers: Mix = field(default_factory=dict)


ASPHALT = {'asphalt': .8, 'concrete': .2}
# Rare kinds have larger shares than on a real road, so that a detector sees enough of each in
# training and evaluation
TOWN_VEHICLES = {'car': .44, 'truck': .12, 'bus': .14, 'motorcycle': .15, 'bicycle': .15}
GREEN = {'grass': .55, 'dry_grass': .25, 'soil': .12, 'gravel': .08}
FIELDS = {'grass': .35, 'dry_grass': .25, 'soil': .2, 'leaf': .2}

PLACES: dict[str, Place] = {
    'town': Place(
        1.6, (2, 4), (2.9, 3.5), {'asphalt': .66, 'concrete': .10, 'granite': .24},
        {'concrete': .4, 'granite': .25, 'grass': .25, 'gravel': .1}, GREEN,
        walk=.95, verge=(0, 3), hills=(0, 12), bend=8, traffic=3.5, vehicles=TOWN_VEHICLES,
        speed=(4, 14), parked=9, people=9,
        roadside={'lamp_post': 3, 'traffic_sign': 2.5, 'traffic_light': .8, 'bollard': 3, 'bin': 1,
                  'bus_shelter': .4, 'bench': .6, 'pole': 1, 'billboard': .2, 'hydrant': .4,
                  'direction_sign': .4},
        plants={'broadleaf': 4, 'bush': 2, 'hedge': .4, 'palm': .4, 'dead_tree': .4},
        buildings={'town_block': 6, 'church': .15, 'house': .8, 'tower_block': .4},
        setback=(0, 3)),
    'old_town': Place(
        .7, (1, 2), (2.6, 3.2), {'granite': .75, 'asphalt': .2, 'brick': .05},
        {'granite': .7, 'concrete': .2, 'grass': .1}, GREEN,
        walk=.8, verge=(0, 2), hills=(0, 8), bend=10, traffic=1.5, vehicles=TOWN_VEHICLES,
        speed=(2, 8), parked=5, people=12,
        roadside={'lamp_post': 3, 'traffic_sign': 2, 'bollard': 5, 'bench': 1.5, 'bin': 1},
        plants={'broadleaf': 2.5, 'bush': 1},
        buildings={'town_block': 5, 'house': 3, 'church': .3}, setback=(0, 1.5)),
    'suburb': Place(
        1.2, (2, 2), (2.8, 3.4), ASPHALT, GREEN, GREEN,
        walk=.7, verge=(1, 5), hills=(0, 15), traffic=1.5, speed=(5, 12), parked=6, people=5,
        roadside={'lamp_post': 2, 'traffic_sign': 1.2, 'pole': 2, 'fence': 5, 'bin': 1.5,
                  'hydrant': .3},
        plants={'broadleaf': 7, 'conifer': 2, 'bush': 7, 'hedge': 5, 'dead_tree': .5,
                'grass_tuft': 6, 'palm': .4},
        buildings={'house': 4.5, 'hall': .2}, setback=(4, 12)),
    'motorway': Place(
        2.2, (2, 4), (3.4, 3.8), {'asphalt': .68, 'concrete': .32}, GREEN, FIELDS,
        verge=(2, 12), hills=(0, 60), bank=(-3, 5), bend=25, traffic=2.5,
        vehicles={'car': .60, 'truck': .21, 'bus': .09, 'motorcycle': .10}, speed=(20, 34),
        roadside={'guard_rail': 18, 'traffic_sign': .5, 'direction_sign': .5, 'lamp_post': .8,
                  'gantry': .25, 'pole': .3,
                  'noise_wall': 1.2, 'concrete_barrier': 3, 'bridge': .12, 'billboard': .2,
                  'pylon': .2},
        plants={'broadleaf': 6, 'conifer': 3, 'bush': 8, 'dead_tree': .4, 'grass_tuft': 14,
                'palm': .3},
        forest=.3, buildings={'hall': .4, 'house': .3}, setback=(15, 60)),
    'country': Place(
        1.3, (1, 2), (2.7, 3.6), {'asphalt': .75, 'concrete': .1, 'gravel': .08, 'soil': .07},
        GREEN, FIELDS, verge=(.5, 5), hills=(0, 70), bank=(-1.5, 2.5), bend=30, traffic=1.5,
        vehicles={'car': .48, 'truck': .13, 'bus': .09, 'motorcycle': .15, 'bicycle': .15},
        speed=(12, 26), people=1.2,
        roadside={'traffic_sign': .8, 'pole': 2.5, 'fence': 5, 'guard_rail': 3, 'pylon': .25,
                  'bridge': .05},
        plants={'broadleaf': 5, 'conifer': 2, 'bush': 5, 'hedge': 2, 'grass_tuft': 14,
                'crop_row': 4,
                'flowers': 2, 'dead_tree': .6},
        forest=.2, buildings={'house': .5, 'hall': .2, 'church': .05, 'silo': .05}, setback=(6,
         50)),
    'forest': Place(
        .9, (1, 2), (2.7, 3.5), {'asphalt': .8, 'gravel': .1, 'soil': .1},
        {'grass': .35, 'leaf': .2, 'soil': .25, 'dry_grass': .2},
        {'leaf': .4, 'grass': .3, 'conifer': .2, 'soil': .1}, verge=(.3, 3), hills=(0, 60),
        bank=(-1.5, 3), bend=30, traffic=1.2, speed=(10, 22), people=1.0,
        roadside={'traffic_sign': .6, 'guard_rail': 2, 'pole': .6},
        plants={'broadleaf': 16, 'conifer': 12, 'bush': 12, 'grass_tuft': 12, 'rock': .8},
        forest=1.0),
    'mountain': Place(
        .7, (2, 3), (3.0, 3.6), ASPHALT,
        {'grass': .3, 'dry_grass': .25, 'granite': .25, 'soil': .2},
        {'grass': .25, 'dry_grass': .25, 'granite': .3, 'conifer': .2}, verge=(.5, 5),
        hills=(60, 320), bank=(-4, 7), bend=45, traffic=1.5, speed=(10, 25),
        roadside={'guard_rail': 8, 'traffic_sign': .8, 'concrete_barrier': 2},
        plants={'conifer': 10, 'bush': 5, 'rock': 5, 'grass_tuft': 8, 'dead_tree': .8}, forest=.35,
        buildings={'house': .2}, setback=(8, 40)),
    'desert': Place(
        .8, (2, 4), (3.2, 3.8), {'asphalt': .85, 'concrete': .1, 'soil': .05},
        {'sand': .5, 'soil': .3, 'gravel': .2},
        {'sand': .45, 'soil': .3, 'gravel': .15, 'dry_grass': .1}, verge=(1, 10),
        hills=(0, 160), bank=(-1, 2), bend=25, traffic=1.5, speed=(15, 32),
        roadside={'traffic_sign': .5, 'pole': 1.5, 'guard_rail': 1.5, 'pylon': .3,
                  'billboard': .15},
        plants={'bush': 3, 'grass_tuft': 10, 'rock': 3, 'palm': .7, 'dead_tree': .3},
        buildings={'house': .15, 'hall': .15}, setback=(10, 60),
        weathers={'snow': 0, 'wet': .1, 'haze': 3.0, 'fog': .2}),
    'parking': Place(
        .9, (8, 16), (2.6, 3.2), {'asphalt': .85, 'concrete': .15}, GREEN, GREEN,
        walk=.6, verge=(1, 6), hills=(0, 10), bend=0, traffic=.4,
        vehicles={'car': .66, 'truck': .06, 'bus': .08, 'motorcycle': .1, 'bicycle': .1},
        speed=(1, 4), parked=0, people=6,
        roadside={'lamp_post': 2, 'traffic_sign': 1, 'bollard': 1, 'bin': .5},
        plants={'broadleaf': 5, 'bush': 5, 'hedge': 2, 'conifer': 1, 'palm': .4},
        buildings={'hall': 1.0, 'town_block': .8, 'house': .5}, setback=(2, 14)),
    'works': Place(
        .5, (2, 4), (3.0, 3.6), {'asphalt': .6, 'concrete': .2, 'gravel': .1, 'soil': .1},
        {'soil': .4, 'gravel': .3, 'concrete': .2, 'grass': .1}, GREEN,
        walk=.2, verge=(1, 8), hills=(0, 15), traffic=2, speed=(4, 12), people=5,
        vehicles={'car': .42, 'truck': .34, 'bus': .06, 'motorcycle': .1, 'bicycle': .08},
        roadside={'cone': 10, 'concrete_barrier': 8, 'traffic_sign': 2, 'container': 1.5,
                  'fence': 4, 'lamp_post': 1, 'pole': 1},
        plants={'broadleaf': 2, 'bush': 2, 'grass_tuft': 4}, buildings={'hall': 1.5, 'house': .4},
        setback=(4, 25)),
}
