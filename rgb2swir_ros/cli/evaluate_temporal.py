"""``rgb2swir evaluate temporal``: flicker on still scenes, drives and videos."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from rgb2swir_ros.cli.evaluate_shared import (
    add_model_arguments,
    add_report_arguments,
    candidates,
    check_report,
    give_report,
)
from rgb2swir_ros.engines.processor import waiting_environment
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.evaluation.intervals import check_bootstrap, plain
from rgb2swir_ros.sizes import parse_size

EXAMPLE = """example:
  rgb2swir scenes --count 4 --sequences 8 --length 30 -o out/moving
  rgb2swir scenes --count 4 --sequences 8 --length 30 --still -o out/still
  rgb2swir evaluate temporal --model nano --data out/still out/moving --videos drives/
On still sequences: change from frame to frame over that of the RGB input, which is camera noise.
On moving ones: the warp error, which is the change after the next frame is warped back along the
true flow, over that of the true SWIR frames. On videos: the same with an estimated flow, over
that of the RGB frames: an estimate.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = EXAMPLE
    add_model_arguments(parser, required=True)
    parser.add_argument('--data', type=Path, nargs='+', default=[], metavar='DIR',
                        help='folders that rgb2swir scenes --sequences wrote')
    parser.add_argument('--videos', type=Path, nargs='+', default=[], metavar='PATH',
                        help='videos, folders with videos, or bags')
    parser.add_argument('--size', type=parse_size, default=(512, 640), metavar='WIDTHxHEIGHT',
                        help='box that videos are scaled down to fit (default 640x512)')
    parser.add_argument('--frames', type=int, default=300, metavar='N',
                        help='of each video at most, from its beginning (default %(default)s)')
    add_report_arguments(parser, 'table.txt, temporal.json, over_time.png and slices.png')


def run(arguments: argparse.Namespace) -> int:
    """Translate, measure, report."""
    check_bootstrap(arguments.resamples, arguments.seed)
    if not arguments.data and not arguments.videos:
        raise UserError('nothing to evaluate: give --data, --videos or both')
    if arguments.frames < 2:
        raise UserError(f'--frames {arguments.frames}: give at least 2')
    check_report(arguments, 'temporal', ('over_time.png', 'slices.png'),
                 [*arguments.data, *arguments.videos])
    os.environ.update(waiting_environment())  # before torch is loaded
    try:
        from rgb2swir_ros.lab.evaluation.sequences import (
            FOOTAGE,
            MOVING,
            STILL,
            Clip,
            footage_clips,
            rendered_clips,
        )
        from rgb2swir_ros.lab.evaluation.temporal import measure, summarise
        from rgb2swir_ros.lab.evaluation.temporal_report import (
            plot_over_time,
            temporal_table,
            write_slices,
        )
    except ImportError as error:
        raise UserError(f"{error}: this needs pip install 'rgb2swir_ros[runtime,replay,eval]'"
                        ) from error
    clips: list[Clip] = [c for folder in arguments.data for c in rendered_clips(folder)]
    clips += [c for path in arguments.videos
              for c in footage_clips(path, arguments.size, arguments.frames)]
    frames = sum(c.count or 0 for c in clips)
    models = candidates(arguments, frames)
    print(f'{len(clips)} clips, {frames} frames', file=sys.stderr)
    records = measure(clips, models)
    names = [m.name for m in models]
    results = [r for kind in (STILL, MOVING, FOOTAGE)
               if (r := summarise(records, kind, names, resamples=arguments.resamples,
                                  seed=arguments.seed))]
    text = temporal_table(results)
    figures = {
        'models': {m.name: {'calls': m.calls, 'milliseconds': round(m.milliseconds, 3)}
                   for m in models},
        'data': [str(p) for p in arguments.data], 'videos': [str(p) for p in arguments.videos],
        'seed': arguments.seed, **{r.kind: plain(r) for r in results}}
    if arguments.output:
        plot_over_time(arguments.output / 'over_time.png', records)
        write_slices(arguments.output / 'slices.png', records)
    give_report(arguments, 'temporal', text, figures)
    return 0
