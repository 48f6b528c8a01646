"""One camera: its subscriptions, mailbox, outputs and counts.

What the worker's thread uses is marked; all else runs in the executor's.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from rgb2swir_ros.imaging.errors import ImageError
from rgb2swir_ros.imaging.fit import (
    MIN_SIZE,
    CameraInfoFields,
    PixelTransform,
    transform_camera_info,
)
from rgb2swir_ros.ros import qos
from rgb2swir_ros.ros.inputs import choose_transport, info_size
from rgb2swir_ros.ros.losses import SequenceTracker
from rgb2swir_ros.ros.mailbox import Mailbox
from rgb2swir_ros.ros.messages import stamp_ns
from rgb2swir_ros.ros.outputs import Outputs
from rgb2swir_ros.ros.timing import Window
from rgb2swir_ros.ros.transport import loss_advice

KINDS = {'raw': Image, 'compressed': CompressedImage}
FUTURE_NS = 20_000_000  # a stamp may be this far ahead: clocks of two hosts under PTP or NTP
WARN_EVERY_NS = 60 * 10**9


@dataclass(frozen=True)
class Frame:
    """An image message as it came, with what only the callback knows."""

    message: Any
    compressed: bool


class Camera:
    """One camera of the node."""

    def __init__(self, node: Node, name: str, transport: str, wake: Callable[[], None],
                 changed: Callable[[], None]) -> None:
        """Advertise the outputs; nothing is subscribed to before ``update``.

        :param transport: ``auto``, ``raw`` or ``compressed``.
        :param wake: called when a frame has arrived.
        :param changed: called, from any thread, when ``update`` should be called soon.
        :raises UserError: if a QoS override is wrong.
        """
        self.name = name
        self.mailbox: Mailbox[Frame] = Mailbox()
        self.tracker = SequenceTracker()
        self.counts: Counter[str] = Counter()
        self.arrivals, self.departures, self.ages = Window(), Window(), Window()
        self.source_size: tuple[int, int] | None = None
        self.last_arrival_ns = 0
        self.listening_since_ns = 0
        self.refusal = ''
        self.transport = 'raw' if transport == 'auto' else transport
        self._auto = transport == 'auto'
        self._node, self._logger = node, node.get_logger()
        self._wake, self._changed = wake, changed
        self._info: Any = None
        self._subscriptions: dict[str, Any] = {}
        self._last_loss_warning_ns: int | None = None
        self.topics = {'raw': f'{name}/image_raw', 'compressed': f'{name}/image_raw/compressed',
                       'info': f'{name}/camera_info'}
        self.outputs = Outputs(node, name, changed)
        # Overrides of the input's QoS are checked now, not when the first listener comes.
        for kind in (KINDS if self._auto else [self.transport]):
            self._subscribe(kind)
            self._unsubscribe(kind)

    # -- executor's thread ------------------------------------------------------------------

    @property
    def subscribed(self) -> bool:
        """Return whether frames are being received."""
        return self.transport in self._subscriptions

    def update(self, *, active: bool) -> None:
        """Subscribe or unsubscribe as listeners and publishers are now.

        Without listeners the input is subscribed to only until its size is known, so that the
        engine is built before the first listener comes.
        """
        wanted = active and (self.source_size is None or self.outputs.wanted())
        if not wanted:
            for kind in list(self._subscriptions):
                self._unsubscribe(kind)
            if not active:
                self.mailbox.discard('dropped_idle')
            return
        if self._auto:
            self._choose()
        for kind in (self.transport, 'info'):
            if kind not in self._subscriptions:
                self._subscribe(kind)

    def publishers(self, kind: str) -> int:
        """Return how many publishers a topic has; ``raw``, ``compressed`` or ``info``."""
        return int(self._node.count_publishers(self.topics[kind]))

    def destroy(self) -> None:
        """Withdraw every topic."""
        self.update(active=False)
        self.outputs.destroy()

    def _choose(self) -> None:
        silent_ns = time.monotonic_ns() - max(self.last_arrival_ns, self.listening_since_ns)
        chosen = choose_transport(
            self.transport, raw=self.publishers('raw'), compressed=self.publishers('compressed'),
            silent=self.subscribed and silent_ns > 2 * 10**9)
        if chosen != self.transport:
            self._logger.info(f'{self.name}: reading {self.topics[chosen]} instead of '
                              f'{self.topics[self.transport]}')
            self._unsubscribe(self.transport)
            self.transport = chosen

    def _subscribe(self, kind: str) -> None:
        topic = self.topics[kind]
        if kind == 'info':
            self._subscriptions[kind] = qos.subscribe(
                self._node, CameraInfo, topic, self._receive_info)
            return

        def receive(message: Any, about: dict[str, Any]) -> None:
            self._receive(Frame(message, kind == 'compressed'), about)

        def receive_alone(message: Any) -> None:
            receive(message, {})

        def lost(event: Any) -> None:
            self.counts['lost_events'] += event.total_count_change
            self._warn_of_loss()

        def incompatible(event: Any) -> None:
            self.counts['incompatible_qos'] += event.total_count_change
            self._logger.warning(
                f'a publisher of {topic} offers another {qos.policy_name(event)} than is asked '
                f'for, so none of its images arrive; set qos_overrides.{topic}.subscription')

        self.tracker.restart()
        self.listening_since_ns = time.monotonic_ns()
        self._subscriptions[kind] = qos.subscribe(
            self._node, KINDS[kind], topic,
            receive if qos.has_message_info() else receive_alone, message_lost=lost,
            incompatible_qos=incompatible, matched=lambda event: self.tracker.publishers_changed(
                event.total_count_change, event.current_count))

    def _unsubscribe(self, kind: str) -> None:
        if subscription := self._subscriptions.pop(kind, None):
            self._node.destroy_subscription(subscription)

    def _receive(self, frame: Frame, about: dict[str, Any]) -> None:
        now, stamp = time.monotonic_ns(), stamp_ns(frame.message.header)
        self.last_arrival_ns = now
        self.arrivals.add(now, stamp)
        if stamp > self._node.get_clock().now().nanoseconds + FUTURE_NS:
            self.counts['future_stamps'] += 1
        if self.tracker.see(about.get('publication_sequence_number')):
            self._warn_of_loss()
        self.mailbox.put(frame)
        self._wake()

    def _receive_info(self, info: Any) -> None:
        self._info = info
        if self.source_size is None and min(size := info_size(info)) >= MIN_SIZE:
            self.learn_size(size)

    def _warn_of_loss(self) -> None:
        now = time.monotonic_ns()
        last = self._last_loss_warning_ns
        if last is None or now - last > WARN_EVERY_NS:
            self._last_loss_warning_ns = now
            self._logger.warning(f'{self.name}: the middleware loses frames of '
                                 f'{self.topics[self.transport]}; {loss_advice()}')

    # -- the worker's thread ----------------------------------------------------------------

    def learn_size(self, size: tuple[int, int]) -> None:
        """Take note of the (height, width) of the camera's images."""
        if size != self.source_size:
            self.source_size = size
            self._changed()

    def transformed_info(self, source: tuple[int, int], target: tuple[int, int],
                         transform: PixelTransform) -> CameraInfoFields | None:
        """Return the latest CameraInfo as it is for the image that goes out.

        :param source: (height, width) of the image received.
        :param target: (height, width) of the image that goes out.
        :param transform: from pixels of the one to those of the other.
        :return: None, and counted, where none has come or it is for images of another size.
        """
        info = self._info
        if info is None:
            self.counts['camera_info_missing'] += 1
            return None
        try:
            return transform_camera_info(info, source, target, transform)
        except ImageError as error:
            self.counts[error.reason] += 1
            return None
