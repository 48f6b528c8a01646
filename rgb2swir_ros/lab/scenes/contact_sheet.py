"""Pictures for visual checks: RGB beside SWIR with boxes, flow in colours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from rgb2swir_ros.lab.scenes.annotations import GAMMA
from rgb2swir_ros.lab.scenes.labelling import drop_reason

SHEET_FRAMES, SHEET_COLUMNS = 24, 3
NAMED_WIDTH = 14  # pixels; the names of narrower boxes would hide their neighbours
COLOURS = {'car': (255, 200, 0), 'truck': (255, 110, 0), 'person': (255, 60, 160),
           'bus': (0, 200, 255), 'motorcycle': (120, 255, 80), 'bicycle': (170, 120, 255)}


def display_picture(radiance: np.ndarray) -> np.ndarray:
    """Return the display value (gamma 2.2) of radiance (H, W) in [0, 1], uint8 (H, W, 3)."""
    grey = np.clip(radiance, 0, 1) ** (1 / GAMMA) * 255 + .5
    return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)


def flow_picture(flow: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Return flow (H, W, 2) in colours: hue is the direction, brightness the length.

    :param seen: bool (H, W); where it is False the picture is grey.
    :return: uint8 (H, W, 3), RGB, of full brightness at the 95th percentile of the lengths.
    """
    right, down = (np.nan_to_num(flow[..., k]).astype(np.float32) for k in range(2))
    length, angle = map(np.asarray, cv2.cartToPolar(right, down, angleInDegrees=True))
    full = max(float(np.percentile(length[seen], 95)) if seen.any() else 0.0, .1)
    hsv = np.dstack([angle / 2, np.full_like(length, 230), np.clip(length / full, 0, 1) * 255])
    colours = cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB)
    return np.asarray(np.where(seen[..., None], colours, np.uint8(90)))


def overlay_boxes(picture: np.ndarray, objects: Sequence[dict[str, Any]]) -> np.ndarray:
    """Return a copy of uint8 RGB (H, W, 3) with the objects' boxes and classes."""
    drawn = np.ascontiguousarray(picture).copy()
    for item in objects:
        x, y, width, height = item['box']
        colour = COLOURS[item['category']]
        left, top = round(x), round(y)
        cv2.rectangle(drawn, (left, top), (round(x + width), round(y + height)), colour, 1)
        if width >= NAMED_WIDTH:
            cv2.putText(drawn, item['category'], (left, max(top - 2, 8)),
                        cv2.FONT_HERSHEY_SIMPLEX, .3, colour, 1, cv2.LINE_AA)
    return drawn


def choose_frames(manifests: Sequence[dict[str, Any]],
                  count: int = SHEET_FRAMES) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Choose (scene, frame) for a sheet: evenly spaced scenes, weathers as even as possible."""
    shown: Counter[str] = Counter()
    chosen: list[tuple[dict[str, Any], dict[str, Any]]] = []
    taken: set[str] = set()
    total = len(manifests)
    for turn in range(count if total else 0):
        # evenly spaced where there are enough scenes, else cyclic
        number = turn * total // count if total >= count else turn % total
        left = [f for f in manifests[number]['frames'] if f['swir'] not in taken]
        if left:
            frame = min(left, key=lambda f: shown[f['weather']])
            shown[frame['weather']] += 1
            taken.add(frame['swir'])
            chosen.append((manifests[number], frame))
    return chosen


def contact_sheet(folder: Path, manifests: Sequence[dict[str, Any]]) -> np.ndarray:
    """Return a sheet of RGB beside SWIR with boxes, of frames from the whole data set.

    :param manifests: of at least one scene.
    :return: uint8 (H, W, 3), RGB.
    """
    tiles = []
    for manifest, frame in choose_frames(manifests):
        rgb = cv2.cvtColor(_read(folder / frame['rgb']), cv2.COLOR_BGR2RGB)
        swir = display_picture(_read(folder / frame['swir']) / 65535)
        tile = np.hstack([overlay_boxes(p, [o for o in frame['objects'] if not drop_reason(o)])
                          for p in (rgb, swir)])
        caption = f'{manifest["seed"]} {manifest["split"]} {frame["place"]} {frame["weather"]}'
        tile[-14:] //= 3
        cv2.putText(tile, caption, (3, tile.shape[0] - 4), cv2.FONT_HERSHEY_SIMPLEX, .35,
                    (255, 255, 255), 1, cv2.LINE_AA)
        tiles.append(np.pad(tile, ((0, 3), (0, 3), (0, 0))))
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % SHEET_COLUMNS)
    return np.vstack([np.hstack(tiles[k:k + SHEET_COLUMNS])
                      for k in range(0, len(tiles), SHEET_COLUMNS)])


def _read(path: Path) -> np.ndarray:
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise ValueError(f'{path} was written just now and cannot be read')
    return np.asarray(picture)
