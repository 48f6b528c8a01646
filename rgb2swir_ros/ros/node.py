"""The translator node: lifecycle, timers, and what ties cameras, worker and engine together."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from rgb2swir_ros.engines.client import EngineClient, EngineStatus
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.imaging.fit import fit_size
from rgb2swir_ros.ros import declaration, transport
from rgb2swir_ros.ros.camera import Camera
from rgb2swir_ros.ros.diagnostics import CameraReport, engine_status
from rgb2swir_ros.ros.messages import key_values
from rgb2swir_ros.ros.parameters import Settings
from rgb2swir_ros.ros.worker import Worker
from rgb2swir_ros.sizes import format_size

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class TranslatorNode(LifecycleNode):
    """RGB camera topics in, synthetic SWIR camera topics out."""

    def __init__(self, **options: Any) -> None:
        """Declare the parameters.

        :param options: those of ``rclpy.node.Node``.
        :raises UserError: if a parameter is wrong.
        """
        super().__init__('translator', **options)
        self.settings: Settings = declaration.declare(self)
        for text in declaration.unknown(list(getattr(self, '_parameter_overrides', {}))):
            self.get_logger().warning(text)
        self.failure = ''
        self.active = False
        self._cameras: list[Camera] = []
        self._reports: list[CameraReport] = []
        self._client: EngineClient | None = None
        self._worker: Worker | None = None
        self._engine_state = ''
        declaration.watch(self, configured=lambda: bool(self._cameras), apply=self._apply)
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self._timing = self.create_publisher(DiagnosticArray, '~/timing', 10)
        # Steady: with use_sim_time the node's own clock stands still between /clock messages.
        self._timer = self.create_timer(1.0, self._tick, clock=Clock(
            clock_type=ClockType.STEADY_TIME))
        self._update_soon = self.create_guard_condition(self._update)
        if shortage := transport.shared_memory_shortage():
            self.get_logger().warning(shortage)

    # -- lifecycle --------------------------------------------------------------------------

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Read the parameters and advertise the outputs."""
        return self._guarded('configure', self._configure)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start the engine process and, where somebody listens, the subscriptions."""
        return self._guarded('activate', self._activate)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop listening and end the engine process, which frees its memory and the GPU."""
        return self._guarded('deactivate', self.halt)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Withdraw the outputs."""
        return self._guarded('clean up', self._withdraw)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop everything."""
        return self._guarded('shut down', self._withdraw)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop everything; the node can then be configured again."""
        return self._guarded('recover', self._withdraw)

    def autostart(self) -> None:
        """Configure and activate.

        :raises UserError: if either fails, with the reason.
        """
        for trigger in (self.trigger_configure, self.trigger_activate):
            if trigger() != SUCCESS:
                raise UserError(self.failure)

    def halt(self) -> None:
        """Stop translating and end the engine process; harmless if already done."""
        self.active = False
        self._update()
        if self._worker:
            self._worker.stop(timeout_s=1.0)
        if self._client:
            self._client.close()  # which ends a frame that hangs in the engine
        if self._worker:
            self._worker.stop()
        for camera in self._cameras:
            camera.mailbox.discard('dropped_idle')
        self._client = self._worker = None

    def close(self) -> None:
        """Stop everything and leave the graph; also after the context was shut down."""
        try:
            self.halt()
        finally:
            self.destroy_node()

    def _guarded(self, what: str, action: Callable[[], None]) -> TransitionCallbackReturn:
        # rclpy swallows exceptions of transitions without a word.
        try:
            action()
        except Exception as error:
            self.failure = str(error) if isinstance(error, UserError) else (
                f'cannot {what}: {type(error).__name__}: {error}')
            self.get_logger().error(self.failure)
            return FAILURE
        return SUCCESS

    def _configure(self) -> None:
        self.settings = declaration.read(self)
        try:
            for name in self.settings.cameras:
                self._cameras.append(Camera(
                    self, name, self.settings.input_transport, wake=self._wake,
                    changed=self._update_soon.trigger))
        except UserError:
            self._withdraw()
            raise
        self._reports = [CameraReport(camera) for camera in self._cameras]

    def _activate(self) -> None:
        settings = self.settings
        self._client = EngineClient(
            settings.model, backend=settings.backend, precision=settings.precision,
            device=settings.device, optimization_level=settings.optimization_level,
            threads=settings.threads, cache=settings.cache,
            infer_timeout_s=settings.infer_timeout_s, build_timeout_s=settings.build_timeout_s,
            log=self.get_logger().info)
        self._client.start()
        self._worker = Worker(
            self._cameras, self._client, settings, logger=self.get_logger(),
            now_ns=lambda: self.get_clock().now().nanoseconds, report=self._report_timing,
            alive=self.context.ok)
        self._worker.start()
        for camera in self._cameras:
            camera.source_size = camera.source_size or settings.source_size
        self.active = True
        self._update()
        self.get_logger().info('active: ' + ', '.join(
            f'{camera.topics[camera.transport]} -> {camera.outputs.image.topic_name}'
            for camera in self._cameras))

    def _withdraw(self) -> None:
        self.halt()
        for camera in self._cameras:
            camera.destroy()
        self._cameras, self._reports = [], []

    # -- while running ----------------------------------------------------------------------

    def engine(self) -> EngineStatus:
        """Return the engine's status; ``stopped`` while the node is not active."""
        if self._client is None:
            return EngineStatus(state='stopped', detail='the node is not active', restarts=0,
                                heartbeat_age_s=None, engines={})
        return self._client.status()

    def _apply(self, settings: Settings) -> None:
        self.settings = settings
        if self._worker:
            self._worker.configure(settings)

    def _wake(self) -> None:
        if self._worker:
            self._worker.wake()

    def _update(self) -> None:
        """Follow listeners, publishers and sizes as they are now."""
        for camera in self._cameras:
            camera.update(active=self.active)
            if self._client and camera.source_size:
                self._client.prepare(fit_size(camera.source_size, self.settings.size))

    def _tick(self) -> None:
        self._update()
        engine = self.engine()
        self._log_engine(engine)
        advice = transport.loss_advice()
        array = DiagnosticArray()
        array.header.stamp = self.get_clock().now().to_msg()
        array.status = [report.status(self.settings, engine, advice=advice, active=self.active)
                        for report in self._reports]
        array.status.append(engine_status(self.settings, engine))
        self._diagnostics.publish(array)

    def _log_engine(self, engine: EngineStatus) -> None:
        # While building, the detail ends with the seconds so far: no line for each of them.
        state = re.sub(r' \(\d+ s\)$', '', f'{engine.state}: {engine.detail}')
        if state == self._engine_state:
            return
        self._engine_state = state
        if engine.state == 'failed':
            self.get_logger().error(f'engine {state}')
        else:
            self.get_logger().info(f'engine {state}')

    def _report_timing(self, camera: str, header: Any, timing: dict[str, float]) -> None:
        if not self._timing.get_subscription_count():
            return
        array = DiagnosticArray()
        array.header.stamp, array.header.frame_id = header.stamp, header.frame_id
        array.status = [DiagnosticStatus(
            level=DiagnosticStatus.OK, name=f'translator: timing {camera}', hardware_id=camera,
            message=f"{timing['total_ms']:.1f} ms", values=key_values(timing))]
        self._timing.publish(array)

    # -- build_only -------------------------------------------------------------------------

    def build_target(self) -> tuple[int, int]:
        """Return the (height, width) of the engine for ``source_size``.

        :raises UserError: if ``source_size`` is empty.
        """
        if self.settings.source_size is None:
            raise UserError("parameter 'build_only' needs 'source_size'")
        return fit_size(self.settings.source_size, self.settings.size)

    def built(self) -> bool | None:
        """Return whether that engine is built: None while it is being built."""
        target = self.build_target()
        if self._client and self._client.ready(target):
            self.get_logger().info(f'engine {format_size(target)} is built and cached')
            return True
        return False if self.engine().state == 'failed' else None
