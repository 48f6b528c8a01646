"""The demo in one call: run it, balance the frames, write the report."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rgb2swir_ros.demo.accounting import balance
from rgb2swir_ros.demo.filming import CAMERA, DemoConductor, DemoOptions, Run
from rgb2swir_ros.demo.gallery import write_gallery
from rgb2swir_ros.demo.latency import WHOLE, summary, whole_way
from rgb2swir_ros.demo.report import as_json, plot, table
from rgb2swir_ros.files import write_bytes
from rgb2swir_ros.ownership import clear_results, require_apart, sweep, workspace
from rgb2swir_ros.replay.bag_translation import INFO_NOTES
from rgb2swir_ros.replay.frames import FootageError
from rgb2swir_ros.replay.timing import read_timing
from rgb2swir_ros.resources import model_directory
from rgb2swir_ros.ros.available import require_ros
from rgb2swir_ros.sizes import format_size

FILES = ('side_by_side.png', 'swir.mp4', 'report.json', 'table.txt', 'latency.png')
LOGS = ('camera.log', 'translator.log', 'recorder.log')


@dataclass(frozen=True)
class DemoResult:
    """A finished demo.

    :param ok: whether every frame is accounted for and the footage was read to its end.
    """

    report: dict[str, Any]
    table: str
    ok: bool


def run_demo(options: DemoOptions, output: Path, say: Callable[[str], None], *,
             overwrite: bool = False) -> DemoResult:
    """Run the demo and write its results to a folder.

    :param output: gets ``swir_bag/``, ``side_by_side.png``, ``swir.mp4``, ``report.json``,
        ``table.txt``, ``latency.png`` and ``logs/``; other files in it are left alone.
    :param say: called with one line at each new step.
    :param overwrite: whether the results of an earlier run may be removed.
    :raises UserError: if there are such results, the folder contains or lies in the input, ROS 2
        is missing, the input cannot be read, or a process fails.
    """
    require_ros()
    model_directory(options.model)
    bag, logs = output / 'swir_bag', output / 'logs'
    require_apart([output], [options.input])
    clear(output, overwrite=overwrite)
    logs.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with workspace(bag) as work:
        run = DemoConductor(options, bag, logs, work, say).run()
        say('drawing')
        return _evaluate(options, output, run, started)


def clear(output: Path, *, overwrite: bool) -> None:
    """Remove an earlier run's results, and nothing else.

    :raises UserError: if there are any and they are not to be overwritten, or if something that
        this tool did not write has one of their names.
    """
    results = [output / name for name in ('swir_bag', *FILES)]
    results += [output / 'logs' / name for name in LOGS]
    clear_results(results, overwrite=overwrite)
    sweep(output)  # of runs that were killed


def _evaluate(options: DemoOptions, output: Path, run: Run, started: float) -> DemoResult:
    account = balance(run.camera, [stamp for stamp, _ in run.sent],
                      [stamp for stamp, _ in run.arrived])
    whole = whole_way(run.sent, run.arrived)
    timing = read_timing(output / 'swir_bag')
    latency = summary({**timing, WHOLE: [ms for _, ms in whole]})
    if not run.footage.live:
        latency.pop('age_ms', None)  # the age of stamps of another day means nothing
    cut = run.footage.is_cut(len(run.sent)) and not run.broke_off
    notes = _notes(options, run, cut)
    if whole:
        try:
            write_gallery(output, run.footage, output / 'swir_bag', f'/{CAMERA}/swir/image_raw',
                          [index for index, _ in whole], _rate(run))
        except FootageError as error:
            notes.append(f'no pictures: {error}')
    if not plot(output / 'latency.png', timing, whole):
        notes.append('no latency.png: matplotlib is not installed')
    title = (f'{options.input or "the built-in drive"}: {len(run.sent)} frames of '
             f'{format_size(run.footage.size)}, model {options.model}, '
             f"{run.engine.get('backend', '?')} {run.engine.get('precision', '?')}")
    text = '\n'.join([table(account, latency, title), *notes]).rstrip('\n') + '\n'
    report = as_json(
        account, latency, input=str(options.input or 'drive'), topic=run.footage.source.topic,
        message_type=run.footage.message_type, source_size=format_size(run.footage.size),
        seconds=round(time.monotonic() - started, 1), rate_hz=round(_rate(run), 2),
        stamps='made when sent' if run.footage.live else "the input's", cut=cut,
        input_broke_off=run.broke_off, bag_messages=run.bag_counts, engine=run.engine,
        node_camera_status=run.camera, notes=notes)
    for name, content in (('table.txt', text), ('report.json', json.dumps(report, indent=2))):
        write_bytes(output / name, content.encode())
    return DemoResult(report, text, not account.problems() and not run.broke_off)


def _notes(options: DemoOptions, run: Run, cut: bool) -> list[str]:
    notes = []
    if cut:
        notes.append(f'the input is longer: only its first {options.seconds:g} s were used '
                     '(--seconds changes that)')
    if behind := int(run.camera.get('dropped_overwritten', 0)):
        notes.append(f'this machine does not keep up with the camera: {behind} of {len(run.sent)} '
                     'frames were replaced by newer ones before their turn came (--rate or a '
                     'smaller --size helps)')
    notes += [f'{count} {what}' for key, what in INFO_NOTES.items()
              if (count := int(run.camera.get(key, 0))) and not run.footage.live]
    if run.broke_off:
        notes.append(f'INPUT BROKE OFF: {run.broke_off}')
    if run.engine.get('restarts', '0') != '0':
        notes.append(f"the engine was restarted {run.engine['restarts']} times")
    return notes


def _rate(run: Run) -> float:
    """Return the rate in Hz at which frames were sent; 10 for a single frame."""
    span = (run.sent[-1][1] - run.sent[0][1]) / 1e9 if len(run.sent) > 1 else 0.0
    return (len(run.sent) - 1) / span if span > 0 else 10.0
