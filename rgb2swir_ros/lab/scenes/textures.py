"""Tileable textures: variation of a surface's brightness around its mean."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

SIZE = 512  # texels; all textures tile


def fractal(rng: np.random.Generator, lowest: int, highest: int, roughness: float) -> np.ndarray:
    """Return tileable noise (SIZE, SIZE), float32, mean 0 and standard deviation 1.

    :param lowest: periods across the tile of the coarsest octave, a power of two.
    :param highest: periods of the finest octave.
    :param roughness: amplitude of each octave over that of the next coarser one.
    """
    total = np.zeros((SIZE, SIZE), np.float32)
    amplitude, periods = 1.0, lowest
    while periods <= highest:
        grid = rng.standard_normal((periods, periods)).astype(np.float32)
        padded = np.pad(grid, 2, mode='wrap')  # so that the result tiles
        scale = SIZE // periods
        wide = cv2.resize(padded, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        total += amplitude * wide[2 * scale:2 * scale + SIZE, 2 * scale:2 * scale + SIZE]
        amplitude *= roughness
        periods *= 2
    return (total - total.mean()) / total.std()


def bricks(rng: np.random.Generator) -> np.ndarray:
    """Return a tileable brick pattern (SIZE, SIZE), mean 0 and standard deviation 1."""
    rows, columns = 16, 8
    tile = np.zeros((SIZE, SIZE), np.float32)
    height, width = SIZE // rows, SIZE // columns
    for row in range(rows):
        shift = (row % 2) * width // 2
        strip = np.zeros((height, SIZE), np.float32)
        for column in range(columns):
            strip[3:, column * width + 3:(column + 1) * width] = 1 + .3 * rng.standard_normal()
        tile[row * height:(row + 1) * height] = np.roll(strip, shift, axis=1)
    return (tile - tile.mean()) / tile.std()


def cobbles(rng: np.random.Generator) -> np.ndarray:
    """Return tileable round cells (SIZE, SIZE), mean 0 and standard deviation 1."""
    points = rng.integers(0, SIZE, (180, 2))
    seeds = np.full((SIZE, SIZE), 255, np.uint8)
    seeds[points[:, 0], points[:, 1]] = 0
    distance = cv2.distanceTransform(np.tile(seeds, (3, 3)), cv2.DIST_L2, 3)
    cells = -distance[SIZE:2 * SIZE, SIZE:2 * SIZE]
    return ((cells - cells.mean()) / cells.std()).astype(np.float32)


def _stretched(tile: np.ndarray) -> np.ndarray:
    """Return a tile blurred along its columns, tileable."""
    return np.asarray(cv2.blur(np.pad(tile, ((8, 8), (0, 0)), mode='wrap'), (1, 9))[8:-8])


@lru_cache(maxsize=1)
def texture_library() -> dict[str, np.ndarray]:
    """Return the textures by name, the same in every process."""
    rng = np.random.default_rng(20)
    fine = fractal(rng, 64, 256, .9)
    return {
        'speckle': fine,
        'worn': fractal(rng, 2, 256, .75),
        'smooth': fractal(rng, 2, 16, .5),
        'foliage': np.maximum(fractal(rng, 8, 256, .85), -1.6),
        'leaves': np.abs(fractal(rng, 16, 256, .8)),
        'streaks': _stretched(fractal(rng, 64, 256, 1.0)) * 2,
        'clouds': fractal(rng, 2, 128, .55),
        'bricks': bricks(rng),
        'cobbles': cobbles(rng),
        'gaps': fractal(rng, 32, 128, .9),
    }


def sample_bilinear(name: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return a texture at coordinates in texels (wrapped), by bilinear interpolation.

    :param x: float32 (H, W); ``y``: the same.
    """
    # cv2.remap cannot wrap far coordinates: they are wrapped here, with one texel of overlap
    tile = np.pad(texture_library()[name], ((0, 1), (0, 1)), mode='wrap')
    return cv2.remap(tile, (x % SIZE).astype(np.float32), (y % SIZE).astype(np.float32),
                     cv2.INTER_LINEAR)


@lru_cache(maxsize=1)
def mip_pyramid() -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Return mipmaps of all textures: names, one flat array, and the offset of each level.

    Level k is averaged down to SIZE / 2^k. The levels of a texture follow each other, and every
    texture takes the same number of values.
    """
    names = tuple(texture_library())
    offsets, pyramids = [0], []
    for name in names:
        tile, levels = texture_library()[name].astype(np.float32), []
        while True:
            levels.append(tile.ravel())
            if len(tile) == 1:
                break
            tile = tile.reshape(len(tile) // 2, 2, -1, 2).mean(axis=(1, 3))
        pyramids.append(np.concatenate(levels))
    for level in range(int(np.log2(SIZE))):
        offsets.append(offsets[-1] + (SIZE >> level) ** 2)
    return names, np.concatenate(pyramids), np.array(offsets, np.int64)


def mip_level(texels: np.ndarray) -> np.ndarray:
    """Return the level (N,) of the mipmaps for footprints (N,) in texels."""
    levels = int(np.log2(SIZE)) + 1
    return np.clip(np.log2(np.maximum(texels, 1e-6)) + .5, 0, levels - 1).astype(np.int64)


@lru_cache(maxsize=1)
def _gap_spread() -> np.ndarray:
    """Return the standard deviation of interpolated values of the texture of gaps, by level."""
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, SIZE, (2, 4000)).astype(np.float32)
    levels = int(np.log2(SIZE)) + 1
    spread = [sample_texture('gaps', x, y, 2.0 ** level).std() for level in range(levels)]
    return np.maximum(np.array(spread, np.float32), 1e-3)


def in_gap(quantile: np.ndarray, x: np.ndarray, y: np.ndarray, texels: np.ndarray) -> np.ndarray:
    """Return whether points (N,) lie in gaps of a tuft of leaves, at any distance the same share.

    A mipmap has less contrast than its texture: the threshold falls with it, so that gaps smaller
    than a pixel become fewer larger ones.

    :param quantile: (N,) of a standard normal, above which there is a gap.
    :param x: (N,) in texels; ``y`` the same; ``texels``: (N,) width of the footprint.
    """
    index = np.full(len(x), mip_pyramid()[0].index('gaps'))
    value = sample_textures(index, x % SIZE, y % SIZE, texels)
    return np.asarray(value > quantile * _gap_spread()[mip_level(texels)])


def sample_textures(index: np.ndarray, x: np.ndarray, y: np.ndarray,
                    texels: np.ndarray) -> np.ndarray:
    """Return values of many textures, each from the mipmap level of its footprint.

    :param index: (N,) into the names of `mip_pyramid`; -1 gives 0.
    :param x: (N,) in texels, wrapped; ``y`` the same.
    :param texels: (N,) width of a pixel's footprint in texels.
    :return: (N,) float32.
    """
    names, flat, offsets = mip_pyramid()
    length = len(flat) // len(names)
    level = mip_level(texels)
    size = SIZE >> level
    scale = (1.0 / (1 << level)).astype(np.float32)
    base = np.maximum(index, 0) * length + offsets[level]
    x = x * scale - np.float32(.5)
    y = y * scale - np.float32(.5)
    left, top = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    fx, fy = (x - left).astype(np.float32), (y - top).astype(np.float32)
    mask = size - 1
    x0, x1 = left & mask, (left + 1) & mask
    row0, row1 = base + (top & mask) * size, base + ((top + 1) & mask) * size
    upper = flat[row0 + x0] * (1 - fx) + flat[row0 + x1] * fx
    lower = flat[row1 + x0] * (1 - fx) + flat[row1 + x1] * fx
    return np.where(index >= 0, upper * (1 - fy) + lower * fy, 0).astype(np.float32)


def sample_texture(name: str, x: np.ndarray, y: np.ndarray,
                   texels: np.ndarray | float = 0.0) -> np.ndarray:
    """Return one texture, by its mipmaps, at coordinates of any shape in texels (wrapped).

    :param texels: width of the footprint, 0 for full detail.
    """
    x, y, texels = np.broadcast_arrays(np.asarray(x, np.float64), np.asarray(y, np.float64),
                                       np.asarray(texels, np.float32))
    value = sample_textures(np.full(x.size, mip_pyramid()[0].index(name)),
                            (x % SIZE).ravel().astype(np.float32),
                            (y % SIZE).ravel().astype(np.float32),
                            texels.ravel())
    return value.reshape(x.shape)
