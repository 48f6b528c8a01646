"""What the benchmarks of ``rgb2swir bench`` share: the node that is measured, and its domain."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.sizes import parse_size

if TYPE_CHECKING:
    from rgb2swir_ros.bench.node import NodeSettings


def add_node_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of every benchmark of the node."""
    parser.add_argument('--model', default='nano', help='name or folder (default: %(default)s)')
    parser.add_argument('--size', default='1920x1080', help="camera's frames (%(default)s)")
    parser.add_argument('--backend', default='auto', help='as in build (%(default)s)')
    parser.add_argument('--build-timeout', type=float, default=300.0,
                        help='seconds to wait for the engine (%(default)s)')
    add_domain_id(parser)
    parser.add_argument('--json', action='store_true', help='print one JSON object, nothing else')


def node_settings(arguments: argparse.Namespace) -> NodeSettings:
    """Return what `add_node_arguments` declares.

    :raises UserError: if the size or the domain is wrong.
    """
    from rgb2swir_ros.bench.node import NodeSettings

    return NodeSettings(arguments.model, parse_size(arguments.size), arguments.backend,
                        arguments.build_timeout, domain_id(arguments))


def add_domain_id(parser: argparse.ArgumentParser) -> None:
    """Declare ``--domain-id``, which isolates a benchmark from other ROS processes."""
    parser.add_argument('--domain-id', type=int, default=None,
                        help='ROS domain to measure in, 0..101 (by default one of its own)')


def domain_id(arguments: argparse.Namespace) -> int:
    """Return the ROS domain to measure in: the given one, or an unused one.

    :raises UserError: if the given one is outside of 0 to 101.
    """
    if arguments.domain_id is None:
        from rgb2swir_ros.ros.domain import claim_domain

        return claim_domain()
    if not 0 <= arguments.domain_id <= 101:
        raise UserError(f'--domain-id must be 0..101, not {arguments.domain_id}')
    return int(arguments.domain_id)
