"""What translated frames are worth as training data: detectors trained on them, tested on truth.

One detector is trained on each source of frames (true SWIR, each model's translation of the RGB
frames), on the same scenes, labels and steps, from several seeds; all are tested on true SWIR
frames. The test frames are resampled by scene, the same ones for every detector, so that ratios
and differences are paired.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.files import write_json, write_picture
from rgb2swir_ros.lab.detector.decode import relabel
from rgb2swir_ros.lab.detector.model import MODEL_FILE, load_detector
from rgb2swir_ros.lab.detector.train import DetectorTrainingConfig, train_on_frames
from rgb2swir_ros.lab.evaluation.comparison import MEASURES
from rgb2swir_ros.lab.evaluation.detection import Precisions, detect_files, draw_precisions
from rgb2swir_ros.lab.evaluation.intervals import RESAMPLES, Figure, figure
from rgb2swir_ros.lab.evaluation.models import Candidate
from rgb2swir_ros.lab.scenes.annotations import (
    AnnotatedSet,
    read_annotations,
    read_training,
    rgb_paths,
    with_min_side,
)
from rgb2swir_ros.lab.training.locks import held
from rgb2swir_ros.marks import TOOL, is_same_run
from rgb2swir_ros.progress import ProgressDisplay
from rgb2swir_ros.replay.pictures import read_picture

TRUE = 'true SWIR'
STEPS = 8000  # half of those of the detector that ships
SOURCE_FILE = 'source.json'

Log = Callable[[str], None]


@dataclass(frozen=True)
class TransferSettings:
    """What all detectors have in common.

    :param data: folder that ``rgb2swir scenes`` wrote: trains on ``train``, tests on ``test``.
    :param folder: for translated frames, checkpoints and detectors.
    :param seeds: number of detectors for each source; ``first_seed``: of the first of them, the
        others follow it.
    """

    data: Path
    folder: Path
    seeds: int = 2
    training: DetectorTrainingConfig = field(
        default_factory=lambda: DetectorTrainingConfig(STEPS))
    resamples: int = RESAMPLES
    first_seed: int = 0


@dataclass(frozen=True)
class SourceResult:
    """The detectors that learned from one source of frames, tested on true SWIR frames.

    :param name: of the source; ``by_seed``: the mAP of each of its detectors.
    :param figures: means over its detectors, by `MEASURES`.
    :param to_true: their ratios to those of `TRUE`; ``to_last``: differences to the last source.
        Both are empty for the source itself.
    """

    name: str
    by_seed: tuple[float, ...]
    figures: dict[str, Figure]
    to_true: dict[str, Figure]
    to_last: dict[str, Figure]


def transfer(settings: TransferSettings, models: Sequence[Candidate],
             identities: Sequence[str], log: Log) -> list[SourceResult]:
    """Translate, train and test what is not there; return the results, true SWIR first.

    A run that was killed goes on when it is called again with the same folder. Several runs may
    share a folder: each takes trainings that no other has in hand, and waits for the others.

    :param identities: of the models; the folder's frames must be of the same.
    :raises UserError: if the folder holds frames of another model, or two models have one name.
    """
    test = with_min_side(read_annotations(settings.data, 'test'), settings.training.min_side)
    detectors = train_detectors(settings, models, identities, log)
    return summarise(list(detectors), [[_test(settings, test, one) for one in ones]
                                       for ones in detectors.values()])


def train_detectors(settings: TransferSettings, models: Sequence[Candidate],
                    identities: Sequence[str], log: Log) -> dict[str, list[Path]]:
    """Translate and train what is not there: see `transfer`.

    :return: the folders of the detectors by source, true SWIR first.
    """
    train = read_training(settings.data)
    names = [TRUE, *(source_name(model.name) for model in models)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(f'two sources are called {twice[0]}: name their folders differently')
    locks = settings.folder / 'locks'
    sources = [train]
    for name, model, identity in zip(names[1:], models, identities, strict=True):
        with held(locks / f'{name}.lock', wait=True, waiting=partial(
                log, f'{name}: another run translates; waiting for it')):
            sources.append(translated(train, settings.data, settings.folder / 'frames' / name,
                                      model, identity, log))
    # every source from one seed before the next: a run that ends early can be judged with fewer
    first = settings.first_seed
    runs = [(name, frames, seed) for seed in range(first, first + settings.seeds)
            for name, frames in zip(names, sources, strict=True)]
    found: dict[str, list[Path]] = {name: [] for name in names}
    for wait in (False, True):  # first what is free, then what others had in hand
        for name, frames, seed in runs:
            run = _run_name(name, seed)
            with held(locks / f'{run}.lock', wait=wait, waiting=partial(
                    log, f'{run}: another run trains it; waiting for it')) as mine:
                if mine:
                    folder = _train(settings, name, frames, seed, log)
                    if wait:
                        found[name].append(folder)
    return found


def _run_name(source: str, seed: int) -> str:
    return f"{source.replace(' ', '_')}_seed{seed}"


def source_name(model: str) -> str:
    """Return the name of a model's folder of frames."""
    return Path(model).name


def translated(train: AnnotatedSet, data: Path, folder: Path, model: Candidate, identity: str,
               log: Log) -> AnnotatedSet:
    """Return the training frames as a model translates them: 16-bit linear pictures.

    :param folder: for the pictures, under the names of the true ones; those there are kept.
    :param identity: of the model.
    :raises UserError: if the folder holds frames of another one.
    """
    path = folder / SOURCE_FILE
    if path.exists():
        try:
            known = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise UserError(f'cannot read {path}: {error}') from error
        known.pop(TOOL, None)  # the file's own mark
        if known != {'model': identity}:
            raise UserError(f"'{folder}' holds frames of another model than {model.name}: give "
                            'another --output')
    else:
        write_json(path, {'model': identity})
    frames = tuple(replace(f, path=(folder / f.names[0]).with_suffix('.png'))
                   for f in train.frames)
    pictures = rgb_paths(data, train.frames)
    missing = [k for k, frame in enumerate(frames) if not frame.path.exists()]
    if missing:
        log(f'{model.name} translates {len(missing)} frames')
    with ProgressDisplay(len(missing)) as progress:
        for k in missing:
            radiance = model.radiance(read_picture(pictures[k]))
            write_picture(frames[k].path, np.rint(radiance * 65535).astype(np.uint16))
            progress.advance()
    return replace(train, frames=frames)


def _train(settings: TransferSettings, name: str, frames: AnnotatedSet, seed: int,
           log: Log) -> Path:
    """Train a detector, or find it; return its folder."""
    run = _run_name(name, seed)
    folder, config = settings.folder / 'detectors' / run, replace(settings.training, seed=seed)
    if not (folder / MODEL_FILE).exists():  # written last
        log(f'training a detector on {name}, seed {seed}')
        train_on_frames(frames, str(settings.data), settings.folder / 'work' / run, folder, config,
                        log=log)
    elif not is_same_run(folder, (asdict(config), str(settings.data))):
        raise UserError(f"'{folder}' holds a detector of another training: give another --output, "
                        'or the settings that it was trained with')
    return folder


def _test(settings: TransferSettings, test: AnnotatedSet, folder: Path) -> Precisions:
    detector = load_detector(folder)
    found = [relabel(one, detector.classes, test.classes)
             for one in detect_files(detector, test.frames, [f.path for f in test.frames])]
    return draw_precisions(test.frames, found, test.classes, resamples=settings.resamples)


def summarise(names: Sequence[str], drawn: Sequence[Sequence[Precisions]]) -> list[SourceResult]:
    """Return the figures of the sources, the first of which is `TRUE`.

    :param drawn: for each source, the precisions of each of its detectors.
    """
    def mean(source: int, measure: str) -> tuple[float, NDArray[np.float64]]:
        values = [one.mean(*MEASURES[measure]) for one in drawn[source]]
        return (float(np.mean([value for value, _ in values])),
                np.mean([draws for _, draws in values], axis=0))

    results, last = [], len(names) - 1
    for number, name in enumerate(names):
        figures, to_true, to_last = {}, {}, {}
        for measure in MEASURES:
            value, draws = mean(number, measure)
            true, true_draws = mean(0, measure)
            other, other_draws = mean(last, measure)
            figures[measure] = figure(value, draws)
            with np.errstate(divide='ignore', invalid='ignore'):  # nothing found in true frames
                if number:
                    to_true[measure] = figure(float(np.float64(value) / true), draws / true_draws)
            if number != last:
                to_last[measure] = figure(value - other, draws - other_draws)
        results.append(SourceResult(
            name, tuple(one.mean(*MEASURES['map'])[0] for one in drawn[number]), figures, to_true,
            to_last))
    return results


def transfer_table(results: Sequence[SourceResult], title: str) -> str:
    """Return the table for the terminal."""
    last = results[-1].name
    wide = max(len(result.name) for result in results) + 2
    lines = [title, 'each row: detectors trained on these frames, all tested on true SWIR; '
             'intervals: 95 %, scenes resampled', '',
             f'{"trained on":<{wide}}{"mAP":<24}{"over true":<24}{"less " + last:<26}'
             f'{"small":<24}by seed']
    lines += [f'{r.name:<{wide}}{r.figures["map"]!s:<24}{r.to_true.get("map", "")!s:<24}'
              f'{r.to_last.get("map", "")!s:<26}{r.figures["small"]!s:<24}'
              + ', '.join(f'{value:.3f}' for value in r.by_seed) for r in results]
    lines += ['', 'frames are rendered: no set of real pairs with labels exists to repeat this on']
    return '\n'.join(line.rstrip() for line in lines) + '\n'
