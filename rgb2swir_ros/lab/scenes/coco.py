"""COCO annotations of rendered frames, and statistics of a data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from rgb2swir_ros.lab.scenes.labelling import DROP_REASONS, RULE, drop_reason
from rgb2swir_ros.lab.scenes.scene import CATEGORIES
from rgb2swir_ros.lab.scenes.units import SPLITS

# COCO's size buckets, by visible area in pixels
BUCKETS = (('small', 32 ** 2), ('medium', 96 ** 2), ('large', float('inf')))


def bucket(area: float) -> str:
    """Return COCO's name of an object's size: small, medium or large."""
    return next(name for name, limit in BUCKETS if area < limit)


def to_coco(manifests: Iterable[dict[str, Any]], size: tuple[int, int],
            about: str) -> dict[str, Any]:
    """Return the COCO data set of the frames of some units.

    :param manifests: from `rgb2swir_ros.lab.scenes.units.write_unit`, in order of the images.
    :param size: (height, width) of every frame.
    :param about: description of the data set.
    :return: ``file_name`` of an image is its SWIR frame, ``rgb_file_name`` the RGB one, both
        relative to the data set's folder; an annotation has ``visible`` besides COCO's own keys.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for manifest in manifests:
        for frame in manifest['frames']:
            images.append({
                'id': len(images) + 1, 'file_name': frame['swir'], 'rgb_file_name': frame['rgb'],
                'width': size[1], 'height': size[0], 'scene': manifest['seed'],
                'weather': frame['weather'], 'place': frame['place']})
            annotations += [{
                'id': len(annotations) + 1 + k, 'image_id': len(images),
                'category_id': CATEGORIES.index(item['category']) + 1, 'bbox': item['box'],
                'area': item['area'], 'iscrowd': 0, 'visible': item['visible'],
            } for k, item in enumerate(o for o in frame['objects'] if not drop_reason(o))]
    return {'info': {'description': f'{about}; {RULE}'}, 'images': images,
            'annotations': annotations,
            'categories': [{'id': k + 1, 'name': name, 'supercategory': 'road user'}
                           for k, name in enumerate(CATEGORIES)]}


def count(manifests: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the counts of a data set by split: classes, sizes, weathers, places."""
    by_split: dict[str, dict[str, Any]] = {}
    for split in SPLITS:
        by_split[split] = {'scenes': 0, 'frames': 0, 'boxes': 0, 'classes': Counter(),
                           'sizes': Counter(), 'weathers': Counter(), 'places': Counter()}
    lost: Counter[str] = Counter()
    for manifest in manifests:
        part = by_split[manifest['split']]
        part['scenes'] += 1
        for frame in manifest['frames']:
            part['frames'] += 1
            part['weathers'][frame['weather']] += 1
            part['places'][frame['place']] += 1
            for item in frame['objects']:
                reason = drop_reason(item)
                if reason:
                    lost[reason] += 1
                    continue
                part['boxes'] += 1
                part['classes'][item['category']] += 1
                part['sizes'][bucket(item['area'])] += 1
    ordered = {'classes': CATEGORIES, 'sizes': tuple(name for name, _ in BUCKETS)}
    for part in by_split.values():
        for key in ('classes', 'sizes', 'weathers', 'places'):
            names = ordered.get(key) or sorted({
                name for other in by_split.values() for name in other[key]})
            part[key] = {name: part[key][name] for name in names}
    return {'splits': by_split, 'boxes_dropped': {r: lost[r] for r in DROP_REASONS}}
