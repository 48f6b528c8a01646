"""The judgement of ``rgb2swir replay``: its arguments, and what runs it after the translation."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rgb2swir_ros.engines.base import BACKENDS
from rgb2swir_ros.errors import UserError

if TYPE_CHECKING:
    from rgb2swir_ros.lab.evaluation.replay.judge import Judgement, TruthSettings
    from rgb2swir_ros.report.model import Report

FILES = ('report.html', 'report.json', 'frames.jsonl', 'junit.xml')
EXAMPLE = """judgement:
  rgb2swir replay drive.mcap -o out/drive --judge --true-swir /swir/image_raw \\
      --labels labels.json --thresholds limits.yaml
writes report.html, report.json, frames.jsonl and junit.xml into OUT. Thresholds name a measure a
line, such as "order_coarse_below: {min: 0.7}". Exit code 1 if a check fails.
"""


def add_judgement_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the judgement."""
    parser.epilog = f'{parser.epilog or ""}\n{EXAMPLE}'
    group = parser.add_argument_group('judgement')
    group.add_argument('--judge', action='store_true',
                       help='measure every frame and write a report into OUT')
    group.add_argument('--true-swir', metavar='TOPIC|DIR',
                       help='true SWIR frames: a topic of the bag, or a folder of pictures that '
                            'are named by their stamps in nanoseconds')
    group.add_argument('--true-gamma', type=float, default=2.2, metavar='G',
                       help='tone curve of true frames of 8 bits (default %(default)s); those of '
                            '16 bits are linear')
    group.add_argument('--homography', type=Path, metavar='FILE',
                       help='nine numbers: from pixels of a true frame to those of a SWIR frame; '
                            'without it the two cameras are taken as aligned')
    group.add_argument('--horizon', type=float, default=.5, metavar='SHARE',
                       help='first row below the horizon, as a share of the height (default '
                            '%(default)s)')
    group.add_argument('--labels', type=Path, metavar='FILE',
                       help='COCO file whose images have stamp_ns, boxes in pixels of SWIR frames')
    group.add_argument('--detector', default='detector', metavar='MODEL',
                       help='folder, FILE.onnx or name of a model that ships (default '
                            '%(default)s); none: no detection')
    group.add_argument('--pseudo-label-score', type=float, metavar='S',
                       help="from which the detector's boxes in the source count as objects for "
                            'agreement_map: its score of the best F1 (default: that of the '
                            'detector that ships)')
    group.add_argument('--sensor', metavar='NAME',
                       help='preset of config/sensors.yaml that the noise is compared with')
    group.add_argument('--compare', metavar='MODEL',
                       help='another model, name or folder, that translates the same frames')
    group.add_argument('--compare-backend', choices=('auto', *BACKENDS),
                       help='its engine (default: as --backend)')
    group.add_argument('--thresholds', type=Path, metavar='FILE',
                       help='limits of measures: YAML')
    group.add_argument('--every', type=int, default=1, metavar='N',
                       help='judge one frame of so many (default %(default)s, all)')
    group.add_argument('--resamples', type=int,
                       help='of the bootstrap (default 2000; of mAP and the Frechet distance 200)')


def wants_judgement(arguments: argparse.Namespace) -> bool:
    """Say whether any argument asks for a judgement."""
    return bool(arguments.judge or arguments.true_swir or arguments.labels or arguments.compare
                or arguments.thresholds)


def refuse_unused(arguments: argparse.Namespace) -> None:
    """Refuse settings of a judgement that nothing asks for.

    :raises UserError: naming the first.
    """
    parser = argparse.ArgumentParser()
    add_judgement_arguments(parser)
    for name, default in vars(parser.parse_args([])).items():
        if getattr(arguments, name) != default:
            raise UserError(f'--{name.replace("_", "-")} is of the judgement: give --judge too')


def check_judgement(arguments: argparse.Namespace) -> None:
    """Check what can be checked before the translation begins.

    :raises UserError: if a value is out of range, a file is wrong or a library is missing.
    """
    from rgb2swir_ros.lab.evaluation.intervals import check_bootstrap
    from rgb2swir_ros.ownership import require_free
    from rgb2swir_ros.resources import model_directory

    if arguments.resamples is not None:
        check_bootstrap(arguments.resamples, 0)
    for model in (arguments.compare, *([arguments.detector] if arguments.detector != 'none' and
                                       not arguments.detector.endswith('.onnx') else [])):
        if model is not None:
            model_directory(model)
    if arguments.every < 1:
        raise UserError(f'--every {arguments.every}: give at least 1')
    if not 0 <= arguments.horizon < 1:
        raise UserError(f'--horizon {arguments.horizon}: give a share of the height, 0 to 1')
    if arguments.pseudo_label_score is not None and not 0 <= arguments.pseudo_label_score <= 1:
        raise UserError(f'--pseudo-label-score {arguments.pseudo_label_score}: give 0 to 1')
    if not .1 <= arguments.true_gamma <= 10:
        raise UserError(f'--true-gamma {arguments.true_gamma}: give 0.1 to 10')
    if arguments.compare_backend and not arguments.compare:
        raise UserError('--compare-backend is of the compared model: name it by --compare')
    if arguments.homography and not arguments.true_swir:
        raise UserError('--homography is of true frames: name them by --true-swir')
    try:
        import jinja2  # noqa: F401
        import matplotlib  # noqa: F401
        import pycocotools  # noqa: F401
    except ImportError as error:
        raise UserError(f"{error}: the judgement needs pip install 'rgb2swir_ros[eval,report]'"
                        ) from error
    require_free((arguments.output / name for name in FILES), overwrite=arguments.overwrite)
    _thresholds(arguments)
    _labels(arguments)
    _truth(arguments)
    _sensor(arguments)


def run_judgement(arguments: argparse.Namespace, folders: Sequence[Path], *,
                  faults: Sequence[str] = ()) -> int:
    """Judge finished replays and write the report; return the exit code.

    :param folders: of the replays, each with a ``run.json``.
    :param faults: of bags that were not replayed, a line each.
    """
    from rgb2swir_ros.imaging.novelty import open_novelty
    from rgb2swir_ros.lab.evaluation.replay import report
    from rgb2swir_ros.lab.evaluation.replay.judge import figures_of, judge

    started, created = time.monotonic(), datetime.now(timezone.utc).isoformat(timespec='seconds')
    if not folders:
        return _write(arguments, report.empty_report(faults, created), [])
    replays = [report.open_replay(folder) for folder in folders]
    judges, classes = _judges(arguments, replays)
    other = _other(arguments, replays)
    truth = _truth(arguments)
    judgement = judge([run for one in replays for run in one.runs], judges, truth,
                      every=arguments.every, other=other,
                      other_novelty=None if other is None else open_novelty(other.model))
    figures = figures_of(judgement, classes=classes, labels=_labels(arguments),
                         score=report.SCORE if arguments.pseudo_label_score is None
                         else arguments.pseudo_label_score, resamples=arguments.resamples)
    made = report.make_report(
        replays, judgement, figures, thresholds=_thresholds(arguments), truth=truth, other=other,
        faults=faults,
        created=created, seconds=time.monotonic() - started,
        settings=_settings(arguments, judgement))
    return _write(arguments, made, judgement.records())


def _write(arguments: argparse.Namespace, made: Report,
           records: Iterable[Mapping[str, Any]]) -> int:
    """Write the four files and return the exit code."""
    from rgb2swir_ros.report.data import write_jsonl, write_report_json
    from rgb2swir_ros.report.html import write_html
    from rgb2swir_ros.report.junit import write_junit

    replace = bool(arguments.overwrite)
    write_jsonl(arguments.output / 'frames.jsonl', records, replace=replace)
    write_report_json(arguments.output / 'report.json', made, replace=replace)
    write_junit(arguments.output / 'junit.xml', made, replace=replace)
    write_html(arguments.output / 'report.html', made, replace=replace)
    print(f'{made.verdict}: {arguments.output / "report.html"}', file=sys.stderr)
    return 0 if made.verdict is None or made.verdict.value == 'pass' else 1


def _settings(arguments: argparse.Namespace, judgement: Judgement) -> dict[str, Any]:
    from rgb2swir_ros.lab.evaluation.intervals import RESAMPLES
    from rgb2swir_ros.lab.evaluation.replay.summary import COSTLY

    names = ('true_swir', 'true_gamma', 'homography', 'horizon', 'labels', 'detector', 'sensor',
             'pseudo_label_score', 'compare', 'compare_backend', 'every', 'resamples')
    given = {name.replace('_', '-'): getattr(arguments, name) for name in names}
    if arguments.resamples is None:
        given['resamples'] = f'{RESAMPLES}; of mAP and the Frechet distance {COSTLY}'
    return {'frames judged': len(judgement.own.figures),
            **{k: v if isinstance(v, (int, float)) else str(v)
               for k, v in given.items() if v is not None}}


def _thresholds(arguments: argparse.Namespace) -> list[Any]:
    if arguments.thresholds is None:
        return []
    from rgb2swir_ros.lab.evaluation.replay.measures import KNOWN
    from rgb2swir_ros.report.thresholds import read_thresholds
    return read_thresholds(arguments.thresholds, list(KNOWN))


def _labels(arguments: argparse.Namespace) -> Any:
    if arguments.labels is None:
        return None
    if arguments.detector == 'none':
        raise UserError('--labels are for a detector: leave --detector none out')
    from rgb2swir_ros.lab.evaluation.replay.labels import read_labels
    return read_labels(arguments.labels)


def _sensor(arguments: argparse.Namespace) -> Any:
    if arguments.sensor is None:
        return None
    from rgb2swir_ros.imaging.presets import load_preset
    return load_preset(arguments.sensor)


def _truth(arguments: argparse.Namespace) -> TruthSettings | None:
    if arguments.true_swir is None:
        return None
    from rgb2swir_ros.lab.evaluation.replay.judge import TruthSettings
    from rgb2swir_ros.lab.evaluation.replay.pixels import read_homography

    homography = None if arguments.homography is None else read_homography(arguments.homography)
    folder = Path(arguments.true_swir)
    if folder.is_dir():
        return TruthSettings(folder=folder, gamma=arguments.true_gamma, homography=homography)
    return TruthSettings(topic=arguments.true_swir, gamma=arguments.true_gamma,
                         homography=homography)


def _judges(arguments: argparse.Namespace, replays: Sequence[Any]) -> tuple[Any, tuple[str, ...]]:
    """Return what frames are judged with, and the detector's classes."""
    from rgb2swir_ros.engines.processor import waiting_environment
    from rgb2swir_ros.imaging.novelty import open_novelty
    from rgb2swir_ros.lab.evaluation.replay.measure import Judges

    os.environ.update(waiting_environment())  # before torch is loaded
    detector = network = None
    if arguments.detector != 'none':
        from rgb2swir_ros.lab.detector.onnx import open_detector
        from rgb2swir_ros.resources import model_directory
        path = Path(arguments.detector)
        detector = open_detector(path if path.suffix == '.onnx'
                                 else model_directory(arguments.detector))
        network = getattr(detector, 'network', None)
    models = {one.model for one in replays}
    novelty = open_novelty(models.pop()) if len(models) == 1 else None
    return (Judges(novelty, detector, network, _sensor(arguments), horizon=arguments.horizon),
            detector.classes if detector is not None else ())


def _other(arguments: argparse.Namespace, replays: Sequence[Any]) -> Any:
    """Return what translates a fitted frame as the compared model's replay would, or None."""
    if arguments.compare is None:
        return None
    from rgb2swir_ros.lab.evaluation.replay.report import ComparedModel
    return ComparedModel(arguments.compare, replays, arguments.compare_backend)
