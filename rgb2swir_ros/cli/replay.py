"""``rgb2swir replay BAG... -o OUT``: recorded drives to SWIR bags, and their judgement."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rgb2swir_ros.cli import replay_judgement as judgement
from rgb2swir_ros.cli.shared import (
    add_model_and_size,
    add_overwrite,
    print_line,
    require_libraries,
)
from rgb2swir_ros.cli.signals import ended_as_by_ctrl_c
from rgb2swir_ros.engines.base import BACKENDS, PRECISIONS
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.progress import ProgressDisplay, timed_log
from rgb2swir_ros.sizes import parse_size

EXAMPLE = """
BAG is a bag of ROS 2 (mcap or sqlite3, split and compressed ones too) or of ROS 1, or a folder of
bags. For each one OUT/NAME/ gets swir/, a bag with C/swir/image_raw, C/swir/camera_info and
/translator/timing for every colour camera C, and run.json, which says what was made, by what, and
what of the input is missing. No ROS is needed, except for --live.

Interrupted and started again with the same arguments, it goes on where it was, with the same
engine; what is done is left as it is. The hashes in run.json are the same for the same bag,
model, engine and options, however often it was interrupted and wherever it ran. Many bags run on
all cores, one process each; --ray sends them to a Ray cluster. A replay with --live begins anew:
--overwrite replaces what an interrupted one has left.

example:
  rgb2swir replay drive_1 drive_2 -o out/ --all
  rgb2swir replay drive.mcap -o out/ --topics /front/image_raw --start-offset 12
  rgb2swir replay drive_1 -o out/ --live --rate 0.5

Exit code: 0 all is replayed, 1 some bags failed or could not be read whole (they are named), 2
wrong arguments.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = EXAMPLE
    parser.add_argument('bags', metavar='BAG', type=Path, nargs='+')
    parser.add_argument('-o', '--output', metavar='OUT', type=Path, required=True)
    which = parser.add_argument_group('what is replayed; the names are those of ros2 bag play')
    which.add_argument('--topics', nargs='+', default=[], metavar='T',
                       help='image topics to translate (default: every colour camera)')
    which.add_argument('--start-offset', type=float, default=0.0, metavar='S',
                       help='seconds of each bag that are passed over')
    which.add_argument('--playback-duration', type=float, metavar='S',
                       help='seconds of each bag that are replayed (default: to its end)')
    which.add_argument('--clock', type=float, nargs='?', const=40.0, default=0.0, metavar='HZ',
                       help='write (with --live: publish) /clock at this rate (default 40)')
    which.add_argument('--all', action='store_true',
                       help='copy everything else of the bag too, unparsed: messages with their '
                            'QoS, attachments, metadata')
    how = parser.add_argument_group('how it is translated')
    add_model_and_size(how)
    how.add_argument('--backend', default='auto', choices=('auto', *BACKENDS))
    how.add_argument('--precision', default='auto', choices=('auto', *PRECISIONS))
    how.add_argument('--linear16', action='store_true',
                     help='16-bit linear images in place of 8-bit ones')
    how.add_argument('--gamma', type=float, default=2.2,
                     help='tone curve of 8-bit output (default %(default)s)')
    how.add_argument('--threads', type=int, default=0,
                     help='of an engine; 0 (default): the cores that its process has')
    how.add_argument('--jobs', type=int, default=0, metavar='N',
                     help='bags at a time; 0 (default): one a core')
    how.add_argument('--ray', metavar='ADDRESS',
                     help="run on a Ray cluster: auto, HOST:6379, or 'local' for one here")
    live = parser.add_argument_group('through the node, in real time (needs ROS 2)')
    live.add_argument('--live', action='store_true',
                      help="publish the bag at its own pace to the translator node, and record "
                           'what comes back')
    live.add_argument('--rate', type=float, default=1.0,
                      help='with --live: times the recorded pace (default %(default)s)')
    live.add_argument('--loop', type=int, nargs='?', const=2, default=1, metavar='N',
                      help='with --live: play the bag N times (without a number: twice)')
    parser.add_argument('--json', action='store_true', help='print the outcome as JSON')
    add_overwrite(parser)
    judgement.add_judgement_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Replay, judge, and say what was done."""
    _check(arguments)
    require_libraries('replay', ('torch', 'cv2', 'rosbags', 'mcap'),
                      'torch, OpenCV (cv2), rosbags and mcap')
    from rgb2swir_ros.imaging import opencv
    from rgb2swir_ros.ownership import require_apart
    from rgb2swir_ros.replay.many import list_bags
    from rgb2swir_ros.resources import model_directory
    opencv.silence()  # what is wrong with a damaged frame is said below
    model_directory(arguments.model)
    require_apart([arguments.output], arguments.bags)
    listed = list_bags(arguments.bags, arguments.output)
    judged = judgement.wants_judgement(arguments)
    if judged:
        judgement.check_judgement(arguments)
        if arguments.loop > 1:
            raise UserError('--loop repeats frames, and a judgement takes each frame once: play '
                            'the bag once to judge it')
    elif judgement is not None:
        judgement.refuse_unused(arguments)
    started = time.monotonic()
    with ended_as_by_ctrl_c():
        results = _replay_live(arguments, listed) if arguments.live else _replay(arguments, listed)
    results.sort(key=lambda result: [bag for bag, _ in listed].index(result.source))
    _report(results, time.monotonic() - started, arguments)
    code = 1 if any(result.failures for result in results) else 0
    if judged:
        folders = [result.target for result in results
                   if result.run is not None and result.run.frames]
        faults = [f'{result.source.name}: {line}' for result in results if result.run is None
                  or not result.run.frames for line in result.failures]
        code = max(code, judgement.run_judgement(arguments, folders, faults=faults))
    return code


def _check(arguments: argparse.Namespace) -> None:
    for name, low, high, text in (
            ('gamma', .1, 10, 'give 0.1 to 10; 2.2 suits screens'),
            ('start_offset', 0, math.inf, 'give seconds, 0 or more'),
            ('playback_duration', 0, math.inf, 'give seconds, 0 or more'),
            ('clock', 0, 10_000, 'give a rate in hertz, up to 10000'),
            ('rate', .01, 100, 'give 0.01 to 100 times the recorded pace'),
            ('threads', 0, math.inf, 'give 0 for all cores, or a number'),
            ('jobs', 0, math.inf, 'give 0 for one a core, or a number'),
            ('loop', 1, math.inf, 'give how often the bag is played')):
        value = getattr(arguments, name)
        if value is not None and not (low <= value <= high and value < math.inf):
            raise UserError(f'--{name.replace("_", "-")} {value}: {text}')
    if not arguments.live:
        for name, default in (('rate', 1.0), ('loop', 1)):
            if getattr(arguments, name) != default:
                raise UserError(f'--{name} is the pace of --live; without it every frame is '
                                'translated as fast as the engine can')
    parse_size(arguments.size)


def options_of(arguments: argparse.Namespace, threads: int) -> Any:
    """Return the ``ReplayOptions`` of the arguments."""
    from rgb2swir_ros.replay.offline import Options
    from rgb2swir_ros.replay.replay_options import ReplayOptions
    return ReplayOptions(
        Options(model=arguments.model, box=parse_size(arguments.size), backend=arguments.backend,
                precision=arguments.precision, threads=threads, linear16=arguments.linear16,
                gamma=arguments.gamma),
        tuple(arguments.topics), arguments.start_offset, arguments.playback_duration,
        arguments.clock, arguments.all,
        true_swir=_true_topic(arguments))


def _true_topic(arguments: argparse.Namespace) -> str:
    """Return the topic of a true SWIR camera, which is not translated, or ''."""
    given = getattr(arguments, 'true_swir', None)
    return '' if not given or Path(given).is_dir() else str(given)


def _replay(arguments: argparse.Namespace, listed: list[tuple[Path, Path]]) -> list[Any]:
    """Return the result of each bag."""
    from rgb2swir_ros.engines.processor import resolve_threads
    from rgb2swir_ros.replay.many import BagJob, replay_on_processes, replay_on_ray
    cores = resolve_threads(0)
    workers = min(arguments.jobs or cores, len(listed))
    if len(listed) == 1 and not arguments.ray:
        return [_replay_one(arguments, *listed[0], resolve_threads(arguments.threads))]
    threads = resolve_threads(arguments.threads) if arguments.threads else max(1, cores // workers)
    jobs = [BagJob(source, target, options_of(arguments, threads), arguments.overwrite)
            for source, target in listed]
    results = []
    with ProgressDisplay(len(jobs), 'bags') as display:
        for result in (replay_on_ray(jobs, arguments.ray) if arguments.ray
                       else replay_on_processes(jobs, workers)):
            results.append(result)
            display.advance(name=result.source.name)
    return results


def _replay_one(arguments: argparse.Namespace, source: Path, target: Path, threads: int) -> Any:
    """Replay a single bag in this process, frame by frame on the display."""
    from rgb2swir_ros.replay.many import BagResult
    from rgb2swir_ros.replay.replay_bag import BagReplay
    with ProgressDisplay() as display:
        def total(frames: int | None) -> None:
            display.total = frames

        def done(frames: int) -> None:
            if not display.done and display.total is not None and frames > 1:
                display.begin_at(frames, display.total)  # those of an earlier run
            else:
                display.advance(frames, source.name)

        run = BagReplay(source, target, options_of(arguments, threads),
                        overwrite=arguments.overwrite, on_frame=done, on_total=total,
                        log=display.log).run()
    return BagResult(source, target, run)


def _replay_live(arguments: argparse.Namespace, listed: list[tuple[Path, Path]]) -> list[Any]:
    """Play one bag after the other through the node."""
    from rgb2swir_ros.live.run import Pace, replay_live
    from rgb2swir_ros.replay.frames import FootageError
    from rgb2swir_ros.replay.many import BagResult
    pace = Pace(arguments.rate, arguments.loop, arguments.clock or 40.0)
    results = []
    for source, target in listed:
        try:
            run = replay_live(source, target, options_of(arguments, arguments.threads), pace,
                              timed_log(), overwrite=arguments.overwrite)
            results.append(BagResult(source, target, run))
        except FootageError as error:
            results.append(BagResult(source, target, failure=str(error)))
    return results


def _report(results: list[Any], seconds: float, arguments: argparse.Namespace) -> None:
    stream = sys.stderr if arguments.json else sys.stdout
    if arguments.json:
        print(json.dumps({
            'output': str(arguments.output), 'seconds': round(seconds, 3),
            'bags': [{'input': str(result.source), 'output': str(result.target),
                      'failures': result.failures,
                      'run': None if result.run is None else asdict(result.run)}
                     for result in results]}, indent=2))
    for result in results:
        frames = 0 if result.run is None else result.run.frames
        print_line(f'{result.source.name}: {frames} frames -> {result.target}', stream)
        for camera in result.run.cameras if result.run is not None else ():
            print_line(f'  camera: {camera.source} -> {camera.topic} ({camera.frames} frames)',
                       stream)
        for topic, why in (result.run.left_out if result.run is not None else {}).items():
            print_line(f'  left out: {topic} ({why})', stream)
        for line in _live_lines(result.run.live) if result.run is not None else ():
            print_line(f'  {line}', stream)
        for failure in result.failures:
            print_line(f'  failed: {failure}', stream)
    failed = sum(bool(result.failures) for result in results)
    frames = sum(result.run.frames for result in results if result.run is not None)
    print_line(f'{len(results)} bag{"s" if len(results) != 1 else ""}, {frames} frames in '
               f'{seconds:.1f} s'
               + (f'; {failed} bags failed or could not be read whole' if failed else ''), stream)


def _live_lines(live: dict[str, Any]) -> list[str]:
    """Return what became of the frames of a replay in real time, and how long they took."""
    lines = []
    for name, fates in live.get('frames', {}).items():
        lines.append(f'{name}: ' + ', '.join(f'{count} {what.strip()}'
                                             for what, count in fates.items() if count))
        for stage, figures in live['latency_ms'].get(name, {}).items():
            lines.append(f'{name}: {stage} ' + ', '.join(
                f'{label} {value:.1f}' for label, value in figures.items()))
    return lines
