"""How long replay takes beside its parts, and whether its memory stays flat and kills do no harm.

Usage: python benchmark/replay.py VIDEO [--frames 3000] [--runs 3] [--size 640x360]
       python benchmark/replay.py VIDEO --endurance [--frames 18000] [--kills 2]

A bag of JPEG frames at 30 Hz is made of the looped video. Without ``--endurance`` each run times
the engine alone, reading and writing alone (the whole replay with an engine that computes
nothing), and the replay, one after the other; ``ratio`` is the replay over the larger of the two
parts. With it the bag is replayed twice, each in a process of its own: once whole, once killed
with SIGKILL at random moments and started again. Prints one JSON object. Run it when nothing
else runs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.engines.build import open_engine
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.processes import python_command
from rgb2swir_ros.replay.bag import CameraBag
from rgb2swir_ros.replay.bag_writer import BagWriter
from rgb2swir_ros.replay.frames import decode
from rgb2swir_ros.replay.offline import Options
from rgb2swir_ros.replay.replay_bag import BagReplay
from rgb2swir_ros.replay.replay_options import ReplayOptions
from rgb2swir_ros.replay.run_record import RunRecord, read_run
from rgb2swir_ros.replay.video import VideoSource
from rgb2swir_ros.sizes import parse_size

TOPIC = '/camera/image_raw/compressed'
PERIOD_NS = 10 ** 9 // 30
START_NS = 1_600_000_000 * 10 ** 9
QUALITY = 90


class NoEngine:
    """An engine that computes nothing."""

    def __call__(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return grey frames (B, H, W)."""
        return np.full(rgb.shape[:3], .5, np.float32)

    def describe(self) -> dict[str, Any]:
        """Say so."""
        return {'backend': 'none'}


def loop_video(video: Path, bag: Path, frames: int, size: tuple[int, int]) -> None:
    """Write a bag of so many JPEG frames of a size (height, width), 30 a second."""
    encoded = [cv2.imencode('.jpg', cv2.cvtColor(decode(frame, size), cv2.COLOR_RGB2BGR),
                            [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
               for frame in VideoSource(video).frames()]
    with BagWriter(bag) as writer:
        for number in range(frames):
            writer.write_compressed(TOPIC, START_NS + number * PERIOD_NS, 'camera',
                                    encoded[number % len(encoded)], 'bgr8; jpeg compressed bgr8')


def replayed(bag: Path, target: Path, options: Options, engine: Any) -> float:
    """Replay a bag with an engine and return its seconds, without the opening of engines."""
    run = BagReplay(bag, target, ReplayOptions(options), opener=lambda *_, **__: engine).run()
    return run.wall_s['total']


def parts(bag: Path, folder: Path, options: Options, runs: int) -> dict[str, Any]:
    """Time the parts and the whole in turns."""
    engine = open_engine(options.model, options.box, threads=options.threads)
    frames = [decode(frame, options.box) for frame in CameraBag(bag).frames()]
    rows = []
    for number in range(runs):
        start = time.perf_counter()
        for rgb in frames:
            engine(rgb[None])
        alone = time.perf_counter() - start
        disk = replayed(bag, folder / f'disk{number}', options, NoEngine())
        whole = replayed(bag, folder / f'whole{number}', options, engine)
        rows.append({'engine_s': round(alone, 1), 'reading_and_writing_s': round(disk, 1),
                     'replay_s': round(whole, 1), 'ratio': round(whole / max(alone, disk), 3)})
        print(rows[-1], flush=True)
    return {'runs': rows, 'ratio': statistics.median(row['ratio'] for row in rows)}


def observed(words: list[str], kill_after: float | None) -> tuple[int, list[float]]:
    """Run a command; return its exit status and its resident memory in MB, once a second."""
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    start, memory = time.monotonic(), []
    while process.poll() is None:
        time.sleep(1)
        try:
            pages = int(Path(f'/proc/{process.pid}/statm').read_text().split()[1])
        except (OSError, IndexError):
            continue
        memory.append(pages * os.sysconf('SC_PAGE_SIZE') / 1e6)
        if kill_after is not None and time.monotonic() - start > kill_after:
            process.kill()
    return process.returncode, memory


def endurance(bag: Path, folder: Path, words: list[str], kills: list[float]) -> dict[str, Any]:
    """Replay a bag whole, and again with kills; compare memory and outputs."""
    results: dict[str, Any] = {}
    for name, moments in (('whole', []), ('killed', kills)):
        call = [*python_command('rgb2swir_ros.cli.main'), 'replay', str(bag), '-o',
                str(folder / name), *words]
        for moment in [*moments, None]:
            status, memory = observed(call, moment)
            print(f'{name}: exit status {status}, {len(memory)} s', flush=True)
        if not moments:
            warm = memory[len(memory) // 10:]
            quarter = len(warm) // 4
            results['memory_mb'] = {
                'first_quarter': round(statistics.median(warm[:quarter])),
                'last_quarter': round(statistics.median(warm[-quarter:])),
                'largest': round(max(memory))}
    runs: list[RunRecord] = [read_run(folder / name / bag.name) for name in ('whole', 'killed')]
    return {**results, 'killed_after_s': [round(moment, 1) for moment in kills],
            'frames': [run.frames for run in runs], 'faults': [run.faults for run in runs],
            'attempts': [run.attempts for run in runs],
            'same': runs[0].topics == runs[1].topics and runs[0].frames > 0}


def main() -> None:
    """Make the bag, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('video', type=Path)
    parser.add_argument('--endurance', action='store_true')
    parser.add_argument('--frames', type=int)
    parser.add_argument('--runs', type=int, default=3)
    parser.add_argument('--size', default='640x360', help='of the frames (%(default)s)')
    parser.add_argument('--kills', type=int, default=2)
    parser.add_argument('--kill-within', type=float, default=60, metavar='S',
                        help='each kill comes within so many seconds (%(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='of the moments of the kills')
    arguments = parser.parse_args()
    frames = arguments.frames or (18000 if arguments.endurance else 3000)
    threads = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix='rgb2swir-replay-') as name:
        folder = Path(name)
        bag = folder / 'drive'
        try:
            height, width = parse_size(arguments.size)
            loop_video(arguments.video, bag, frames, (height, width))
        except UserError as error:
            parser.error(str(error))
        result: dict[str, Any] = {'frames': frames, 'size': arguments.size, 'threads': threads}
        if arguments.endurance:
            draw = random.Random(arguments.seed)
            result |= endurance(
                bag, folder, ['--size', arguments.size],
                [draw.uniform(5, arguments.kill_within) for _ in range(arguments.kills)])
        else:
            options = Options(box=(height, width), threads=threads)
            result |= parts(bag, folder, options, arguments.runs)
    print(json.dumps(result, indent=2))


if __name__ == '__main__':
    main()
