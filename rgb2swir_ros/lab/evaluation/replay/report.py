"""From finished replays on disk to the report of their judgement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.evaluation.replay import page
from rgb2swir_ros.lab.evaluation.replay.blocks import FEWEST, Drawn, group_names
from rgb2swir_ros.lab.evaluation.replay.frames import CameraReplay, JudgedFrame
from rgb2swir_ros.lab.evaluation.replay.judge import (
    CameraRun,
    Judgement,
    Translate,
    TruthSettings,
    true_frames,
)
from rgb2swir_ros.lab.evaluation.replay.pixels import Image, linear
from rgb2swir_ros.lab.evaluation.replay.timing import (
    Stages,
    latency_figures,
    timing_section,
)
from rgb2swir_ros.model_files import model_hash
from rgb2swir_ros.replay.offline import WORTH_COMPILING, OfflineTranslator, Options
from rgb2swir_ros.replay.run_record import BAG_FOLDER, RunRecord, read_run
from rgb2swir_ros.replay.timing import read_timing
from rgb2swir_ros.report.model import Facts, Report, Section, Table
from rgb2swir_ros.report.thresholds import Threshold
from rgb2swir_ros.resources import model_directory

# From which the shipped detector's boxes are pseudo-labels: its best F1 on true SWIR frames was at
# .49 on 24 rendered frames of a validation split and at .35 on 48 of a test split (160x128);
# `rgb2swir evaluate detection --data DIR --split validation -o OUT` writes it into boxes.png
SCORE = .4
MOST_NAMES = 3  # in a title


@dataclass(frozen=True)
class FinishedReplay:
    """A replay on disk.

    :param name: of its folder, for tables.
    :param runs: its cameras.
    """

    name: str
    record: RunRecord
    runs: tuple[CameraRun, ...]

    @property
    def model(self) -> str:
        """Return the model's name or folder."""
        return str(self.record.options.get('model', 'nano'))


def open_replay(folder: Path) -> FinishedReplay:
    """Return a finished replay.

    :raises UserError: if the folder holds none.
    """
    record = read_run(folder)
    runs = tuple(CameraRun(folder.name, CameraReplay(
        Path(record.input), camera.source, folder / BAG_FOLDER, camera.topic, camera.gamma))
        for camera in record.cameras if camera.frames)
    return FinishedReplay(folder.name, record, runs)


class ComparedModel:
    """Another model on the frames of replays: with their options, through their sensor."""

    def __init__(self, model: str, replays: Sequence[FinishedReplay],
                 backend: str | None = None) -> None:
        """Prepare; the engine is opened with the first frame.

        :param backend: None for the replays' own; the engine is then chosen as theirs was.
        :raises UserError: if there is no such model.
        """
        model_directory(model)
        cameras = [camera for one in replays for camera in one.record.cameras]
        sixteen = any(camera.encoding == 'mono16' for camera in cameras)
        gammas = {camera.gamma for camera in cameras}
        self._gamma = gammas.pop() if len(gammas) == 1 else 2.2
        used = replays[0].record.options
        self.model = model
        self._translator = OfflineTranslator(Options(
            model=model, backend=backend or used.get('backend', 'auto'),
            precision=used.get('precision', 'auto'), threads=used.get('threads', 0),
            linear16=sixteen, gamma=2.2 if sixteen else self._gamma))

    def __call__(self, rgb: Any, stamp_ns: int) -> Image:
        """Return the radiance (H, W) that it makes of a fitted frame, as its sensor sends it."""
        # that many frames, as a replay expects, so that both get an engine of one kind
        radiance = self._translator.radiance(rgb, WORTH_COMPILING)
        return linear(self._translator.pixels(radiance, stamp_ns), self._gamma)

    def facts(self) -> Facts:
        """Return model and engines."""
        entries: dict[str, Any] = {'model': self.model, 'model sha256': _hash(self.model)}
        entries |= {f'engine {size[1]}x{size[0]}: {key}': str(value)
                    for size, about in self._translator.engines().items()
                    for key, value in about.items()}
        return Facts('Compared model', entries)


def make_report(replays: Sequence[FinishedReplay], judgement: Judgement,
                figures: Sequence[Mapping[str, Drawn]], *, created: str, seconds: float,
                thresholds: Sequence[Threshold] = (), truth: TruthSettings | None = None,
                other: ComparedModel | None = None,
                faults: Sequence[str] = (), settings: Mapping[str, Any] | None = None) -> Report:
    """Return the report of judged replays.

    :param figures: as `rgb2swir_ros.lab.evaluation.replay.judge.figures_of` returns them.
    :param faults: of bags that were not replayed.
    """
    own = judgement.own
    models = sorted({one.model for one in replays})
    names = page.Names(' and '.join(Path(model).name for model in models),
                       Path(other.model).name if other else '')
    if names.own == names.other:  # such as out/a/model and out/b/model
        names = page.Names(names.own, f'{names.other} (compared)')
    groups = sorted(set(group_names(own.bags, own.stamps)))
    kind = 'bag' if len(set(own.bags)) >= FEWEST else 'block of five seconds'
    resampled = (f'Intervals of 95 % from {counted(len(groups), kind)}.'
                 if len(groups) >= FEWEST else
                 f'No intervals: {counted(len(groups), kind)}, and {FEWEST} are the fewest.')
    lost = [f'{one.name}: {line}' for one in replays for line in one.record.failures]
    records = {one.name: one.record for one in replays}
    stages = _stages(replays)
    times = latency_figures(stages, list(records.values()))
    sections = [
        page.judgement_section(figures, names, len(own.figures), resampled),
        page.time_section(own, thresholds, judgement.other, names),
        page.frames_section(own, _frame_reader(replays, judgement, truth), _shown(other), names),
        timing_section(stages, records),
        Section('Recordings', [page.recordings_table(own), _fates(replays)])]
    return Report(
        'replay', f'Replay judged: {_listed([one.name for one in replays])}',
        f'{counted(len(own.figures), "frame")} of {counted(len(replays), "recording")}, '
        f'translated by {names.own}' + (f' and by {names.other}.' if names.other else '.'),
        created, [*page.fault_checks([*faults, *lost, *judgement.faults]),
                  *page.checks_of(figures[0], times, thresholds)],
        sections, [Facts('Times, by the names of ros2_benchmark', dict(times)),
                   *_facts(replays, judgement, settings or {}),
                   *([other.facts()] if other else [])], seconds)


def counted(number: int, what: str) -> str:
    """Return ``1 block of five seconds``, ``2 blocks of five seconds``."""
    first, space, others = what.partition(' ')
    return f'{number} {first}{"" if number == 1 else "s"}{space}{others}'


def _listed(names: Sequence[str]) -> str:
    """Return a few names, and how many more there are."""
    shown = names if len(names) <= MOST_NAMES + 1 else names[:MOST_NAMES]
    more = len(names) - len(shown)
    return ', '.join(shown) + (f' and {more} more' if more else '')


def empty_report(faults: Sequence[str], created: str) -> Report:
    """Return the report of replays of which nothing is there to judge.

    :param faults: why, a line each.
    """
    return Report('replay', 'Replay judged: nothing', 'No recording could be replayed.', created,
                  page.fault_checks(faults or ['there is no recording']),
                  [Section('What failed', text=list(faults))])


def _stages(replays: Sequence[FinishedReplay]) -> Stages:
    """Return the times of all replays together."""
    stages: Stages = {}
    for one in replays:
        for run in one.runs[:1]:  # the cameras of a replay share a bag
            for name, values in read_timing(run.replay.swir_bag).items():
                if name.endswith('_ms'):
                    stages.setdefault(name, []).extend(values)
    return stages


def _frame_reader(replays: Sequence[FinishedReplay], judgement: Judgement,
                  truth: TruthSettings | None) -> Any:
    """Return a function from a place among the judged frames to the frame, read again."""
    runs = {(run.bag, run.replay.source): run for one in replays for run in one.runs}
    own = judgement.own

    def frame_at(place: int) -> JudgedFrame:
        run = runs[own.bags[place], own.cameras[place]]
        index = own.figures[place].record['frame']
        return next(run.replay.frames(true_frames(run, truth), {index}))

    return frame_at


def _shown(other: Translate | None) -> Any:
    return None if other is None else lambda frame: other(frame.rgb, frame.stamp_ns)


def _fates(replays: Sequence[FinishedReplay]) -> Table:
    """Return how many frames of each camera were translated, and why others were not."""
    from rgb2swir_ros.report.model import Column
    reasons = sorted({reason for one in replays for camera in one.record.cameras
                      for reason in camera.refused})
    columns = [Column('bag', 'recording'), Column('camera', 'camera'),
               Column('announced', 'announced'), Column('frames', 'translated'),
               *(Column(f'refused_{reason}', reason) for reason in reasons)]
    rows = [{'bag': one.name, 'camera': camera.source, 'announced': camera.announced,
             'frames': camera.frames,
             **{f'refused_{reason}': camera.refused.get(reason, 0) for reason in reasons}}
            for one in replays for camera in one.record.cameras]
    return Table('Translated and refused frames', columns, rows)


def _facts(replays: Sequence[FinishedReplay], judgement: Judgement,
           settings: Mapping[str, Any]) -> list[Facts]:
    facts = page.truth_facts(judgement)
    if settings:
        facts.append(Facts('Judgement', dict(settings)))
    for one in replays:
        record = one.record
        entries: dict[str, Any] = {'input': record.input, 'fingerprint': record.input_fingerprint,
                                   'model': one.model, 'model sha256': _hash(one.model)}
        entries |= {f'version of {name}': value for name, value in record.versions.items()}
        entries |= {f'engine {size}: {key}': str(value)
                    for size, about in record.engines.items() for key, value in about.items()}
        entries |= {f'sha256 of {topic}': digest.sha256
                    for topic, digest in record.topics.items() if digest.sha256}
        entries |= {f'seconds, {part}': value for part, value in record.wall_s.items()}
        facts.append(Facts(one.name, entries))
    return facts


def _hash(model: str) -> str:
    try:
        return model_hash(model_directory(model))
    except UserError as error:
        return f'unknown: {error}'
