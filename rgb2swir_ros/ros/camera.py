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

from rgb2swir_ros.imaging.fit import (
    MIN_SIZE,
    CameraInfoFields,
    PixelTransform,
    follow_camera_info,
)
from rgb2swir_ros.ros import qos
from rgb2swir_ros.ros.inputs import TransportChoice, info_size
from rgb2swir_ros.ros.losses import SequenceTracker
from rgb2swir_ros.ros.mailbox import Mailbox
from rgb2swir_ros.ros.messages import stamp_ns
from rgb2swir_ros.ros.outputs import Outputs
from rgb2swir_ros.ros.timing import Window
from rgb2swir_ros.ros.topics import Topic, camera_topics
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
        :raises UserError: if a QoS override is wrong; nothing is left in the graph then.
        """
        self.name = name
        self.topics = camera_topics(node, name)
        self.mailbox: Mailbox[Frame] = Mailbox()
        self.counts: Counter[str] = Counter()
        self.arrivals, self.departures, self.ages = Window(), Window(), Window()
        self.source_size: tuple[int, int] | None = None
        self.last_arrival_ns = 0
        self.listening_since_ns = 0
        self.lost = 0
        self.refusals: dict[str, str] = {}
        self.refusal = ''
        self.transport = 'raw' if transport == 'auto' else transport
        self._choice = TransportChoice() if transport == 'auto' else None
        self._node, self._logger = node, node.get_logger()
        self._wake, self._changed = wake, changed
        self._info: Any = None
        self._trackers = {kind: SequenceTracker() for kind in KINDS}
        self._last_frame = ('', -1)
        self._subscriptions: dict[str, Any] = {}
        self._last_loss_warning_ns: int | None = None
        self.outputs = Outputs(node, self.topics, changed)
        # Overrides of the inputs' QoS are checked now, not when the first listener comes.
        try:
            for kind in (*(KINDS if self._choice else [self.transport]), 'info'):
                self._subscribe(kind)
                self._unsubscribe(kind)
        except BaseException:
            self.destroy()
            raise

    # -- executor's thread ------------------------------------------------------------------

    @property
    def input(self) -> Topic:
        """Return the topic that is read."""
        return self.topic(self.transport)

    def topic(self, kind: str) -> Topic:
        """Return a topic that comes in; ``raw``, ``compressed`` or ``info``."""
        return {'raw': self.topics.raw, 'compressed': self.topics.compressed,
                'info': self.topics.info}[kind]

    def inputs(self) -> str:
        """Return the topics that may be read, for the log."""
        return ' or '.join(str(self.topic(kind)) for kind in (
            KINDS if self._choice else [self.transport]))

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
        kinds = {*self._choose(), 'info'} if wanted else set()
        for kind in set(self._subscriptions) - kinds:
            self._unsubscribe(kind)
        for kind in kinds - set(self._subscriptions):
            self._subscribe(kind)
        if not active:
            self.mailbox.discard('dropped_idle')

    def publishers(self, kind: str) -> int:
        """Return how many publishers a topic has; ``raw``, ``compressed`` or ``info``."""
        return int(self._node.count_publishers(self.topic(kind).name))

    def destroy(self) -> None:
        """Withdraw every topic."""
        for kind in list(self._subscriptions):
            self._unsubscribe(kind)
        self.mailbox.discard('dropped_idle')
        self.outputs.destroy()

    def _choose(self) -> set[str]:
        """Return the image topics to listen to; the first of them may have changed."""
        now = time.monotonic_ns()
        if not self.subscribed:
            self.listening_since_ns = now
        if self._choice is None:
            return {self.transport}
        if not self.subscribed:
            self._choice.begin(now)
        kinds = self._choice.choose(now, raw=self.publishers('raw'),
                                    compressed=self.publishers('compressed'))
        if self._choice.current != self.transport:
            before, self.transport = self.input, self._choice.current
            self.listening_since_ns = now
            self._logger.info(f'{self.name}: reading {self.input} instead of {before}')
        return kinds

    def _subscribe(self, kind: str) -> None:
        topic = self.topic(kind)

        def receive(message: Any, about: dict[str, Any]) -> None:
            self._receive(kind, message, about)

        def receive_alone(message: Any) -> None:
            receive(message, {})

        def lost(event: Any) -> None:
            if kind == self.transport:
                self.counts['lost_events'] += event.total_count_change
                self._warn_of_loss()

        def incompatible(event: Any) -> None:
            if kind in {self.transport, 'info'}:
                self.counts['incompatible_qos'] += event.total_count_change
            self._logger.warning(
                f'a publisher of {topic} offers another {qos.policy_name(event)} than is asked '
                f"for, so nothing of it arrives; {qos.advice(topic, 'subscription', event)}")

        if kind == 'info':
            self._subscriptions[kind] = qos.subscribe(
                self._node, CameraInfo, topic, self._receive_info, incompatible_qos=incompatible)
            return
        tracker = self._trackers[kind]
        tracker.restart()
        self._subscriptions[kind] = qos.subscribe(
            self._node, KINDS[kind], topic,
            receive if qos.has_message_info() else receive_alone, message_lost=lost,
            incompatible_qos=incompatible, matched=lambda event: tracker.publishers_changed(
                event.total_count_change, event.current_count))

    def _unsubscribe(self, kind: str) -> None:
        if subscription := self._subscriptions.pop(kind, None):
            self._node.destroy_subscription(subscription)

    def _receive(self, kind: str, message: Any, about: dict[str, Any]) -> None:
        now, stamp = time.monotonic_ns(), stamp_ns(message.header)
        lost = self._trackers[kind].see(about.get('publication_sequence_number'))
        if self._choice:
            self._choice.arrived(kind, now)
            if kind == 'raw' and 'compressed' in self._subscriptions:
                self._changed()  # raw delivers: nothing else is needed
        before, at = self._last_frame
        if kind != self.transport or (kind != before and stamp == at):
            # It only shows that its topic delivers, or came by the other topic already.
            self.counts[f'unused_{kind}'] += 1
            return
        self._last_frame = kind, stamp
        self.last_arrival_ns = now
        self.arrivals.add(now, stamp)
        if stamp > self._node.get_clock().now().nanoseconds + FUTURE_NS:
            self.counts['future_stamps'] += 1
        if lost:
            self.lost += lost
            self._warn_of_loss()
        self.mailbox.put(Frame(message, kind == 'compressed'))
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
                                 f'{self.input}; {loss_advice()}')

    # -- the worker's thread ----------------------------------------------------------------

    def refuse(self, reason: str, text: str) -> None:
        """Take note of why an image was refused: the last text of each reason is kept."""
        self.refusals[reason] = self.refusal = text

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
        return follow_camera_info(self._info, source, target, transform, self.counts)
