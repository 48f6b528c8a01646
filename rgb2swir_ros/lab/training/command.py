"""The trainings of autoencoder, teacher and student, from a request to a model folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.training.autoencoder import AutoencoderTraining
from rgb2swir_ros.lab.training.batches import Stores, open_stores
from rgb2swir_ros.lab.training.data.pairs import PairedDataset, open_training
from rgb2swir_ros.lab.training.parallel import ProcessGroup, joined_process_group
from rgb2swir_ros.lab.training.preset import Preset, read_preset
from rgb2swir_ros.lab.training.record import Start, data_entries, write_record
from rgb2swir_ros.lab.training.stages import PairBatchSource, TranslatorTraining
from rgb2swir_ros.lab.training.student import StudentTraining
from rgb2swir_ros.lab.training.teacher import TeacherTraining
from rgb2swir_ros.lab.training.trainer import RunSettings, Trainer, TrainingResult
from rgb2swir_ros.lab.training.validation import (
    PairValidator,
    contact_sheet,
    fit_lookup,
    spread,
    validate,
    validate_latent,
)
from rgb2swir_ros.marks import record_run
from rgb2swir_ros.translator import Translator, TranslatorConfig

HELD_OUT, SHEET = 64, 16  # frames of the validation, and of its contact sheet
# Of an autoencoder's head: what may be switched on for a student of one trained without it.
HEAD_SWITCHES = ('filter_window', 'learned_guide', 'residual_bound')
HEAD_PARTS = ('head.guide_shift', 'head.residual')
STARTS = {'teacher': ('autoencoder',), 'student': ('teacher', 'student')}

Log = Callable[[str], None]


@dataclass(frozen=True)
class Request:
    """A training as requested by the user.

    :param what: ``autoencoder``, ``teacher`` or ``student``.
    :param preset: a name or a file.
    :param share: of the preset's steps; ``minutes``: duration in place of the preset's steps.
    :param start: model folder to start from: an autoencoder for a teacher; a teacher or another
        student for a student.
    :param steps: denoiser calls of a student.
    :param pairs: folder of the stored pairs, which trainings on the same data share; by default
        ``work``.
    :param held_out: largest number of pairs of the validation.
    """

    what: str
    data: list[Path]
    output: Path
    work: Path
    preset: str = 'nano'
    seed: int = 0
    share: float = 1.0
    minutes: float | None = None
    start: Path | None = None
    steps: int = 1
    pairs: Path | None = None
    held_out: int = HELD_OUT

    def __post_init__(self) -> None:
        """Check the numbers.

        :raises UserError: naming a number that is out of range.
        """
        if not 0 < self.share <= 1:
            raise UserError(f'--share {self.share:g} is not in (0, 1]')
        if self.minutes is not None and not 0 < self.minutes <= 100_000:
            raise UserError(f'--minutes {self.minutes:g}: give more than 0, at most 100000')
        if self.seed < 0:
            raise UserError(f'--seed {self.seed}: give 0 or more')

    @property
    def folder(self) -> Path:
        """The folder of this training's own files; all trainings share the pairs beside it."""
        return self.work / (f'student_{self.steps}' if self.what == 'student' else self.what)


@dataclass(frozen=True)
class TrainedTranslator:
    """A trained translator, its figures on ``held_out`` pairs, its record and contact sheet."""

    translator: Translator
    figures: dict[str, float]
    held_out: int
    record: Path
    sheet: Path


def train_translator(request: Request, log: Log) -> TrainedTranslator | None:
    """Train, validate, and write the model folder with its record.

    :return: None in all processes of a distributed training but the first.
    :raises UserError: if the request is invalid or its parts do not fit together.
    """
    preset = read_preset(request.preset)
    before = None if request.start is None else Translator.load(request.start, unfinished=True)
    translator = build_translator(request, preset, before)
    with joined_process_group() as group:
        pairs, held_out, stores = _open(request, group, log)
        validator = PairValidator(spread(held_out, request.held_out))
        training = make_training(request, preset, translator, before, group)
        start = None if before is None or request.start is None else Start(
            request.start, before.config.stage)
        # read before the training, so that an unreadable record fails early
        begun = {} if start is None else {'start': start.entries()}
        settings = RunSettings(request.seed, request.minutes,
                               '' if start is None else start.identity)
        batch_source = PairBatchSource(stores, request.seed, training.kind, group.rank)
        result = Trainer(training, batch_source, request.folder, settings, validator=validator,
                         log=log).run()
        if not group.is_first:
            return None
        record_run(request.output, request)
        translator.save(request.output)
        log('validating on held-out pairs')
        sheet = request.folder / 'contact_sheet.png'
        contact_sheet(training.predict, validator.frames[:SHEET], sheet)
        lookup = fit_lookup(pairs[-1], request.seed)
        figures = (validate(training.predict, validator.frames, lookup)
                   | validate_latent(translator, validator.frames))
        record = write_record(request.output, {
            **_describe(request, preset, training, result),
            'data': data_entries(pairs, request.data),
            **begun,
            'held_out': {'pairs': len(validator.frames), 'picture': training.shown, **figures}})
    return TrainedTranslator(translator, figures, len(validator.frames), record, sheet)


def build_translator(request: Request, preset: Preset, before: Translator | None) -> Translator:
    """Return the translator that a training begins with.

    :param before: the translator that it starts from; None for an autoencoder.
    :raises UserError: if that has the wrong stage, or another shape than the preset.
    """
    torch.manual_seed(request.seed)
    config = replace(preset.model, stage=request.what)
    if request.what == 'student':
        config = replace(config, steps=request.steps)
    translator = Translator(config)
    if before is None:
        return translator
    wanted = STARTS[request.what]
    if before.config.stage not in wanted:
        raise UserError(f"{request.start} holds a translator that is trained as far as its "
                        f"{before.config.stage}; 'rgb2swir train {request.what}' starts from one "
                        f'that is trained as far as its {" or ".join(wanted)}')
    parts = ('autoencoder',) if request.what == 'teacher' else (
        'autoencoder', 'guidance', 'denoiser')
    _compare(before.config, config, parts, f'{request.start}', request.preset)
    endpoints = preset.student.endpoints
    if request.what == 'student' and endpoints and before.config.stage != 'teacher':
        raise UserError(f"the preset '{request.preset}' has student: endpoints {endpoints}, which "
                        f'needs a teacher, and {request.start} holds a {before.config.stage}: '
                        'give a teacher, or set endpoints to 0')
    if request.what == 'student':
        _load(translator, before)
    else:
        translator.encoder.load_state_dict(before.encoder.state_dict())
        _load(translator.decoder, before.decoder)
        if translator.source is not None and before.source is not None:
            translator.source.load_state_dict(before.source.state_dict())
    return translator


def _load(module: nn.Module, before: nn.Module) -> None:
    """Load the weights of the module to start from.

    Parts of the head that it lacks stay at zero, where they change nothing.

    :raises UserError: if it has parts that the module lacks.
    """
    missing, unexpected = module.load_state_dict(before.state_dict(), strict=False)
    lost = [*unexpected, *(name for name in missing if not any(f'.{part}.' in f'.{name}'
                                                               for part in HEAD_PARTS))]
    if lost:
        raise UserError('the translator to start from has other parts than the preset: '
                        f'{lost[0]}; give the preset that it was trained with')


def make_training(request: Request, preset: Preset, translator: Translator,
                  before: Translator | None, group: ProcessGroup) -> TranslatorTraining:
    """Return the requested training; ``before`` becomes the student's teacher."""
    if request.what == 'autoencoder':
        return AutoencoderTraining(translator, preset.autoencoder.scaled(request.share), group)
    if request.what == 'teacher':
        return TeacherTraining(translator, preset.teacher.scaled(request.share), group)
    config = preset.student.scaled(request.share)
    teacher = None
    if config.endpoints and before is not None:
        teacher = before.to(group.device).requires_grad_(False)
    return StudentTraining(translator, config, group, teacher)


def _compare(before: TranslatorConfig, config: TranslatorConfig, parts: tuple[str, ...],
             where: str, preset: str) -> None:
    """Check that a translator to start from has the shape of the preset.

    :raises UserError: naming the first entry that differs, and both values.
    """
    for part in parts:
        old, new = getattr(before, part), getattr(config, part)
        if type(old) is not type(new):
            raise UserError(f"{where} has a {part} of kind {old.kind}, the preset '{preset}' one "
                            f'of kind {new.kind}: give the preset that it was trained with')
        for name, value in asdict(old).items():
            if part == 'autoencoder' and name in HEAD_SWITCHES:
                continue
            if value != getattr(new, name):
                raise UserError(f"{where} has {part}: {name} {value}, the preset '{preset}' "
                                f'{getattr(new, name)}: give the preset that it was trained with')


def _open(request: Request, group: ProcessGroup,
          log: Log) -> tuple[list[PairedDataset], PairedDataset, Stores]:
    """Return the training data sets, the last one's validation pairs, and the stores."""
    pairs, held_out = open_training(request.data)
    folder = request.pairs or request.work
    if not group.is_first:
        group.wait()  # for the first process to fill the stores
        return pairs, held_out, open_stores(pairs, folder, lambda _line: None)
    for dataset in (*pairs, held_out):
        log(dataset.summary())
    stores = open_stores(pairs, folder, log)
    group.wait()
    return pairs, held_out, stores


def _describe(request: Request, preset: Preset, training: TranslatorTraining,
              result: TrainingResult) -> dict[str, Any]:
    """Return the record's entries about the training itself."""
    device = training.group.device
    hardware = (torch.cuda.get_device_name(device) if device.type == 'cuda'
                else f'{torch.get_num_threads()} threads of {os.cpu_count()} cores')
    return {'training': request.what, 'preset': preset.name,
            'model': preset.entries['model'], 'plan': preset.entries[request.what],
            'share': request.share, 'minutes_asked_for': request.minutes, 'seed': request.seed,
            'student_steps': training.translator.config.steps,
            'processes': training.group.size, 'hardware': hardware,
            'minutes': round(result.seconds / 60, 1),
            'steps': sum(stage['steps'] for stage in result.stages), 'stages': result.stages,
            **training.facts}
