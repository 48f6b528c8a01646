"""``rgb2swir translate IN OUT``: the quick look, without ROS."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from rgb2swir_ros.cli.shared import (
    add_model_and_size,
    add_overwrite,
    print_line,
    require_libraries,
)
from rgb2swir_ros.engines.base import BACKENDS
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.progress import ProgressDisplay
from rgb2swir_ros.sizes import parse_size

SHOWN = 10  # names shown of each list; --json has all of them
EXAMPLE = """
IN is a picture, a video, a bag, or a folder whose tree OUT then mirrors: one PNG a picture, one
mp4 a video. A bag (mcap, sqlite3, or of ROS 1) becomes a bag in which C/image_raw is
C/swir/image_raw, for every colour camera; inside folders bags are left out. Other files are
skipped and named. Of two inputs with one output name, like a.jpg and a.png, the later keeps its
whole name: a.png.png. Each output appears when it is whole. One that exists is refused before the
work begins; --overwrite replaces it, if it is as this tool wrote it.

example:
  rgb2swir translate holiday/ holiday_swir/
  rgb2swir translate drive.mp4 drive_swir.mp4 --size 1280x1024

Exit code: 0 all translated, 1 some inputs failed, or could not be read whole (they are named), 2
wrong arguments.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = EXAMPLE
    parser.add_argument('input', metavar='IN', type=Path)
    parser.add_argument('output', metavar='OUT', type=Path)
    add_model_and_size(parser)
    parser.add_argument('--backend', default='auto', choices=('auto', *BACKENDS),
                        help='auto compiles only where thousands of frames share a size')
    parser.add_argument('--linear16', action='store_true',
                        help='16-bit linear pictures in place of 8-bit ones; videos stay 8-bit')
    parser.add_argument('--gamma', type=float, default=2.2,
                        help='tone curve of 8-bit output (default %(default)s)')
    parser.add_argument('--threads', type=int, default=0, help='0 (default): all cores')
    parser.add_argument('--topic', action='append', default=[], metavar='T',
                        help='image topic of a bag to translate, given once for each (default: '
                             'every colour camera)')
    parser.add_argument('--json', action='store_true', help='print the outcome as JSON')
    add_overwrite(parser)


def run(arguments: argparse.Namespace) -> int:
    """Translate and print the result."""
    if not 0.1 <= arguments.gamma <= 10:
        raise UserError(f'--gamma {arguments.gamma}: give 0.1 to 10; 2.2 suits screens')
    if arguments.threads < 0:
        raise UserError(f'--threads {arguments.threads}: give 0 for all cores, or a number')
    box = parse_size(arguments.size)
    require_libraries('translate', ('torch', 'cv2', 'av', 'rosbags', 'mcap'),
                      'torch, OpenCV (cv2), av, rosbags and mcap')
    from rgb2swir_ros.imaging import opencv
    from rgb2swir_ros.replay.job_list import list_jobs
    from rgb2swir_ros.replay.offline import OfflineTranslator, Options
    from rgb2swir_ros.replay.translate import Runner
    from rgb2swir_ros.resources import model_directory
    opencv.silence()  # damaged files are reported below
    model_directory(arguments.model)
    job_list = list_jobs(arguments.input, arguments.output, overwrite=arguments.overwrite)
    if arguments.linear16 and any(job.kind == 'video' for job in job_list.jobs):
        print('--linear16: videos stay 8-bit', file=sys.stderr)
    if arguments.topic and not any(job.kind == 'bag' for job in job_list.jobs):
        raise UserError(f"--topic chooses topics of a bag, but '{arguments.input}' is none")
    options = Options(model=arguments.model, box=box, backend=arguments.backend,
                      threads=arguments.threads, linear16=arguments.linear16,
                      gamma=arguments.gamma)
    started = time.monotonic()
    with ProgressDisplay(_expected_frames(job_list, arguments.topic), in_log=False) as display:
        translator = OfflineTranslator(options, log=display.log)
        result = Runner(translator, lambda name: display.advance(name=name),
                         arguments.topic).run(job_list)
    seconds = time.monotonic() - started
    summary = {
        'output': str(arguments.output),
        'made': {kind: result.made[kind] for kind in ('picture', 'video', 'bag')},
        'frames': result.frames,
        'seconds': round(seconds, 3),
        'skipped': [str(path) for path, _ in job_list.skipped],
        'renamed': [{'input': str(job.source), 'output': str(job.target)}
                    for job in job_list.renamed],
        'topics': [{'input': str(path), 'topic': topic, 'output': made, 'frames': frames}
                   for path, topic, made, frames in result.topics],
        'left_out': [{'input': str(path), 'topic': topic, 'reason': why}
                     for path, topic, why in result.left_out],
        'notes': [{'input': str(path), 'note': note} for path, note in result.notes],
        'failed': [{'input': str(path), 'reason': reason} for path, reason in result.failed],
        'engines': translator.describe(),
    }
    if arguments.json:
        print(json.dumps(summary, indent=2, default=str))
    _report(summary, job_list, sys.stderr if arguments.json else sys.stdout)
    return 1 if result.failed else 0


def _expected_frames(job_list: Any, topics: list[str]) -> int | None:
    from rgb2swir_ros.replay.bag import CameraBag
    from rgb2swir_ros.replay.frames import FootageError
    from rgb2swir_ros.replay.video import VideoSource
    total = 0
    for job in job_list.jobs:
        if job.kind == 'picture':
            total += 1
            continue
        try:
            count = (CameraBag(job.source, topics) if job.kind == 'bag'
                     else VideoSource(job.source)).count
        except FootageError:
            continue  # the run reports it
        if count is None:
            return None
        total += count
    return total


def _report(summary: dict[str, Any], job_list: Any, stream: Any) -> None:
    made = ', '.join(f'{count} {kind}{"s" if count != 1 else ""}'
                     for kind, count in summary['made'].items() if count) or 'nothing'
    parts = [f'{made} ({summary["frames"]} frames) in {summary["seconds"]:.1f} s -> '
             f'{summary["output"]}']
    parts += [f'{len(summary[key])} {key.replace("_", " ")}'
              for key in ('left_out', 'skipped', 'failed') if summary[key]]
    print_line('; '.join(parts), stream)
    _names('camera', stream, [f"{entry['topic']} -> {entry['output']} ({entry['frames']} frames)"
                              for entry in summary['topics']])
    _names('left out', stream, [f"{entry['topic']} ({entry['reason']})"
                                for entry in summary['left_out']])
    _names('note', stream, [f"{entry['input']}: {entry['note']}" for entry in summary['notes']])
    _names('renamed, so as not to overwrite another output', stream,
           [f'{job.source} -> {job.target}' for job in job_list.renamed])
    _names('skipped', stream, [f'{path} ({why})' if why else str(path)
                               for path, why in job_list.skipped])
    _names('failed', stream, [entry['reason'] for entry in summary['failed']])


def _names(title: str, stream: Any, names: list[str]) -> None:
    for name in names[:SHOWN]:
        print_line(f'  {title}: {name}', stream)
    if len(names) > SHOWN:
        print(f'  {title}: ... and {len(names) - SHOWN} more (--json lists all)', file=stream)
