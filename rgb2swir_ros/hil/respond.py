"""The process of a responder: receives the images of cameras and publishes the answers.

``python -m rgb2swir_ros.hil.respond MODULE:CLASS --topic TOPIC --image TOPIC ...`` prints
``responding`` when it has subscribed, and ends when its standard input closes.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.hil.peer import serve
from rgb2swir_ros.hil.responders import Responder, load_responder

DEPTH = 10


def subscribe(node: Any, responder: Responder, topic: str, images: list[str]) -> None:
    """Answer every image on the topic of the answers."""
    from rclpy.qos import QoSProfile, ReliabilityPolicy
    from sensor_msgs.msg import Image
    quality = QoSProfile(depth=DEPTH, reliability=ReliabilityPolicy.RELIABLE)
    publisher = node.create_publisher(responder.message, topic, quality)

    def answer(image: Image) -> None:
        response = responder.respond(image)
        if response is not None:
            response.header = image.header
            publisher.publish(response)
    for image in images:
        node.create_subscription(Image, image, answer, quality)


def main(arguments: list[str] | None = None) -> int:
    """Respond until the standard input closes."""
    parser = argparse.ArgumentParser()
    parser.add_argument('responder')
    parser.add_argument('--topic', required=True)
    parser.add_argument('--image', action='append', required=True)
    parser.add_argument('--options', default='{}')
    given = parser.parse_args(arguments)
    try:
        responder = load_responder(given.responder, json.loads(given.options))
    except UserError as error:
        print(f'responder: {error}', file=sys.stderr)
        return 2
    serve('hil_responder', 'responding', lambda node: subscribe(
        node, responder, given.topic, given.image))
    return 0


if __name__ == '__main__':
    sys.exit(main())
