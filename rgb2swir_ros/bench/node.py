"""The whole node between a camera and a listener, on loopback: ``rgb2swir bench node``.

The vocabulary is that of NVIDIA's ros2_benchmark: mean frame rate, missed frames, first, last,
mean and max latency, jitter, CPU use; at fixed rates, and the peak throughput at less than 5 %
loss. `NodeBench.measure_idle` measures the CPU use without a subscriber.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rgb2swir_ros.bench import peers
from rgb2swir_ros.bench.peers import Peer
from rgb2swir_ros.child_process import ChildProcess
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.ros.transport import local_environment, remove_stale_segments
from rgb2swir_ros.sizes import format_size

MAX_LOSS = 0.05
NODE_END_S = 15.0  # to end after SIGINT


@dataclass(frozen=True)
class NodeSettings:
    """The node that is measured, and its ROS domain.

    :param size: (height, width) of the camera's frames.
    :param build_timeout_s: to wait for the engine.
    :param domain_id: ROS domain of the measurement.
    """

    model: str
    size: tuple[int, int]
    backend: str
    build_timeout_s: float
    domain_id: int


class NodeBench:
    """A translator node that runs within a block, and its measurements."""

    def __init__(self, settings: NodeSettings) -> None:
        """Prepare."""
        self._settings = settings
        self._environment = local_environment(domain_id=settings.domain_id)
        self._node: ChildProcess

    def __enter__(self) -> NodeBench:
        """Start the node, which ends with the bench; its log goes to standard error."""
        settings = self._settings
        parameters = {'model': settings.model, 'backend': settings.backend,
                      'source_size': format_size(settings.size)}
        words = [word for name, value in parameters.items()
                 for word in ('-p', f'{name}:={value}')]
        self._node = ChildProcess('rgb2swir_ros.ros.main', '--ros-args', *words,
                                  environment=self._environment)
        return self

    def __exit__(self, *_: object) -> None:
        """End the node; kill it if it does not end after a signal."""
        self._node.signal(signal.SIGINT, group=False)
        ended = self._node.wait(NODE_END_S) is not None
        self._node.end()
        if not ended:
            remove_stale_segments()

    def listener(self) -> Peer:
        """Start a listener to the translated frames."""
        return Peer(['listener', '--topic', 'camera/swir/image_raw'], self._environment)

    def camera(self, rate: float, seconds: float, *, unwatched: bool = False) -> Peer:
        """Start a camera.

        :param rate: frames a second.
        :param unwatched: whether it sends without a subscriber.
        """
        words = ['camera', '--size', format_size(self._settings.size), '--rate', str(rate),
                 '--seconds', str(seconds)]
        return Peer([*words, *(['--unwatched'] if unwatched else [])], self._environment)

    def await_engine(self) -> dict[str, int]:
        """Wait until the node reports that its engine is ready.

        :return: the node's counts of frames by outcome.
        :raises UserError: if the node ends, its engine fails, or it takes too long.
        """
        timeout_s = self._settings.build_timeout_s
        watcher = Peer(['status', '--match-timeout', str(timeout_s)], self._environment)
        try:
            heard = watcher.result(timeout_s + 30, 'the watch of /diagnostics')
        finally:
            peers.stop([watcher])
        code = self._node.wait(0)
        if code is not None:
            raise UserError(f'the node ended with exit code {code} (see above)')
        state, counts = heard['state'], heard['counts']
        if not state.startswith('ready'):
            raise UserError(f'the engine is not ready: {state}')
        return dict(counts)

    def measure(self, rate: float, seconds: float) -> dict[str, Any]:
        """Send frames at a rate and listen to the translations.

        Latency is from the stamp, taken before the camera's ``publish``, to the listener's
        callback; jitter the standard deviation of the intervals between arrivals.

        :param rate: frames a second.
        """
        before = self.await_engine()
        listener, camera = self.listener(), self.camera(rate, seconds)
        try:
            started, busy = time.monotonic(), cpu_seconds(self._node.pid)
            sent = camera.result(seconds + 60, 'the camera')
            cpu = (cpu_seconds(self._node.pid) - busy) / (time.monotonic() - started)
            after = self.await_engine()
            frames = [frame for frame in listener.result(20, 'the listener')['frames']
                      if frame[0] >= sent['first_ns']]
        finally:
            peers.stop([camera, listener])
        counts = {key: grown for key, value in after.items()
                  if (grown := value - before.get(key, 0))}
        return summarise(frames, sent['sent'], rate) | {'cpu_percent': round(100 * cpu, 1),
                                                        'node_counts': counts}

    def find_peak(self, seconds: float) -> dict[str, Any]:
        """Return the run of the highest rate at which less than 5 % of the frames are missed.

        By bisection between a rate that is kept and one that is not, to 5 %.
        """
        kept: dict[str, Any] = {}
        low, high, rate = 0.0, 240.0, 15.0
        while high - low > 0.05 * high:
            run = self.measure(rate, seconds)
            if run['sent'] < 0.9 * rate * seconds:
                run['limited_by'] = 'the camera: it could not send faster'
            if run['missed'] < MAX_LOSS * run['sent'] and 'limited_by' not in run:
                kept, low = run, rate
            else:
                high = rate
            rate = min(2 * low, (low + high) / 2) if low else high / 2
            if high < 0.5:
                break
        return kept or {'rate': 0.0, 'missed': None}

    def measure_idle(self, rate: float, seconds: float) -> dict[str, Any]:
        """Return the share of a core that node and engine use while nobody subscribes to them."""
        camera = self.camera(rate, seconds + 6, unwatched=True)
        try:
            time.sleep(4.0)  # discovery and the first frame are not part of it
            busy, started = cpu_seconds(self._node.pid), time.monotonic()
            time.sleep(seconds)
            share = (cpu_seconds(self._node.pid) - busy) / (time.monotonic() - started)
            running = camera.wait(0) is None
            sent = camera.result(60, 'the camera')['sent']
        finally:
            peers.stop([camera])
        if not running:
            raise UserError('the camera ended before the measurement did')
        return {'idle_cpu_percent': round(100 * share, 2), 'seconds': seconds,
                'camera_rate': rate, 'camera_sent': sent}


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


def table(report: dict[str, Any]) -> str:
    """Return the figures of `rgb2swir bench node` for people."""
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
