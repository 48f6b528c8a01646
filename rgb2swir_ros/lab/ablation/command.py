"""An ablation as it is asked for, from its request to the figures of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.files import write_bytes, write_json
from rgb2swir_ros.lab.ablation.joined import join, read_earlier
from rgb2swir_ros.lab.ablation.judge import Judge, JudgeSettings
from rgb2swir_ros.lab.ablation.pace import Pace
from rgb2swir_ros.lab.ablation.page import SCATTER, SHEET, page
from rgb2swir_ros.lab.ablation.pictures import plot_scatter, write_sheet
from rgb2swir_ros.lab.ablation.plan import Budget, make_plan
from rgb2swir_ros.lab.ablation.presets import VariantPresets
from rgb2swir_ros.lab.ablation.real import RealPairs
from rgb2swir_ros.lab.ablation.rows import DIT, ROWS, UNET, Row, trainings
from rgb2swir_ros.lab.ablation.run import Runner, make_works
from rgb2swir_ros.lab.ablation.stored import MaterialFrames
from rgb2swir_ros.lab.ablation.summary import summarise
from rgb2swir_ros.lab.ablation.train import Log, Trainings
from rgb2swir_ros.lab.evaluation.materials import jobs
from rgb2swir_ros.lab.scenes.dataset import DatasetSpec, write_dataset
from rgb2swir_ros.lab.scenes.written import display_on
from rgb2swir_ros.lab.training.batches import open_stores
from rgb2swir_ros.lab.training.data.pairs import open_training
from rgb2swir_ros.lab.training.locks import held
from rgb2swir_ros.progress import ProgressDisplay

MATERIAL_SEED, CLIP_SEED = 9, 5  # of scenes that no data set for training has
LOOKS = 2  # of a scene for materials
CLIP_LENGTH = 20  # frames of a sequence
PAGE_FILE, FIGURES_FILE = 'ablation.md', 'ablation.json'
CONCLUDED_FILE = 'ablation_concluded.md'


@dataclass(frozen=True)
class Request:
    """An ablation.

    :param presets: of the U-Net and of the DiT, names or files; ``batch_share``: of their
        batches.
    :param detector: folder of the judge; None: nothing is judged. ``judged_on``: the data set
        whose split ``test`` it sees, the last of ``data`` if not given.
    :param frames: of the split test, at most; ``scenes``: rendered for the order of materials;
        ``sequences``: for steadiness, still and moving ones each; ``rendered_size``: of both.
    :param threads: of torch, 0 for its own choice; ``workers``: processes that render.
    :param pages: folder for the documents, or None; ``command``: the command line, for them;
        ``transfer``: figures of runs of ``evaluate transfer`` that they show, too; ``joined``:
        the figures of an earlier run, whose other rows they show, too.
    """

    data: list[Path]
    output: Path
    rows: list[Row]
    budget: Budget
    presets: tuple[str, str]
    detector: Path | None
    frames: int
    scenes: int
    sequences: int
    rendered_size: tuple[int, int]
    inception: Path | None
    real: RealPairs | None
    resamples: int
    threads: int
    workers: int
    pages: Path | None = None
    transfer: tuple[dict[str, Any], ...] = ()
    joined: Path | None = None
    command: str = ''
    batch_share: float = 1.0
    judged_on: Path | None = None


def ablate(request: Request, log: Log) -> dict[str, str]:
    """Train and judge what is not there.

    :return: what failed, with the reason.
    :raises UserError: if the request does not fit the data, or the folder.
    """
    if request.threads:
        torch.set_num_threads(request.threads)
    folder = request.output
    presets = VariantPresets(folder / 'presets', dict(zip((UNET, DIT), request.presets,
                                                          strict=True)), request.batch_share)
    preset = presets.base
    tasks = trainings(request.rows)
    with held(folder / 'locks' / 'begin.lock', wait=True):  # the first of several runs fills them
        pairs, _ = open_training(request.data)
        for dataset in pairs:
            log(dataset.summary())
        stores = open_stores(pairs, folder / 'work' / 'pairs', log)
        plan = make_plan(folder, request.budget, presets, preset, stores, tasks, log)
        judge_of = None if request.detector is None else _prepared(request, log)
    all_trainings = Trainings(folder, request.data, presets, preset, stores, plan.share,
                              request.batch_share)
    pace = Pace(preset, plan.share, plan.pace)
    judge = None
    if judge_of is not None:
        settings, material_frames = judge_of
        judge = Judge(folder, settings, material_frames, lambda row: (
            None if row.task is None else all_trainings.model(row.task)), request.data)
    works = make_works(request.rows, all_trainings, pace, log, judge)
    runner = Runner(works, folder / 'locks', pace, log)
    runner.run()
    if judge is not None and request.pages is not None:
        write_pages(request.pages, request.command, judge, all_trainings, request.transfer,
                    request.joined)
        log(f'wrote {request.pages / PAGE_FILE}')
    return runner.failures


def write_pages(folder: Path, command: str, judge: Judge, all_trainings: Trainings,
                transfer: Sequence[dict[str, Any]] = (), joined: Path | None = None) -> None:
    """Write the page, its figures and its pictures, of all rows that are judged.

    :param folder: for them; what its ``ablation_concluded.md`` says, if there is one, becomes
        part of the page.
    :param joined: figures of an earlier run, whose other rows are shown as well; its pictures lie
        beside it.
    :raises UserError: if no row is judged, the joined ones were judged otherwise, matplotlib is
        missing, or a file cannot be written.
    """
    summary = summarise(ROWS, judge, all_trainings, command)
    if not summary['rows']:
        raise UserError(f'--pages {folder}: no row is judged yet by this detector on these frames')
    concluded = folder / CONCLUDED_FILE
    if concluded.is_file():
        summary['concluded'] = concluded.read_text()
    if transfer:
        summary['transfer'] = [*transfer]
    sheet = None
    if joined is not None:
        earlier = read_earlier(joined)
        sheet = joined.parent / SHEET, [row['row'] for row in earlier['rows']]
        summary = join(summary, earlier, ROWS, joined)
    plot_scatter(folder / SCATTER, summary['rows'])
    write_sheet(folder / SHEET, judge, summary['rows'], sheet)
    write_json(folder / FIGURES_FILE, summary)
    write_bytes(folder / PAGE_FILE, page(summary).encode())


def _prepared(request: Request, log: Log) -> tuple[JudgeSettings, MaterialFrames]:
    """Render what rows are judged on, beside the test frames; return how to judge."""
    assert request.detector is not None
    folder = request.output / 'judge'
    frames = MaterialFrames(folder / 'materials', jobs(
        request.scenes, LOOKS, request.rendered_size, MATERIAL_SEED) if request.scenes else [])
    lost: list[str] = []
    frames.render(request.workers, lost)
    for line in lost:
        log(f'left out: {line}')
    clips = []
    for still in (True, False) if request.sequences else ():
        spec = DatasetSpec(
            folder=folder / ('still' if still else 'moving'), seed=CLIP_SEED,
            size=request.rendered_size, looks=1, scenes=1, sequences=request.sequences,
            length=CLIP_LENGTH, still=still)
        with ProgressDisplay() as display:
            write_dataset(spec, request.workers, display_on(display), 'rgb2swir ablate')
        clips.append(spec.folder)
    return JudgeSettings(
        request.judged_on or request.data[-1], request.detector, request.frames, tuple(clips),
        request.inception, request.real, request.resamples), frames
