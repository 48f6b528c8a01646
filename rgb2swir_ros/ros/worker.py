"""The thread that translates: one frame at a time, round-robin over the cameras."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rgb2swir_ros.engines.client import (
    EngineClient,
    EngineCrashed,
    EngineHung,
    EngineNotReady,
)
from rgb2swir_ros.imaging import compressed, raw
from rgb2swir_ros.imaging.errors import ImageError
from rgb2swir_ros.imaging.fit import PixelTransform, fit_size
from rgb2swir_ros.imaging.resize import resize
from rgb2swir_ros.imaging.sensor import VirtualSensor
from rgb2swir_ros.ros.camera import Camera, ReceivedImage
from rgb2swir_ros.ros.messages import stamp_ns
from rgb2swir_ros.ros.parameters import Settings
from rgb2swir_ros.ros.timing import Stopwatch
from rgb2swir_ros.sizes import format_size


class Worker:
    """Takes frames from the mailboxes and publishes their translations."""

    def __init__(self, cameras: Sequence[Camera], client: EngineClient, settings: Settings, *,
                 now_ns: Callable[[], int], logger: Any,
                 report: Callable[[str, Any, dict[str, float]], None],
                 alive: Callable[[], bool] = lambda: True,
                 novelty: Callable[[np.ndarray], float] | None = None) -> None:
        """Create the thread; `start` starts it.

        :param now_ns: the node's clock, which may be simulated.
        :param report: called for each translated frame with the camera, the header and the timing.
        :param alive: whether ROS can still publish: a signal shuts it down before the node ends.
        :param novelty: how far a frame, uint8 (H, W, 3), is from what the model knows, as
            `rgb2swir_ros.imaging.novelty.Novelty`; None if the model cannot tell.
        """
        self._alive, self._novelty = alive, novelty
        self._cameras = list(cameras)
        self._client = client
        self._now_ns, self._logger, self._report = now_ns, logger, report
        self._wake = threading.Event()
        self._stopping = False
        self._turn = 0
        self._thread = threading.Thread(target=self._run, name='translate', daemon=True)
        self.configure(settings)

    def configure(self, settings: Settings) -> None:
        """Set settings that may change while running; they apply from the next frame on."""
        self._sensor = VirtualSensor(settings.sensor), settings

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wake(self) -> None:
        """Signal that a frame has arrived."""
        self._wake.set()

    def stop(self, timeout_s: float | None = None) -> None:
        """Stop the thread after its current frame, and wait for it.

        :param timeout_s: limit of the wait; a hung engine keeps a frame for ``infer_timeout_s``.
        """
        self._stopping = True
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait()
            self._wake.clear()
            try:
                while not self._stopping and self._serve_next():
                    pass
            except Exception as error:  # the thread must run as long as the node is active
                self._logger.error(f'the worker failed: {type(error).__name__}: {error}',
                                   throttle_duration_sec=5.0)
                time.sleep(0.01)  # limits the rate of repeated errors
                self._wake.set()

    def _serve_next(self) -> bool:
        """Translate a frame of the next camera that has one; return whether there was one."""
        count = len(self._cameras)
        for offset in range(count):
            index = (self._turn + offset) % count
            frame = self._cameras[index].mailbox.take()
            if frame is not None:
                self._turn = index + 1
                outcome = 'dropped_error'
                try:
                    outcome = self._outcome(self._cameras[index], frame)
                finally:
                    self._cameras[index].mailbox.finish(outcome)
                return True
        return False

    def _outcome(self, camera: Camera, frame: ReceivedImage) -> str:
        try:
            return self._translate(camera, frame)
        except ImageError as error:
            camera.refuse(error.reason, str(error))
            return f'refused_{error.reason}'
        except EngineNotReady:
            return 'dropped_engine_not_ready'
        except (EngineCrashed, EngineHung) as error:
            if not self._stopping:
                self._logger.error(f'{camera.name}: {error}', throttle_duration_sec=5.0)
            return 'dropped_engine_failed'
        except Exception as error:  # a frame must never end the node
            if not self._alive():
                return 'dropped_shutdown'
            if not self._stopping:
                camera.refusal = f'{type(error).__name__}: {error}'
                self._logger.error(f'{camera.name}: a frame failed: {camera.refusal}',
                                   throttle_duration_sec=5.0)
            return 'dropped_error'

    def _translate(self, camera: Camera, frame: ReceivedImage) -> str:
        sensor, settings = self._sensor
        message, watch = frame.message, Stopwatch()
        stamp = stamp_ns(message.header)
        if 0 < settings.max_age_ms < (self._now_ns() - stamp) / 1e6:
            return 'dropped_late'
        if not camera.outputs.has_subscribers() and camera.source_size:
            return 'dropped_idle'
        picture = compressed.parse(message.data) if frame.compressed else None
        source = _size(message, picture)
        target = fit_size(source, settings.size)
        ready = self._client.ready(target)
        # Decode even while there is no engine: a malformed message must not cause an engine to be
        # built for a size that no camera has.
        rgb = _pixels(message, picture, target, watch)
        camera.learn_size(source)
        if not camera.outputs.has_subscribers():
            return 'dropped_idle'
        if not ready:
            self._client.prepare(target)
            if failure := self._client.why_failed(target):
                self._logger.error(f'{camera.name}: the engine for {format_size(target)} failed: '
                                   f'{failure}', throttle_duration_sec=60.0)
                return 'dropped_engine_failed'
            return 'dropped_engine_not_ready'
        inference = self._client.infer(rgb)
        watch.stages['transfer_ms'] = inference.transfer_ms
        watch.stages['inference_ms'] = inference.inference_ms
        with watch.stage('sensor_ms'):
            swir = sensor(inference.radiance, camera.name, stamp)
        with watch.stage('publish_ms'):
            transform = PixelTransform.resize(source, target).then(sensor.transform(target))
            info = camera.transformed_info(source, swir.shape, transform)
            camera.outputs.publish(message.header, swir, sensor.settings.encoding, info)
        age_ms = (self._now_ns() - stamp) / 1e6
        timing = watch.report(age_ms)
        now = time.monotonic_ns()
        camera.departures.add(now, stamp, timing['total_ms'])
        camera.ages.add(now, stamp, age_ms)
        if self._novelty is not None:  # after the frame has left: it adds nothing to its age
            timing['input_novelty'] = self._novelty(rgb)
            camera.novelties.add(now, stamp, timing['input_novelty'])
        self._report(camera.name, message.header, timing)
        return 'translated'


def _size(message: Any, picture: compressed.Picture | None) -> tuple[int, int]:
    """Return the (height, width) in an image's fields or header.

    :raises ImageError: if it has no pixels.
    """
    if picture:
        return picture.header.height, picture.header.width
    if min(message.height, message.width) <= 0:
        raise ImageError('zero_size', f'the image is {message.width}x{message.height}: no pixels')
    return message.height, message.width


def _pixels(message: Any, picture: compressed.Picture | None, target: tuple[int, int],
            watch: Stopwatch) -> np.ndarray:
    """Return uint8 (H, W, 3) RGB of the engine's size."""
    if picture:
        with watch.stage('decode_ms'):
            rgb = compressed.to_rgb(picture, message.format)
        with watch.stage('preprocess_ms'):
            return resize(rgb, target)
    # Raw pixels need no decoding, and are resized before their colours are converted.
    with watch.stage('preprocess_ms'):
        return raw.to_rgb(message, target)
