"""``rgb2swir bench transport``: how many frames of a camera reach another process, and when."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np

from rgb2swir_ros.bench import peers
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.ros.transport import PROFILE_VARIABLES, local_environment, profile_path
from rgb2swir_ros.sizes import parse_size

# (name, the publisher has the profile, the subscriber has it)
COMBINATIONS = (
    ('defaults', False, False),
    ('profile on both sides', True, True),
    ('profile on the publisher only', True, False),
    ('profile on the subscriber only', False, True),
)
EXAMPLE = 'example:\n  rgb2swir bench transport --size 1920x1080 --rate 30 --json'


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.epilog = EXAMPLE
    parser.add_argument('--size', default='1920x1080', help='frame size (default: %(default)s)')
    parser.add_argument('--rate', type=float, default=30.0, help='frames a second (%(default)s)')
    parser.add_argument('--seconds', type=float, default=8.0,
                        help='how long to send, for each row (%(default)s)')
    parser.add_argument('--profile', default='local', help='local or vehicle (%(default)s)')
    peers.add_domain_id(parser)
    parser.add_argument('--json', action='store_true', help='print a JSON list and nothing else')


def run(arguments: argparse.Namespace) -> int:
    """Measure every combination and print a row for each."""
    parse_size(arguments.size)
    if arguments.rate <= 0 or arguments.seconds <= 0:
        raise UserError('--rate and --seconds must be above 0, not '
                        f'{arguments.rate:g} and {arguments.seconds:g}')
    peers.choose_domain_id(arguments)
    profile_path(arguments.profile)
    rows = []
    for number, (name, publisher, subscriber) in enumerate(COMBINATIONS):
        row = measure(arguments, name, publisher=publisher, subscriber=subscriber)
        rows.append(row)
        if not arguments.json:
            if number == 0:
                print(f'{arguments.size} bgr8 at {arguments.rate:g} Hz, best effort, '
                      'two processes')
            print(f"{row['transport']:<32} {row['arrived']:>5} of {row['sent']:<5} "
                  f"({100 * row['arrived'] / max(row['sent'], 1):5.1f} %)  "
                  f"p50 {_ms(row['latency_p50_ms'])}  p99 {_ms(row['latency_p99_ms'])}",
                  flush=True)
    if arguments.json:
        print(json.dumps(rows, indent=2))
    return 0


def measure(
    arguments: argparse.Namespace, name: str, *, publisher: bool, subscriber: bool,
) -> dict[str, Any]:
    """Send frames from one process to another.

    :param publisher: whether the publisher has the profile.
    :param subscriber: whether the subscriber has it.
    :return: ``transport``, ``sent``, ``arrived``, and the median and 99th percentile of the time
        from before ``publish`` to the callback, in milliseconds (None if nothing arrived).
    """
    sender, receiver = (environment(arguments, profile=on) for on in (publisher, subscriber))
    listener = peers.start(['listener', '--topic', 'camera/image_raw'], receiver)
    camera = peers.start(
        ['camera', '--size', arguments.size, '--rate', str(arguments.rate),
         '--seconds', str(arguments.seconds)], sender)
    try:
        sent = peers.result(camera, arguments.seconds + 60, 'the publisher')['sent']
        time.sleep(0.5)
        frames = peers.result(listener, 20, 'the subscriber')['frames']
    finally:
        peers.stop([camera, listener])
    latencies = np.array([arrival - stamp for stamp, arrival in frames]) / 1e6
    p50, p99 = (float(np.percentile(latencies, q)) if len(latencies) else None for q in (50, 99))
    return {'transport': name, 'sent': sent, 'arrived': len(frames),
            'latency_p50_ms': _rounded(p50), 'latency_p99_ms': _rounded(p99)}


def environment(arguments: argparse.Namespace, *, profile: bool) -> dict[str, str]:
    """Return the environment of one side, with the profile or with Fast DDS's defaults."""
    side = local_environment(domain_id=arguments.domain_id)
    for variable in PROFILE_VARIABLES:
        side[variable] = str(profile_path(arguments.profile))
        if not profile:
            del side[variable]
    return side


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _ms(value: float | None) -> str:
    return '      -   ' if value is None else f'{value:7.2f} ms'
