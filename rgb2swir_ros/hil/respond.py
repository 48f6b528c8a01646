"""The process of a responder: receives the images of cameras and publishes the answers.

``python -m rgb2swir_ros.hil.respond MODULE:CLASS --topic TOPIC --image TOPIC ...`` prints
``responding`` when it has subscribed; when its standard input closes, it answers what waits and
ends.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import Any

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.hil.peer import serve
from rgb2swir_ros.hil.responders import Responder, load_responder

DEPTH = 10
DRAIN_S = 0.5  # of silence after which nothing more is expected
LIMIT_S = 50.0  # for the answers to what waits at the end


def subscribe(node: Any, responder: Responder, topic: str, images: list[str],
              depth: int = DEPTH) -> Callable[[], int]:
    """Answer every image on the topic of the answers.

    :param depth: so many images may wait.
    :return: when the last one was answered, as monotonic nanoseconds.
    """
    from rclpy.qos import QoSProfile, ReliabilityPolicy
    from sensor_msgs.msg import Image
    quality = QoSProfile(depth=depth, reliability=ReliabilityPolicy.RELIABLE)
    publisher = node.create_publisher(responder.message, topic, quality)
    last_ns = time.monotonic_ns()

    def answer(image: Image) -> None:
        nonlocal last_ns
        response = responder.respond(image)
        if response is not None:
            response.header = image.header
            publisher.publish(response)
        last_ns = time.monotonic_ns()
    for image in images:
        node.create_subscription(Image, image, answer, quality)
    return lambda: last_ns


def main(arguments: list[str] | None = None) -> int:
    """Respond until the standard input closes."""
    parser = argparse.ArgumentParser()
    parser.add_argument('responder')
    parser.add_argument('--topic', required=True)
    parser.add_argument('--image', action='append', required=True)
    parser.add_argument('--options', default='{}')
    parser.add_argument('--depth', type=int, default=DEPTH)
    given = parser.parse_args(arguments)
    try:
        responder = load_responder(given.responder, json.loads(given.options))
    except UserError as error:
        print(f'responder: {error}', file=sys.stderr)
        return 2
    serve('hil_responder', 'responding', lambda node: subscribe(
        node, responder, given.topic, given.image, given.depth), DRAIN_S, LIMIT_S)
    return 0


if __name__ == '__main__':
    sys.exit(main())
