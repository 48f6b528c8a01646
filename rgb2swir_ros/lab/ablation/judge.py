"""Judges a row: the columns of the ablation's table."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.files import write_json, write_picture
from rgb2swir_ros.lab.ablation.candidates import gigaflop, open_row
from rgb2swir_ros.lab.ablation.precisions import RowPrecisions, draw_row
from rgb2swir_ros.lab.ablation.real import RealPairs
from rgb2swir_ros.lab.ablation.rows import Row
from rgb2swir_ros.lab.ablation.stored import (
    MaterialFrames,
    pack,
    read_arrays,
    unpack,
    write_arrays,
)
from rgb2swir_ros.lab.detector.decode import Detections, relabel
from rgb2swir_ros.lab.detector.model import load_detector
from rgb2swir_ros.lab.evaluation import materials, temporal
from rgb2swir_ros.lab.evaluation.comparison import ratios
from rgb2swir_ros.lab.evaluation.contrast import differing, only
from rgb2swir_ros.lab.evaluation.inception import inception_features
from rgb2swir_ros.lab.evaluation.intervals import plain
from rgb2swir_ros.lab.evaluation.models import Candidate
from rgb2swir_ros.lab.evaluation.pairs.curves import ssim
from rgb2swir_ros.lab.evaluation.pairs.frechet import describe, frechet_distance
from rgb2swir_ros.lab.evaluation.pairs.measures import edge_agreement
from rgb2swir_ros.lab.evaluation.sequences import MOVING, STILL, Clip, rendered_clips
from rgb2swir_ros.lab.scenes.annotations import (
    GAMMA,
    AnnotatedFrame,
    read_annotations,
    read_display_value,
    rgb_paths,
    with_min_side,
)
from rgb2swir_ros.lab.training.data.files import content_hash
from rgb2swir_ros.lab.training.lookup import grey_sqrt_radiance
from rgb2swir_ros.lab.training.validation import SquaredErrors
from rgb2swir_ros.model_files import model_hash
from rgb2swir_ros.progress import ProgressDisplay
from rgb2swir_ros.replay.pictures import read_picture

VERSION = 2  # of the measures: rows that were judged by others are judged again
TRUE = 'true'
RESAMPLES = 200  # of the bootstrap, for each of dozens of rows
SHOWN = 4  # frames of the page of pictures

DisplayValue = NDArray[np.float32]
Features = Callable[[DisplayValue], NDArray[np.float64]]  # display values (H, W) to (N, D)


@dataclass(frozen=True)
class JudgeSettings:
    """What rows are judged by.

    :param data: folder that ``rgb2swir scenes`` wrote, whose split ``test`` is used.
    :param detector: folder of our detector.
    :param frames: largest number of frames, evenly spaced.
    :param clips: folders with rendered sequences.
    :param inception: file of Inception-v3 for the FID, or None.
    :param real: real pairs, or None.
    """

    data: Path
    detector: Path
    frames: int = 240
    clips: tuple[Path, ...] = ()
    inception: Path | None = None
    real: RealPairs | None = None
    resamples: int = RESAMPLES


class Judge:
    """Judges rows, each once, on the same frames."""

    def __init__(self, folder: Path, settings: JudgeSettings, material_frames: MaterialFrames,
                 model_of: Callable[[Row], Path | None], training_data: Sequence[Path]) -> None:
        """Read the annotations; nothing is detected yet.

        :param folder: of the ablation: a row's figures are in ``rows/NAME``.
        :param model_of: returns the folder of a row's model.
        :raises UserError: if detector or annotations cannot be read.
        """
        self.folder, self.settings, self.material_frames = folder, settings, material_frames
        self.model_of, self.training_data = model_of, training_data
        self.detector = load_detector(settings.detector)
        annotated = with_min_side(read_annotations(settings.data, 'test'), self.detector.min_side)
        self.classes = annotated.classes
        chosen = np.linspace(0, len(annotated.frames) - 1,
                             min(settings.frames, len(annotated.frames))).round().astype(int)
        self.frames = [annotated.frames[int(k)] for k in chosen]
        self.pictures = rgb_paths(settings.data, self.frames)
        self.clips: list[Clip] = [c for path in settings.clips for c in rendered_clips(path)]

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What the figures of a row depend on, beside its model; JSON-serialisable."""
        digest = hashlib.sha256()
        for frame in self.frames:
            digest.update(repr(frame.names).encode() + frame.boxes.tobytes())
        digest.update(content_hash([*(f.path for f in self.frames), *self.pictures]).encode())
        inception, real = self.settings.inception, self.settings.real
        return {'version': VERSION, 'detector': model_hash(self.settings.detector),
                'frames': len(self.frames), 'files': digest.hexdigest(),
                'clips': [(c.name, c.kind, c.count) for c in self.clips],
                'materials': [asdict(job) for job in self.material_frames.jobs],
                'resamples': self.settings.resamples,
                'real': None if real is None else real.identity(),
                'inception': None if inception is None else content_hash([inception])}

    def is_judged(self, name: str) -> bool:
        """Say whether a row, or the `TRUE` frames, have figures of this judge."""
        return self.figures(name) is not None

    def figures(self, name: str) -> dict[str, Any] | None:
        """Return a row's figures by this judge, or None if there are none."""
        try:
            known: dict[str, Any] = json.loads((self._of(name) / 'row.json').read_text())
        except (OSError, ValueError):
            return None
        same = known.get('judge') == json.loads(json.dumps(self.identity))
        return known if same else None

    def detections(self, name: str) -> list[Detections]:
        """Return the stored detections of a judged row, or of the `TRUE` frames."""
        return unpack(read_arrays(self._of(name) / 'detections.npz'))

    def judge(self, row: Row) -> None:
        """Judge a row and write its figures; `judge_true` comes before."""
        model = self.model_of(row)
        candidate = open_row(row, model, self.training_data)
        figures = self._fidelity(candidate, self._of(row.name))
        figures['milliseconds'] = candidate.milliseconds  # before frames of another size
        figures['gigaflop'] = gigaflop(row, model, self.frames[0].size)
        figures['map'] = self._detection(self.detections(row.name))
        figures |= self._materials(candidate) | self._steadiness(candidate)
        if self.settings.real is not None:
            figures |= self.settings.real.judge(candidate, self.settings.resamples)
        write_json(self._of(row.name) / 'row.json', {
            **plain({'row': row.name, 'title': row.title, 'calls': candidate.calls, **figures}),
            'judge': self.identity})

    def _of(self, name: str) -> Path:
        return self.folder / 'rows' / name

    @cached_property
    def _features(self) -> dict[str, Features]:
        def of_detector(display_value: DisplayValue) -> NDArray[np.float64]:
            everywhere = np.ones(display_value.shape, bool)
            return describe(self.detector.network, np.power(display_value, GAMMA / 2), everywhere)

        features: dict[str, Features] = {'frechet': of_detector}
        if self.settings.inception is not None:
            features['fid'] = inception_features(self.settings.inception)
        return features

    def _detect(self, display_value: DisplayValue) -> Detections:
        found = self.detector.detect([display_value])[0]
        return relabel(found, self.detector.classes, self.classes)

    def judge_true(self) -> None:
        """Detect objects in the true frames, and find those whose contrast differs."""
        found, chosen = [], []
        vectors: dict[str, list[NDArray[np.float64]]] = {name: [] for name in self._features}
        with ProgressDisplay(len(self.frames)) as progress:
            for frame, rgb, true in self._pairs():
                found.append(self._detect(true))
                chosen.append(differing(frame, np.power(true, GAMMA),
                                        np.square(grey_sqrt_radiance(rgb))))
                for name, features in self._features.items():
                    vectors[name].append(features(true))
                progress.advance()
        write_arrays(self._of(TRUE) / 'contrast.npz', {'chosen': np.concatenate(chosen)})
        write_arrays(self._of(TRUE) / 'detections.npz', pack(found))
        for name, parts in vectors.items():
            write_arrays(self._of(TRUE) / f'{name}.npz', {'vectors': np.concatenate(parts)})
        drawn = self._drawn(found)
        write_json(self._of(TRUE) / 'row.json', {
            **plain({'row': TRUE, 'title': 'true SWIR', 'objects': sum(
                int((~f.ignored).sum()) for f in self.frames),
                'contrast_objects': sum(int((~f.ignored).sum()) for f in self._contrast_frames),
                'scenes': len({f.scene for f in self.frames}),
                'map': {name: asdict(one) for name, one in drawn.figures().items()}}),
            'judge': self.identity})

    def _pairs(self) -> Iterator[tuple[AnnotatedFrame, NDArray[np.uint8], DisplayValue]]:
        """Yield each frame with its RGB picture and its true display values."""
        for frame, picture in zip(self.frames, self.pictures, strict=True):
            rgb = read_picture(picture)
            if rgb.shape[:2] != frame.size:
                raise UserError(f'{picture} has {rgb.shape[1]}x{rgb.shape[0]} pixels, its '
                                f'annotations {frame.size[1]}x{frame.size[0]}')
            yield frame, rgb, read_display_value(frame.path, frame.size)

    def _fidelity(self, candidate: Candidate, target: Path) -> dict[str, Any]:
        """Translate all frames; store detections and pictures; return what pixels tell."""
        errors, found = SquaredErrors(), []
        similarity, edges = [], []
        vectors: dict[str, list[NDArray[np.float64]]] = {name: [] for name in self._features}
        shown = set(np.linspace(0, len(self.frames) - 1, SHOWN).astype(int).tolist())
        with ProgressDisplay(len(self.frames)) as progress:
            for k, (frame, rgb, true) in enumerate(self._pairs()):
                radiance = candidate.radiance(rgb)
                display_value = np.power(radiance, 1 / GAMMA, dtype=np.float32)
                made, wanted = np.sqrt(radiance), np.power(true, GAMMA / 2)
                everywhere = np.ones(frame.size, bool)
                errors.add(made, wanted)
                similarity.append(ssim(made, wanted, everywhere))
                edges.append(edge_agreement(radiance, np.square(wanted), everywhere))
                found.append(self._detect(display_value))
                for name, features in self._features.items():
                    vectors[name].append(features(display_value))
                if k in shown:
                    write_picture(target / f'frame_{k:04d}.png',
                                  np.rint(255 * display_value).astype(np.uint8))
                progress.advance()
        write_arrays(target / 'detections.npz', pack(found))
        return {'psnr': errors.psnr, 'ssim': float(np.nanmean(similarity)),
                'edges': float(np.nanmean(edges)) if np.isfinite(edges).any() else np.nan,
                **{name: frechet_distance(np.concatenate(parts), read_arrays(
                    self._of(TRUE) / f'{name}.npz')['vectors'])
                   for name, parts in vectors.items()}}

    @cached_property
    def _contrast_frames(self) -> list[AnnotatedFrame]:
        """The frames, in which only objects whose contrast differs count."""
        flat = read_arrays(self._of(TRUE) / 'contrast.npz')['chosen'].astype(bool)
        ends = np.cumsum([len(f.labels) for f in self.frames])
        return only(self.frames, np.split(flat, ends[:-1]))

    def _drawn(self, found: Sequence[Detections]) -> RowPrecisions:
        return draw_row(self.frames, self._contrast_frames, found, self.classes,
                        self.settings.resamples)

    @cached_property
    def _drawn_true(self) -> RowPrecisions:
        """The precisions of the true frames."""
        return self.drawn(TRUE)

    def drawn(self, name: str) -> RowPrecisions:
        """Return the precisions of a judged row, or of the `TRUE` frames."""
        return self._drawn(self.detections(name))

    def _detection(self, found: Sequence[Detections]) -> dict[str, Any]:
        """Return mAP of each measure, and its ratio to that of true SWIR."""
        own = self._drawn(found)
        result = {name: {'value': asdict(one)} for name, one in own.figures().items()}
        for name, one in own.compared(self._drawn_true, ratios).items():
            result[name]['to_true'] = asdict(one)
        return result

    def _materials(self, candidate: Candidate) -> dict[str, Any]:
        if not self.material_frames.jobs:
            return {}
        patches = materials.measure(self.material_frames.scenes(), [candidate],
                                    self.material_frames.count)
        result = materials.summarise(patches, candidate.name,
                                     resamples=self.settings.resamples)
        return {'order': asdict(result.order), 'stops': asdict(result.error)}

    def _steadiness(self, candidate: Candidate) -> dict[str, Any]:
        if not self.clips:
            return {}
        records = temporal.measure(self.clips, [candidate])
        kinds = {kind: temporal.summarise(records, kind, [candidate.name],
                                          resamples=self.settings.resamples)
                 for kind in (STILL, MOVING)}
        return {kind: asdict(result.rows[candidate.name].ratio)
                for kind, result in kinds.items() if result is not None}
