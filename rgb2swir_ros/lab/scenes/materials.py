"""Materials: median reflectance in the five bands, and the variation within each material.

The values are in ``materials.yaml`` beside this file; `MaterialTable.load` reads and checks them.
A sample's log reflectance is the table's plus five correlated normal quantities (`QUANTITIES`),
because brightness, colour and SWIR are correlated within a material: a worn road is brighter in
every band, a wetter leaf is darker beyond 1450 nm only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.scenes.bands import SWIR_WEIGHTS, to_swir
from rgb2swir_ros.lab.scenes.material_files import SPREAD_ROWS, read_material_file

QUANTITIES = tuple(SPREAD_ROWS)
# Deviations of log reflectance are LOG_BANDS @ quantities: brightness of the visible bands, red
# against blue, green against both, SWIR as the sensor weighs it, long against short SWIR.
LOG_BANDS = np.array([
    [1, 1, -1 / 3, 0, 0],
    [1, 0, 2 / 3, 0, 0],
    [1, -1, -1 / 3, 0, 0],
    [0, 0, 0, 1, -SWIR_WEIGHTS[1]],
    [0, 0, 0, 1, SWIR_WEIGHTS[0]],
])
LOWEST, HIGHEST = .005, .99   # limits of reflectance
FARTHEST = 2.5                # standard deviations; draws are clipped here
BUILT_IN = Path(__file__).with_name('materials.yaml')


@dataclass(frozen=True)
class Material:
    """One row of the table.

    :param reflectance: (5,) float32 in [0, 1], the median of its samples, in order of ``BANDS``.
    :param source: ``'measured'`` or ``'assumed'``; ``origin`` says where the figures are from.
    :param factor: (5, 5) lower triangular: `QUANTITIES` of a sample are ``factor @ normals``.
    :param spectra: patterns of the measured spectra that reflectance and factor come from.
    """

    reflectance: np.ndarray
    source: str
    origin: str
    factor: np.ndarray
    spectra: tuple[str, ...] = ()


@dataclass(frozen=True)
class MaterialTable:
    """All materials and palettes; a palette is a mixture of materials with weights.

    :param materials: by name.
    :param palettes: by name: its members' names, and their shares (sum 1).
    """

    materials: dict[str, Material]
    palettes: dict[str, tuple[tuple[str, ...], np.ndarray]]

    @classmethod
    def load(cls, extra: Path | None = None) -> MaterialTable:
        """Return the table of the package, with a user's entries over it.

        :param extra: a YAML file built like ``materials.yaml``; its materials, spreads and
            palettes are added, or replace those of the same name.
        :raises UserError: naming what is missing, unknown or out of range in the file.
        """
        if extra is None:
            return _load(None, 0)
        extra = Path(extra)
        # cached, but read again after an edit
        return _load(extra, extra.stat().st_mtime_ns if extra.exists() else 0)

    @property
    def names(self) -> tuple[str, ...]:
        """Names that `draw` takes: the materials, then the palettes."""
        return (*self.materials, *self.palettes)

    def mean(self, name: str) -> np.ndarray:
        """Return a material's reflectance (5,), or the weighted mean of a palette's members."""
        if name in self.palettes:
            members, shares = self.palettes[name]
            stack = np.stack([self.materials[member].reflectance for member in members])
            return (shares @ stack).astype(np.float32)
        return self._material(name).reflectance.copy()

    def swir(self, name: str) -> float:
        """Return the reflectance of `mean` in 900-1700 nm, as the sensor weighs it."""
        return float(to_swir(self.mean(name)))

    def draw(self, name: str, rng: np.random.Generator, spread: float = 1.0) -> np.ndarray:
        """Draw the reflectance of one sample, jointly in all bands.

        :param name: one of `names`.
        :param spread: factor on the variation; 0 gives the table's reflectance, of a palette that
            of its first member.
        :return: (5,) float32 in [.005, .99].
        :raises UserError: for an unknown name.
        """
        if name in self.palettes:
            members, shares = self.palettes[name]
            pick = int(rng.choice(len(members), p=shares))
            name = members[pick if spread else 0]
        material = self._material(name)
        normals = np.clip(rng.standard_normal(len(QUANTITIES)), -FARTHEST, FARTHEST) * spread
        logarithm = LOG_BANDS @ (material.factor @ normals)
        drawn = material.reflectance * np.exp(logarithm)
        return np.clip(drawn, LOWEST, HIGHEST).astype(np.float32)

    def _material(self, name: str) -> Material:
        if name not in self.materials:
            raise UserError(f"unknown material '{name}': known are {', '.join(self.names)}")
        return self.materials[name]


@lru_cache(maxsize=8)
def _load(extra: Path | None, changed_ns: int) -> MaterialTable:
    raw = read_material_file(BUILT_IN)
    if extra is not None:
        raw = raw.updated(read_material_file(extra))
    raw.check_references(extra or BUILT_IN)
    materials = {}
    for name, entry in raw.materials.items():
        spread = raw.spreads[entry.spread] if isinstance(entry.spread, str) else entry.spread
        materials[name] = Material(
            np.clip(np.array(entry.reflectance, np.float32), LOWEST, HIGHEST),
            entry.source, entry.origin, spread.factor(), entry.spectra)
    palettes = {}
    for name, shares in raw.palettes.items():
        weights = np.array(list(shares.values()), float)
        palettes[name] = (tuple(shares), weights / weights.sum())
    return MaterialTable(materials, palettes)


# Transmittance of a film of water of depth d in mm, passed twice: fitted to Segelstein's
# absorption, weighted with the G173 sun (.96, .89, .79 for .3, 1, 2 mm in 900-1350 nm; .56, .18,
# .05 in 1450-1700 nm).
FILM_SHORT = .12
FILM_LONG, FILM_LONG_POWER = 1.70, .87
REFRACTIVE_INDEX = 1.33


def wet_reflectance(reflectance: np.ndarray, wetness: float | np.ndarray,
                    porous: bool | np.ndarray = True,
                    depth_mm: float = 1.0) -> np.ndarray:
    """Return the reflectance of a surface with water in and on it.

    Porous ground darkens in every band, since the film reflects part of its light back down:
    Angstrom (1925), ``a / (n^2 (1 - a) + a)``, .58 of the dry reflectance for asphalt. The film
    itself absorbs no visible light, but most of the long SWIR.

    :param reflectance: (..., 5) in [0, 1], dry.
    :param wetness: in [0, 1], scalar or (...): 0 leaves it dry.
    :param porous: scalar or (...): false for paint, metal and glass, which only get the film.
    :param depth_mm: of the water at wetness 1.
    :return: (..., 5) float32.
    """
    share = np.asarray(wetness, np.float32)[..., None]
    soaked = reflectance / (REFRACTIVE_INDEX ** 2 * (1 - reflectance) + reflectance)
    soaks = share * np.asarray(porous, np.float32)[..., None]
    depth = share * np.float32(depth_mm)
    film = np.concatenate([np.ones((*depth.shape[:-1], 3), np.float32),
                           np.exp(-FILM_SHORT * depth),
                           np.exp(-FILM_LONG * depth ** FILM_LONG_POWER)], axis=-1)
    return ((reflectance + soaks * (soaked - reflectance)) * film).astype(np.float32)


def snow_covered_reflectance(reflectance: np.ndarray, snow: np.ndarray,
                             cover: float | np.ndarray) -> np.ndarray:
    """Return the reflectance of a surface that is partly covered by snow.

    :param reflectance: (..., 5); ``snow``: (5,) of the snow; ``cover``: in [0, 1], scalar or
        (...).
    """
    share = np.asarray(cover, np.float32)[..., None]
    return (reflectance + share * (snow - reflectance)).astype(np.float32)
