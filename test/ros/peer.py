"""A camera or a listener in a separate process; the tests start it and read its JSON lines.

Run as a script: ``python peer.py camera --camera front --count 30`` or
``python peer.py listener TOPIC:KIND ...``. Both end when their standard input closes.
"""

from __future__ import annotations

import argparse
import array
import json
import os
import sys
import threading
import time

import cv2
import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.qos import QoSProfile, ReliabilityPolicy, qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from rgb2swir_ros.ros.serving import spin_until_input_ends

KINDS = {'image': Image, 'compressed': CompressedImage, 'info': CameraInfo,
         'diagnostics': DiagnosticArray}


def say(**values) -> None:
    """Write one JSON line; the test may have ended already."""
    try:
        print(json.dumps(values), flush=True)
    except BrokenPipeError:
        os._exit(0)


def picture(number: int, height: int, width: int) -> np.ndarray:
    """Return uint8 (H, W, 3): a ramp that moves with the frame's number."""
    ramp = (np.arange(width)[None, :] + np.arange(height)[:, None] + 4 * number) % 256
    return np.stack([ramp, ramp[::-1], ramp[:, ::-1]], axis=-1).astype(np.uint8)


def image_message(arguments, pixels: np.ndarray) -> Image:
    """Return an Image, malformed if the arguments request it."""
    height, width = pixels.shape[:2]
    message = Image(height=height, width=width, encoding=arguments.encoding, step=width * 3)
    message.data = array.array('B', pixels.tobytes())
    if arguments.broken == 'wrong_length':
        message.data = message.data[:len(message.data) // 2]
    elif arguments.broken == 'zero_size':
        message.height = message.width = message.step = 0
        message.data = array.array('B')
    elif arguments.broken == 'bad_step':
        message.step = width
    return message


def compressed_message(arguments, pixels: np.ndarray) -> CompressedImage:
    """Return a CompressedImage, truncated if the arguments request it."""
    _, data = cv2.imencode('.jpg', pixels)
    content = data.tobytes()
    if arguments.broken == 'corrupt_data':
        content = content[:len(content) // 3]
    message = CompressedImage(format='bgr8; jpeg compressed bgr8')
    message.data = array.array('B', content)
    return message


def info_message(height: int, width: int) -> CameraInfo:
    """Return the CameraInfo of a camera with fx = fy = width, its centre in the middle."""
    f, cx, cy = float(width), (width - 1) / 2, (height - 1) / 2
    return CameraInfo(height=height, width=width, distortion_model='plumb_bob', d=[0.1] * 5,
                      k=[f, 0., cx, 0., f, cy, 0., 0., 1.],
                      r=[1., 0., 0., 0., 1., 0., 0., 0., 1.],
                      p=[f, 0., cx, 0., 0., f, cy, 0., 0., 0., 1., 0.])


def camera(arguments) -> None:
    """Wait for a subscriber, publish, print the stamps that were sent, wait for the end."""
    node = rclpy.create_node('test_camera', start_parameter_services=False)
    base = f'/{arguments.camera}'
    if arguments.compressed:
        publisher = node.create_publisher(CompressedImage, f'{base}/image_raw/compressed',
                                          qos_profile_sensor_data)
    else:
        publisher = node.create_publisher(Image, f'{base}/image_raw', qos_profile_sensor_data)
    infos = node.create_publisher(CameraInfo, f'{base}/camera_info', 10)
    width, height = (int(side) for side in arguments.size.split('x'))
    ending = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ending.set()), daemon=True).start()
    say(ready=True)
    if arguments.wait:
        while not publisher.get_subscription_count() and not ending.is_set():
            time.sleep(0.01)
        time.sleep(0.1)  # the other side has to match, too
    say(matched=True)
    info = info_message(height, width)
    due = time.monotonic()
    for number in range(arguments.count):
        if ending.is_set():
            break
        pixels = picture(number, height, width)
        message = (compressed_message if arguments.compressed else image_message)(
            arguments, pixels)
        stamp = time.time_ns() + int(1e6 * arguments.offset_ms)
        for part in (info, message):
            part.header.frame_id = f'{arguments.camera}_optical'
            part.header.stamp.sec, part.header.stamp.nanosec = divmod(stamp, 10**9)
        if arguments.info:
            infos.publish(info)
        publisher.publish(message)
        say(sent=stamp)
        # A camera that was held up goes on at its rate: it makes up for nothing in a burst.
        due = max(due + 1 / arguments.rate, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))
    say(done=True)
    ending.wait()


def describe(message) -> dict:
    """Return the fields of a message that the tests check."""
    values = {'stamp': message.header.stamp.sec * 10**9 + message.header.stamp.nanosec,
              'frame': message.header.frame_id, 'at': time.time_ns()}
    if isinstance(message, Image):
        kind = np.uint8 if message.encoding == 'mono8' else np.uint16
        pixels = np.frombuffer(message.data, kind)
        values |= {'size': [message.height, message.width], 'encoding': message.encoding,
                   'step': message.step, 'bytes': len(message.data), 'low': int(pixels.min()),
                   'high': int(pixels.max()), 'sum': int(pixels.sum())}
    elif isinstance(message, CompressedImage):
        pixels = cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_UNCHANGED)
        values |= {'format': message.format, 'size': list(pixels.shape),
                   'type': str(pixels.dtype)}
    elif isinstance(message, CameraInfo):
        values |= {'size': [message.height, message.width], 'k': list(message.k),
                   'p': list(message.p), 'd': list(message.d)}
    else:
        values['status'] = {status.name: {
            'level': status.level[0], 'message': status.message, 'hardware': status.hardware_id,
            'values': {pair.key: pair.value for pair in status.values}}
            for status in message.status}
    return values


def listener(arguments) -> None:
    """Print each message of the topics."""
    node = rclpy.create_node('test_listener', start_parameter_services=False)
    qos = QoSProfile(depth=50, reliability=ReliabilityPolicy.RELIABLE)
    for word in arguments.topics:
        topic, kind = word.rsplit(':', 1)
        node.create_subscription(
            KINDS[kind], topic, lambda m, topic=topic: say(topic=topic, **describe(m)), qos)
    say(ready=True)
    spin_until_input_ends(node)
    rclpy.try_shutdown()  # else the subscriptions stay in the graph until their lease is over


def call(arguments) -> None:
    """Call a service of the node: set parameters, or change the lifecycle state."""
    from lifecycle_msgs.srv import ChangeState
    from rcl_interfaces.srv import SetParameters
    from rclpy.parameter import Parameter

    node = rclpy.create_node('test_caller', start_parameter_services=False)
    if arguments.transition:
        client = node.create_client(ChangeState, '/translator/change_state')
        request = ChangeState.Request()
        request.transition.label = arguments.transition
    else:
        client = node.create_client(SetParameters, '/translator/set_parameters')
        request = SetParameters.Request(parameters=[
            Parameter(name, value=value).to_parameter_msg()
            for name, value in json.loads(arguments.set).items()])
    if not client.wait_for_service(20):
        say(error='the node has no such service')
        return
    future = client.call_async(request)
    rclpy.spin_until_future_complete(node, future, timeout_sec=30)
    answer = future.result()
    if arguments.transition:
        say(success=answer.success)
    else:
        say(results=[[result.successful, result.reason] for result in answer.results])


def main() -> None:
    """Run one role."""
    parser = argparse.ArgumentParser()
    roles = parser.add_subparsers(dest='role', required=True)
    one = roles.add_parser('camera')
    one.add_argument('--camera', required=True)
    one.add_argument('--size', default='160x128')
    one.add_argument('--count', type=int, default=10)
    one.add_argument('--rate', type=float, default=20.0)
    one.add_argument('--encoding', default='bgr8')
    one.add_argument('--broken', default='')
    one.add_argument('--offset-ms', type=float, default=0.0)
    one.add_argument('--compressed', action='store_true')
    one.add_argument('--info', action='store_true')
    one.add_argument('--no-wait', dest='wait', action='store_false')
    two = roles.add_parser('listener')
    two.add_argument('topics', nargs='+')
    three = roles.add_parser('call')
    three.add_argument('--set', default='{}')
    three.add_argument('--transition', default='')
    arguments = parser.parse_args()
    rclpy.init()
    {'camera': camera, 'listener': listener, 'call': call}[arguments.role](arguments)


if __name__ == '__main__':
    main()
