"""One camera: its subscriptions, mailbox, outputs and counts.

A section holds the methods that the worker's thread calls; the others run in the executor's.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from rgb2swir_ros.imaging.fit import (
    CameraInfoFields,
    PixelTransform,
    follow_camera_info,
)
from rgb2swir_ros.ros import qos
from rgb2swir_ros.ros.inputs import TransportSelector, info_size
from rgb2swir_ros.ros.mailbox import Mailbox
from rgb2swir_ros.ros.messages import stamp_ns
from rgb2swir_ros.ros.outputs import Outputs
from rgb2swir_ros.ros.sequence_numbers import SequenceTracker
from rgb2swir_ros.ros.timing import Window
from rgb2swir_ros.ros.topics import Topic, camera_topics
from rgb2swir_ros.ros.transport import loss_advice
from rgb2swir_ros.sizes import SMALLEST_SIDE

KINDS = {'raw': Image, 'compressed': CompressedImage}
FUTURE_NS = 20_000_000  # tolerance for stamps in the future: offset of two hosts under PTP or NTP
WARN_EVERY_NS = 60 * 10**9


@dataclass(frozen=True)
class ReceivedImage:
    """An image message with the kind of topic that it was received on."""

    message: Any
    compressed: bool


class Camera:
    """One camera of the node."""

    def __init__(self, node: Node, name: str, transport: str, wake: Callable[[], None],
                 changed: Callable[[], None]) -> None:
        """Advertise the outputs; `update` creates the subscriptions.

        :param transport: ``auto``, ``raw`` or ``compressed``.
        :param wake: called when a frame has arrived.
        :param changed: called, from any thread, when ``update`` should be called soon.
        :raises UserError: if a QoS override is wrong; the topics are withdrawn then.
        """
        self.name = name
        self.topics = camera_topics(node, name)
        self.mailbox: Mailbox[ReceivedImage] = Mailbox()
        self.counts: Counter[str] = Counter()
        self.arrivals, self.departures, self.ages = Window(), Window(), Window()
        self.novelties = Window()  # of the translated frames, if the model can tell
        self.source_size: tuple[int, int] | None = None
        self.last_arrival_ns = 0
        self.listening_since_ns = 0
        self.lost = 0
        self.refusals: dict[str, str] = {}
        self.refusal = ''
        self.transport = 'raw' if transport == 'auto' else transport
        self._selector = TransportSelector() if transport == 'auto' else None
        self._node, self._logger = node, node.get_logger()
        self._wake, self._changed = wake, changed
        self._info: Any = None
        self._trackers = {kind: SequenceTracker() for kind in KINDS}
        self._last_frame = ('', -1)
        self._subscriptions: dict[str, Any] = {}
        self._last_loss_warning_ns: int | None = None
        self.outputs = Outputs(node, self.topics, changed)
        # Check the overrides of the inputs' QoS now, not when the first subscriber connects.
        try:
            for kind in (*(KINDS if self._selector else [self.transport]), 'info'):
                self._subscribe(kind)
                self._unsubscribe(kind)
        except BaseException:
            self.destroy()
            raise

    # -- executor's thread ------------------------------------------------------------------

    @property
    def input(self) -> Topic:
        """The topic whose frames are translated."""
        return self.topic(self.transport)

    def topic(self, kind: str) -> Topic:
        """Return an input topic; ``raw``, ``compressed`` or ``info``."""
        return {'raw': self.topics.raw, 'compressed': self.topics.compressed,
                'info': self.topics.info}[kind]

    def inputs(self) -> str:
        """Return the image topics that may be subscribed to, for the log."""
        return ' or '.join(str(self.topic(kind)) for kind in (
            KINDS if self._selector else [self.transport]))

    @property
    def subscribed(self) -> bool:
        """Whether the input topic is subscribed to."""
        return self.transport in self._subscriptions

    def update(self, *, active: bool) -> None:
        """Subscribe or unsubscribe according to the current subscribers and publishers.

        Without subscribers of an output, the input is subscribed to only until its size is known,
        so that the engine is built before the first subscriber connects.
        """
        wanted = active and (self.source_size is None or self.outputs.has_subscribers())
        kinds = {*self._choose_topics(), 'info'} if wanted else set()
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

    def _choose_topics(self) -> set[str]:
        """Return the image topics to subscribe to; may change the input topic."""
        now = time.monotonic_ns()
        if not self.subscribed:
            self.listening_since_ns = now
        if self._selector is None:
            return {self.transport}
        if not self.subscribed:
            self._selector.begin(now)
        kinds = self._selector.choose(now, raw=self.publishers('raw'),
                                    compressed=self.publishers('compressed'))
        if self._selector.current != self.transport:
            before, self.transport = self.input, self._selector.current
            self.listening_since_ns = now
            self._logger.info(f'{self.name}: reading {self.input} instead of {before}')
        return kinds

    def _subscribe(self, kind: str) -> None:
        topic = self.topic(kind)

        def receive(message: Any, about: Mapping[str, Any]) -> None:
            self._receive(kind, message, about)

        def lost(event: Any) -> None:
            if kind == self.transport:
                self.counts['lost_events'] += event.total_count_change
                self._warn_about_loss()

        def incompatible(event: Any) -> None:
            if kind in {self.transport, 'info'}:
                self.counts['incompatible_qos'] += event.total_count_change
            self._logger.warning(
                f'a publisher of {topic} offers another {qos.policy_name(event)} than is '
                f'requested, so its messages do not arrive; '
                f"{qos.advice(topic, 'subscription', event)}")

        if kind == 'info':
            self._subscriptions[kind] = qos.subscribe(
                self._node, CameraInfo, topic, self._receive_info, incompatible_qos=incompatible)
            return
        tracker = self._trackers[kind]
        tracker.restart()
        self._subscriptions[kind] = qos.subscribe(
            self._node, KINDS[kind], topic,
            qos.with_info(receive), message_lost=lost,
            incompatible_qos=incompatible, matched=lambda event: tracker.publishers_changed(
                event.total_count_change, event.current_count))

    def _unsubscribe(self, kind: str) -> None:
        if subscription := self._subscriptions.pop(kind, None):
            self._node.destroy_subscription(subscription)

    def _receive(self, kind: str, message: Any, about: Mapping[str, Any]) -> None:
        now, stamp = time.monotonic_ns(), stamp_ns(message.header)
        lost = self._trackers[kind].see(about.get('publication_sequence_number'))
        if self._selector:
            self._selector.arrived(kind, now)
            if kind == 'raw' and 'compressed' in self._subscriptions:
                self._changed()  # raw delivers: the compressed topic can be unsubscribed
        before, at = self._last_frame
        if kind != self.transport or (kind != before and stamp == at):
            # of the topic that is only watched, or received on the other topic before
            self.counts[f'unused_{kind}'] += 1
            return
        self._last_frame = kind, stamp
        self.last_arrival_ns = now
        self.arrivals.add(now, stamp)
        if stamp > self._node.get_clock().now().nanoseconds + FUTURE_NS:
            self.counts['future_stamps'] += 1
        if lost:
            self.lost += lost
            self._warn_about_loss()
        self.mailbox.put(ReceivedImage(message, kind == 'compressed'))
        self._wake()

    def _receive_info(self, info: Any) -> None:
        self._info = info
        if self.source_size is None and min(size := info_size(info)) >= SMALLEST_SIDE:
            self.learn_size(size)

    def _warn_about_loss(self) -> None:
        now = time.monotonic_ns()
        last = self._last_loss_warning_ns
        if last is None or now - last > WARN_EVERY_NS:
            self._last_loss_warning_ns = now
            self._logger.warning(f'{self.name}: the middleware loses frames of '
                                 f'{self.input}; {loss_advice()}')

    # -- the worker's thread ----------------------------------------------------------------

    def refuse(self, reason: str, text: str) -> None:
        """Record why an image was refused: the last text of each reason is kept."""
        self.refusals[reason] = self.refusal = text

    def learn_size(self, size: tuple[int, int]) -> None:
        """Record the (height, width) of the camera's images."""
        if size != self.source_size:
            self.source_size = size
            self._changed()

    def transformed_info(self, source: tuple[int, int], target: tuple[int, int],
                         transform: PixelTransform) -> CameraInfoFields | None:
        """Return the latest CameraInfo, transformed for the output image.

        :param source: (height, width) of the image received.
        :param target: (height, width) of the output image.
        :param transform: from pixels of the image received to pixels of the output image.
        :return: None, and counted, if none was received or it is for images of another size.
        """
        return follow_camera_info(self._info, source, target, transform, self.counts)
