"""``rgb2swir bench node``: the whole node between a camera and a listener, on loopback.

The vocabulary is that of NVIDIA's ros2_benchmark: mean frame rate, missed frames, first, last,
mean and max latency, jitter, CPU use; at fixed rates, and the peak throughput at less than 5 %
loss. ``--idle`` measures what the node costs while nobody listens.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from rgb2swir_ros.bench import peers
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.processes import python_command
from rgb2swir_ros.ros.transport import local_environment, remove_stale_segments
from rgb2swir_ros.sizes import parse_size

MAX_LOSS = 0.05
EXAMPLE = ('example:\n  rgb2swir bench node --size 1920x1080 --rates 10,30 --json\n'
           '  rgb2swir bench node --idle --seconds 30 --json')


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.epilog = EXAMPLE
    add_node_arguments(parser)
    parser.add_argument('--rates', default='10,30', help='fixed rates in Hz (%(default)s)')
    parser.add_argument('--peak', action=argparse.BooleanOptionalAction, default=True,
                        help='also search the peak throughput at less than 5 %% loss')
    parser.add_argument('--seconds', type=float, default=10.0, help='for each rate (%(default)s)')
    parser.add_argument('--idle', action='store_true',
                        help='measure instead what the node takes while nobody listens')


def add_node_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what every bench of the node takes."""
    parser.add_argument('--model', default='nano', help='name or folder (default: %(default)s)')
    parser.add_argument('--size', default='1920x1080', help="camera's frames (%(default)s)")
    parser.add_argument('--backend', default='auto', help='as in build (%(default)s)')
    parser.add_argument('--build-timeout', type=float, default=300.0,
                        help='seconds to wait for the engine (%(default)s)')
    peers.add_domain_id(parser)
    parser.add_argument('--json', action='store_true', help='print one JSON object, nothing else')


def run(arguments: argparse.Namespace) -> int:
    """Measure and print."""
    parse_size(arguments.size)
    rates = _rates(arguments.rates)
    peers.choose_domain_id(arguments)
    if arguments.seconds < 1:
        raise UserError(f'--seconds must be at least 1, not {arguments.seconds:g}')
    environment = local_environment(domain_id=arguments.domain_id)
    node = start_node(arguments, environment)
    try:
        await_engine(node, environment, arguments.build_timeout)
        report = {'size': arguments.size, 'model': arguments.model}
        if arguments.idle:
            report |= measure_idle(arguments, node, environment)
        else:
            rows = [measure(arguments, rate, node, environment) for rate in rates]
            report['fixed_rates'] = rows
            if arguments.peak:
                report['peak'] = find_peak(arguments, node, environment)
    finally:
        end_node(node)
    print(json.dumps(report, indent=2) if arguments.json else _table(report))
    return 0


def start_node(arguments: argparse.Namespace,
               environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start the translator, which ends with the bench; what it logs goes to standard error."""
    parameters = {'model': arguments.model, 'backend': arguments.backend,
                  'source_size': arguments.size}
    words = [word for name, value in parameters.items() for word in ('-p', f'{name}:={value}')]
    return subprocess.Popen(
        python_command('rgb2swir_ros.ros.main', '--ros-args', *words, leashed=True),
        env=environment, stdout=sys.stderr.fileno(), stdin=subprocess.DEVNULL)


def end_node(node: subprocess.Popen[bytes]) -> None:
    """Ask the node to end, and make it."""
    node.send_signal(signal.SIGINT)
    try:
        node.wait(15)
    except subprocess.TimeoutExpired:
        node.kill()
        node.wait()
        remove_stale_segments()


def await_engine(node: subprocess.Popen[bytes], environment: dict[str, str],
                 timeout_s: float) -> dict[str, int]:
    """Wait until the node reports that its engine is ready.

    :return: the node's counts of frames by what became of them.
    :raises UserError: if the node ends, its engine fails, or it takes too long.
    """
    watcher = peers.start(['status', '--match-timeout', str(timeout_s)], environment)
    try:
        heard = peers.result(watcher, timeout_s + 30, 'the watch of /diagnostics')
    finally:
        peers.stop([watcher])
    if node.poll() is not None:
        raise UserError(f'the node ended with exit code {node.returncode} (see above)')
    state, counts = heard['state'], heard['counts']
    if not state.startswith('ready'):
        raise UserError(f'the engine is not ready: {state}')
    return dict(counts)


def measure(arguments: argparse.Namespace, rate: float, node: subprocess.Popen[bytes],
            environment: dict[str, str]) -> dict[str, Any]:
    """Send frames at a rate and listen to the translations.

    Latency is from the stamp, taken before the camera's ``publish``, to the listener's callback;
    jitter the standard deviation of the intervals between arrivals.

    :param rate: frames a second.
    """
    before = await_engine(node, environment, arguments.build_timeout)
    listener = peers.start(['listener', '--topic', 'camera/swir/image_raw'], environment)
    camera = peers.start(
        ['camera', '--size', arguments.size, '--rate', str(rate),
         '--seconds', str(arguments.seconds)], environment)
    try:
        started, busy = time.monotonic(), cpu_seconds(node.pid)
        sent = peers.result(camera, arguments.seconds + 60, 'the camera')
        cpu = (cpu_seconds(node.pid) - busy) / (time.monotonic() - started)
        after = await_engine(node, environment, arguments.build_timeout)
        frames = [frame for frame in peers.result(listener, 20, 'the listener')['frames']
                  if frame[0] >= sent['first_ns']]
    finally:
        peers.stop([camera, listener])
    counts = {key: grown for key, value in after.items() if (grown := value - before.get(key, 0))}
    return summarise(frames, sent['sent'], rate) | {'cpu_percent': round(100 * cpu, 1),
                                                    'node_counts': counts}


def summarise(frames: list[tuple[int, int]], sent: int, rate: float) -> dict[str, Any]:
    """Return the figures of a run.

    :param frames: (stamp, arrival) in nanoseconds, in order of arrival.
    :param sent: frames that the camera has sent.
    :param rate: frames a second that it was to send.
    """
    report: dict[str, Any] = {'rate': rate, 'sent': sent, 'received': len(frames),
                              'missed': sent - len(frames)}
    if len(frames) > 1:
        arrivals = np.array([arrival for _, arrival in frames]) / 1e6
        latency = arrivals - np.array([stamp for stamp, _ in frames]) / 1e6
        figures = {
            'mean_frame_rate': 1e3 * (len(frames) - 1) / (arrivals[-1] - arrivals[0]),
            'first_latency_ms': latency[0], 'last_latency_ms': latency[-1],
            'mean_latency_ms': latency.mean(), 'max_latency_ms': latency.max(),
            **{f'p{q}_latency_ms': np.percentile(latency, q) for q in (50, 95, 99)},
            'jitter_ms': np.diff(arrivals).std()}
        report |= {key: round(float(value), 3) for key, value in figures.items()}
    return report


def find_peak(arguments: argparse.Namespace, node: subprocess.Popen[bytes],
              environment: dict[str, str]) -> dict[str, Any]:
    """Return the run of the highest rate at which less than 5 % of the frames are missed.

    Halves the interval between a rate that is kept and one that is not, to 5 % of it.
    """
    kept: dict[str, Any] = {}
    low, high, rate = 0.0, 240.0, 15.0
    while high - low > 0.05 * high:
        run = measure(arguments, rate, node, environment)
        if run['sent'] < 0.9 * rate * arguments.seconds:
            run['limited_by'] = 'the camera: it could not send faster'
        if run['missed'] < MAX_LOSS * run['sent'] and 'limited_by' not in run:
            kept, low = run, rate
        else:
            high = rate
        rate = min(2 * low, (low + high) / 2) if low else high / 2
        if high < 0.5:
            break
    return kept or {'rate': 0.0, 'missed': None}


def measure_idle(arguments: argparse.Namespace, node: subprocess.Popen[bytes],
                 environment: dict[str, str]) -> dict[str, Any]:
    """Return the share of a core that node and engine take while a camera sends unheard."""
    rate = _rates(arguments.rates)[-1]
    camera = peers.start(
        ['camera', '--size', arguments.size, '--rate', str(rate), '--unwatched',
         '--seconds', str(arguments.seconds + 6)], environment)
    try:
        time.sleep(4.0)  # discovery, and the first frame, are no idling
        busy, started = cpu_seconds(node.pid), time.monotonic()
        time.sleep(arguments.seconds)
        share = (cpu_seconds(node.pid) - busy) / (time.monotonic() - started)
        running = camera.poll() is None
        sent = peers.result(camera, 60, 'the camera')['sent']
    finally:
        peers.stop([camera])
    if not running:
        raise UserError('the camera ended before the measurement did')
    return {'idle_cpu_percent': round(100 * share, 2), 'seconds': arguments.seconds,
            'camera_rate': rate, 'camera_sent': sent}


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process and its living descendants (Linux /proc)."""
    ticks = 0
    pending = [pid]
    while pending:
        one = pending.pop()
        try:
            fields = Path(f'/proc/{one}/stat').read_text().rpartition(')')[2].split()
            for task in Path(f'/proc/{one}/task').iterdir():
                pending += [int(child) for child in (task / 'children').read_text().split()]
        except OSError:  # it has just ended
            continue
        ticks += int(fields[11]) + int(fields[12])  # utime, stime: fields 14, 15 of proc(5)
    return ticks / os.sysconf('SC_CLK_TCK')


def _rates(text: str) -> list[float]:
    try:
        rates = [float(word) for word in text.split(',')]
    except ValueError:
        rates = []
    if not rates or min(rates) <= 0 or max(rates) > 1000:
        raise UserError(f"--rates '{text}' are no rates: give them in Hz, like 10,30")
    return rates


def _table(report: dict[str, Any]) -> str:
    if 'idle_cpu_percent' in report:
        return (f"idle beside a camera of {report['size']} at {report['camera_rate']:g} Hz: "
                f"{report['idle_cpu_percent']} % of a core over {report['seconds']:g} s")
    rows = [('fixed', row) for row in report['fixed_rates']]
    rows += [('peak', report['peak'])] if 'peak' in report else []
    lines = []
    for kind, row in rows:
        lines.append(f'{kind} rate {row["rate"]:g} Hz')
        lines += [f'  {key:<18} {value}' for key, value in row.items() if key != 'rate']
    return '\n'.join([f"{report['size']}, model {report['model']}", *lines])
