"""Shapes on textures, in the files that ``rgb2swir scenes`` writes: six classes by shape alone."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

CLASSES = ('car', 'truck', 'person', 'bus', 'motorcycle', 'bicycle')


def write_toy(folder: Path, counts: dict[str, int], size=(256, 320), seed=0, looks=2,
              sides=(5., 90.), most=9) -> Path:
    """Write splits of ``counts`` frames; ``looks`` frames of a scene share their geometry."""
    (folder / 'annotations').mkdir(parents=True, exist_ok=True)
    for number, (split, count) in enumerate(counts.items()):
        images, annotations = [], []
        for k in range(count):
            scene = f'{split}{k // looks:04d}'
            layout = np.random.default_rng([seed, number, k // looks])
            look = np.random.default_rng([seed, number, k, 7])
            picture, objects = _frame(layout, look, size, sides, most)
            name = f'swir/{scene}_{k % looks}.png'
            for part in ('swir', 'rgb'):
                (folder / part).mkdir(exist_ok=True)
            cv2.imwrite(str(folder / name), np.round(picture * 65535).astype(np.uint16))
            grey = np.round(255 * picture ** (1 / 2.2)).astype(np.uint8)
            cv2.imwrite(str(folder / name.replace('swir', 'rgb')), cv2.merge([grey] * 3))
            images.append({'id': k + 1, 'file_name': name, 'height': size[0], 'width': size[1],
                           'rgb_file_name': name.replace('swir', 'rgb'), 'scene': scene,
                           'weather': 'clear', 'place': 'town'})
            annotations += [{'id': len(annotations) + i + 1, 'image_id': k + 1, 'iscrowd': 0, **o}
                            for i, o in enumerate(objects)]
        (folder / 'annotations' / f'{split}.json').write_text(json.dumps({
            'images': images, 'annotations': annotations,
            'categories': [{'id': i + 1, 'name': n} for i, n in enumerate(CLASSES)]}))
    return folder


def _frame(layout, look, size, sides, most):
    height, width = size
    coarse = look.random((height // 16 + 2, width // 16 + 2)).astype(np.float32)
    tone = .35 + .3 * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    objects = []
    for _ in range(int(layout.integers(1, most + 1))):
        kind = int(layout.integers(6))
        side = float(np.exp(layout.uniform(*np.log(sides))))
        w, h = (max(round(side * f), 2) for f in ((1.6, 1.), (1., 1.6), (.6, 1.6), (1.6, .8),
                                                   (1., 1.), (1.2, .9))[kind])
        if w >= width or h >= height:
            continue
        x, y = int(layout.integers(width - w)), int(layout.integers(height - h))
        shape = _shape(kind, h, w)
        if any(x < o['bbox'][0] + o['bbox'][2] and o['bbox'][0] < x + w
               and y < o['bbox'][1] + o['bbox'][3] and o['bbox'][1] < y + h for o in objects):
            continue
        value = .1 + .1 * look.random() if look.random() < .5 else .8 + .15 * look.random()
        tone[y:y + h, x:x + w] += shape * (value - tone[y:y + h, x:x + w])
        objects.append({'category_id': kind + 1, 'bbox': [x, y, w, h], 'area': float(w * h)})
    tone += look.normal(0, .02, tone.shape)
    return tone.clip(0, 1) ** 2.2, objects


def _shape(kind, h, w):
    y, x = np.mgrid[:h, :w]
    v, u = (y + .5) / h * 2 - 1, (x + .5) / w * 2 - 1
    return np.asarray([np.ones((h, w), bool), np.abs(u) <= (v + 1) / 2 + .15,
                       u ** 2 + v ** 2 <= 1.05, (np.abs(u) > .5) | (np.abs(v) > .4),
                       (np.abs(u) < .35) | (np.abs(v) < .35), np.abs(u) + np.abs(v) <= 1.1,
                       ][kind], np.float32)
