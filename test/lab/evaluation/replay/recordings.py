"""A rendered drive as a bag with true SWIR, a bag of SWIR frames beside it, and labels."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rgb2swir_ros.imaging.raw import to_fields
from rgb2swir_ros.lab.detector.model import TorchDetector, load_detector
from rgb2swir_ros.lab.scenes.frames import RenderedFrame, render_sequence
from rgb2swir_ros.replay.run_record import BAG_FOLDER, RunRecord, SwirTopic, write_run
from rgb2swir_ros.resources import model_directory

from ....replay.footage import START, TYPES, header, image, write_bag

RENDERED, LOOKS = 4, 10
SIZE = (128, 160)
SOURCE, TRUE, SWIR = '/camera/image_raw', '/truth/image_raw', '/camera/swir/image_raw'
SECOND = 10**9


@dataclass(frozen=True)
class Recording:
    """What was written, and the same as arrays.

    :param stamps: of the frames; ``true``, ``made``: uint16 (N, H, W), linear; ``boxes``: of each
        frame, in COCO's form.
    """

    folder: Path
    bag: Path
    labels: Path
    stamps: list[int]
    true: np.ndarray
    made: np.ndarray
    rgb: np.ndarray
    boxes: list[list[dict[str, Any]]]
    classes: tuple[str, ...]


def grey16(pixels: np.ndarray, stamp_ns: int) -> object:
    fields = to_fields(pixels, 'mono16')
    return TYPES.types['sensor_msgs/msg/Image'](
        header=header(stamp_ns), height=fields.height, width=fields.width, encoding='mono16',
        is_bigendian=0, step=fields.step, data=np.frombuffer(fields.data, np.uint8))


def record(folder: Path) -> Recording:
    """Write `RENDERED` frames of a rendered drive in `LOOKS` variants, one frame a second.

    The "translation" is the true frame, darker in part and with noise of a kind of its own in
    each frame. True frames are stamped 20 ms after their sources.
    """
    frames = list(render_sequence(3, SIZE, RENDERED))
    detector = load_detector(model_directory('detector'))
    classes = tuple(sorted(detector.classes))
    rng = np.random.default_rng(0)
    rgbs, trues, mades, boxes, stamps = [], [], [], [], []
    for k in range(RENDERED * LOOKS):
        frame, look = frames[k % RENDERED], k // RENDERED
        rgb, true, objects = variant(frame, mirrored=bool(look % 2), gain=1 - .1 * (look // 2))
        made = .9 * true ** 1.2 + rng.normal(0, .002 * (1 + k % 9), true.shape)
        rgbs.append(rgb)
        trues.append(np.rint(65535 * true).astype(np.uint16))
        mades.append(np.rint(65535 * made.clip(0, 1)).astype(np.uint16))
        objects += found_objects(detector, true, rng)
        boxes.append([{**o, 'category_id': classes.index(o['name']) + 1} for o in objects])
        stamps.append(START + k * SECOND)
    messages = [message for k, stamp in enumerate(stamps) for message in (
        (SOURCE, image(rgbs[k], stamp)), (TRUE, grey16(trues[k], stamp + SECOND // 50)))]
    bag = write_bag(folder / 'drive', messages)
    out = folder / 'out' / 'drive'
    out.mkdir(parents=True)
    write_bag(out / BAG_FOLDER, [(SWIR, grey16(mades[k], s)) for k, s in enumerate(stamps)])
    write_run(out, RunRecord(
        str(bag), options={'model': 'nano'}, cameras=[SwirTopic(
            SOURCE, 'sensor_msgs/msg/Image', SWIR, source_size=SIZE, size=SIZE, encoding='mono16',
            gamma=1., announced=len(stamps), frames=len(stamps))]))
    labels = folder / 'labels.json'
    labels.write_text(json.dumps({
        'images': [{'id': k + 1, 'stamp_ns': stamp, 'height': SIZE[0], 'width': SIZE[1]}
                   for k, stamp in enumerate(stamps)],
        'annotations': [{'id': 1000 * k + i + 1, 'image_id': k + 1, **o}
                        for k, objects in enumerate(boxes) for i, o in enumerate(objects)],
        'categories': [{'id': k + 1, 'name': name} for k, name in enumerate(classes)]}))
    return Recording(folder / 'out', bag, labels, stamps, np.array(trues), np.array(mades),
                     np.array(rgbs), boxes, classes)


def found_objects(detector: TorchDetector, true: np.ndarray,
                  rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return some objects near what a detector finds in a true frame, whatever was rendered.

    So a part of the detections in the translation hits, and a comparison of precisions says
    something.
    """
    found = detector.detect([np.power(true, 1 / 2.2, dtype=np.float32)])[0]
    objects = []
    for box, label in zip(found.boxes[:4].tolist(), found.labels[:4].tolist(), strict=True):
        left, top, right, bottom = box
        width, height = right - left, bottom - top
        shift = rng.uniform(-.1, .1, 2) * (width, height)
        objects.append({'name': detector.classes[label], 'area': width * height, 'iscrowd': 0,
                        'bbox': [left + shift[0], top + shift[1], width, height]})
    return objects


def variant(frame: RenderedFrame, *, mirrored: bool,
            gain: float) -> tuple[np.ndarray, np.ndarray, list[dict[str, Any]]]:
    """Return RGB, radiance in [0, 1] and objects of a rendered frame in another look."""
    rgb, true = frame.rgb, np.clip(frame.swir * gain, 0, 1).astype(np.float32)
    objects = []
    for k, one in enumerate(frame.objects):
        left, top, width, height = (float(v) for v in one.box)
        if mirrored:
            left = SIZE[1] - left - width
        objects.append({'name': one.category, 'bbox': [left, top, width, height],
                        'area': width * height, 'iscrowd': int(k == 1)})
    if mirrored:
        rgb, true = rgb[:, ::-1], true[:, ::-1]
    darker = np.rint(255 * (rgb / 255) * gain ** (1 / 2.2)).astype(np.uint8)
    return np.ascontiguousarray(darker), np.ascontiguousarray(true), objects
