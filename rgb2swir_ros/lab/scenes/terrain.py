"""The ground: shape of road and land, and the material at each point.

Positions are given in road coordinates: ``d`` metres to the right of the road's centre line, ``z``
metres ahead, so that lanes and verges follow the bends of the road.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np

from rgb2swir_ros.lab.scenes.geometry.mesh import Part
from rgb2swir_ros.lab.scenes.textures import sample_texture

FAR = 1600.0  # metres of land ahead; beyond it is haze or sky


@dataclass(frozen=True)
class LaneMarking:
    """A painted marking along the road.

    :param d: metres right of the centre line; ``width`` metres.
    :param dash: metres of paint, followed by a ``gap`` in metres; 0 is a solid line.
    """

    d: float
    paint: str
    width: float = .15
    dash: float = 0.0
    gap: float = 0.0


@dataclass(frozen=True)
class TransverseStrip:
    """A strip across the road: stop line, zebra crossing, another road.

    :param z: of its near edge; ``length``: metres along the road.
    :param low: left edge, ``high``: right edge, metres right of the centre line.
    :param part: a key of `Terrain.parts`.
    :param stripe: width in metres of each stripe of a zebra crossing; 0 for a plain strip.
    """

    z: float
    length: float
    low: float
    high: float
    part: str
    stripe: float = 0.0


@dataclass(frozen=True)
class Terrain:
    """The shape of the land and the materials of the ground.

    :param edges: (left, right) of the carriageway, in d.
    :param walk: metres of pavement on each side, 0 for none; ``kerb``: its height.
    :param bend: amplitude (m), wavelength over 2 pi (m) and phase (rad) of the road's bends;
        ``climb``: of its height.
    :param hills: height (m) of the land far from the road; ``hills_scale``: their width (m).
    :param bank: (left, right) height (m) of the land beside the road; cuttings are positive.
    :param flat: metres from the road's edge that stay level.
    :param verge: metres of verge before the fields begin.
    :param parts: the ground's parts by name: ``road``, ``repair``, ``kerb``, ``walk``,
        ``verge_left``, ``verge_right``, ``spots``, ``field_0`` to ``field_3``, and the paints.
    :param spots: share of verge and field that the material ``spots`` covers.
    :param repairs: share of the road that is covered by repairs.
    :param offset: (x, z) texels into the textures, which makes terrains differ.
    :ivar names: of the parts, in the order of `classify`.
    """

    edges: tuple[float, float]
    walk: float
    kerb: float
    bend: tuple[float, float, float]
    climb: tuple[float, float, float]
    hills: float
    hills_scale: float
    bank: tuple[float, float]
    flat: float
    verge: float
    parts: dict[str, Part]
    spots: float
    repairs: float
    lines: tuple[LaneMarking, ...] = ()
    strips: tuple[TransverseStrip, ...] = ()
    offset: tuple[float, float] = (0.0, 0.0)
    names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Fix the order of the parts."""
        object.__setattr__(self, 'names', tuple(self.parts))

    def centre(self, z: np.ndarray | float) -> np.ndarray:
        """Return x of the centre line."""
        amplitude, length, phase = self.bend
        return np.asarray(amplitude * (np.sin(np.asarray(z) / length + phase) - np.sin(phase)))

    def tangent(self, z: np.ndarray | float) -> np.ndarray:
        """Return the heading of the centre line, radians from +z towards +x."""
        amplitude, length, phase = self.bend
        return np.arctan(amplitude / length * np.cos(np.asarray(z) / length + phase))

    def height(self, d: np.ndarray | float, z: np.ndarray | float) -> np.ndarray:
        """Return y of the ground."""
        d, z = np.asarray(d, np.float64), np.asarray(z, np.float64)
        amplitude, length, phase = self.climb
        base = amplitude * (np.sin(z / length + phase) - np.sin(phase))
        left, right = self.edges
        beyond = np.maximum(d - right, left - d) - self.walk
        raised = np.where((beyond > -self.walk) & (self.walk > 0), self.kerb, 0.0)
        bank = np.where(d > 0, self.bank[1], self.bank[0])
        slope = np.clip((beyond - 1.5) / (2.0 * np.abs(bank) + 2.0), 0, 1)
        away = np.clip((beyond - self.flat) / (3 * self.hills_scale), 0, 1)
        x = d + self.centre(z)
        noise = sample_texture('smooth', x * (64 / self.hills_scale) + self.offset[0],
                               z * (64 / self.hills_scale) + self.offset[1])
        fine = sample_texture('worn', x * 2.5 + self.offset[1], z * 2.5)
        rough = .12 * fine * np.clip((beyond - .5) / 6, 0, 1)
        land = away ** 1.4 * self.hills * (.55 + .45 * noise)
        return base + raised + bank * slope * slope * (3 - 2 * slope) + land + rough

    def classify(self, x: np.ndarray, z: np.ndarray, footprint: np.ndarray) -> np.ndarray:
        """Return the parts of the ground: indices into ``names``, int16, of x's shape.

        :param footprint: metres that a pixel spans; smaller patches are averaged out.
        """
        d = x - self.centre(z)
        index = {name: k for k, name in enumerate(self.names)}
        left, right = self.edges
        beyond = np.maximum(d - right, left - d)
        side = np.where(d > 0, index['verge_right'], index['verge_left'])
        # fields are parcels with irregular borders, each of one crop
        border = 4 * sample_texture('smooth', x * .8, z * .8 + self.offset[0])
        parcel = (np.floor((x + border) / 70) * 3 + np.floor((z + border) / 110) * 5
                  + np.floor(self.offset[0])).astype(np.int64) % 4
        result = np.where(beyond > self.walk + self.verge, index['field_0'] + parcel, side)
        if self.spots:
            noise = sample_texture('worn', x * 12 + self.offset[1], z * 12, footprint * 12) \
                + .6 * sample_texture('speckle', x * 30, z * 30, footprint * 30)
            result = np.where(noise > _threshold(self.spots), index['spots'], result)
        if self.walk:
            result = np.where(beyond <= self.walk, index['walk'], result)
            result = np.where(beyond <= .18, index['kerb'], result)
        on_road = beyond <= 0
        result = np.where(on_road, index['road'], result)
        if self.repairs:
            # repairs are rectangles along a lane
            cell = np.floor(d / 2.2) * 7 + np.floor(z / 9 + .37 * np.floor(d / 2.2)) * 13
            drawn = (cell * 0.6180339887 + self.offset[0]) % 1
            result = np.where(on_road & (drawn < self.repairs), index['repair'], result)
        # worn paint is missing in places
        worn = sample_texture('worn', x * 40, z * 40, footprint * 40) < 1.35
        for line in self.lines:
            hit = np.abs(d - line.d) < line.width / 2
            if line.dash:
                hit &= z % (line.dash + line.gap) < line.dash
            result = np.where(hit & worn, index[line.paint], result)
        for strip in self.strips:
            hit = (z >= strip.z) & (z < strip.z + strip.length) & (d > strip.low) \
                & (d < strip.high)
            if strip.stripe:
                hit &= d % (2 * strip.stripe) < strip.stripe
            result = np.where(hit & (worn | (strip.part == 'road')), index[strip.part], result)
        return result.astype(np.int16)

    def mesh(self, first: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the ground's triangles: vertices (V, 3) float32 and faces (F, 3) int32.

        :param first: z where it begins; cells grow with the distance from there.
        """
        z = first + np.concatenate([np.arange(0, 60, 2.0), 60 * (FAR / 60) ** np.linspace(
            0, 1, 90)])
        out = np.concatenate([np.arange(.19, 24, 1.5), 24 * (1200 / 24) ** np.linspace(0, 1, 44)])
        left, right = self.edges
        walk = np.array([self.walk]) if self.walk else np.zeros(0)
        steps = np.sort(np.concatenate([[0, .01], walk, out + self.walk]))
        d = np.concatenate([left - steps[::-1], np.linspace(left, right, 7)[1:-1], right + steps])
        dd, zz = np.meshgrid(d, z)
        y = self.height(dd, zz)
        vertices = np.stack([dd + self.centre(zz), y, zz], axis=-1).reshape(-1, 3)
        rows, columns = len(z), len(d)
        corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
        faces = np.concatenate([np.stack([corner, corner + columns, corner + 1], 1),
                                np.stack([corner + 1, corner + columns, corner + columns + 1], 1)])
        return vertices.astype(np.float32), faces.astype(np.int32)

    def normals(self, x: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Return the ground's unit normals (..., 3), from differences of its height."""
        d = x - self.centre(z)
        step = .3
        here = self.height(d, z)
        slope_x = (self.height(d + step, z) - here) / step
        slope_z = (self.height(d, z + step) - here) / step
        limit = 2.0  # limits the slope at the step of the kerb
        normal = np.stack([-np.clip(slope_x, -limit, limit), np.ones_like(here),
                           -np.clip(slope_z, -limit, limit)], axis=-1)
        return (normal / np.linalg.norm(normal, axis=-1, keepdims=True)).astype(np.float32)


def _threshold(share: float) -> float:
    """Return the value that noise of standard deviation 1.17 exceeds with this probability."""
    return float(NormalDist(0, 1.17).inv_cdf(1 - min(max(share, 1e-3), .999)))
