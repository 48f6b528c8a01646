"""The translator node: its lifecycle and timers; it connects cameras, worker and engine."""

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
from rgb2swir_ros.imaging.novelty import open_novelty
from rgb2swir_ros.ros import declaration, transport
from rgb2swir_ros.ros.camera import Camera
from rgb2swir_ros.ros.diagnostics import CameraReport, engine_status
from rgb2swir_ros.ros.messages import key_values
from rgb2swir_ros.ros.parameters import Settings
from rgb2swir_ros.ros.throttled_log import ThrottledLog, one_line
from rgb2swir_ros.ros.topics import refuse_collisions
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
        self._given = list(getattr(self, '_parameter_overrides', {}))
        for text in declaration.unknown(self._given):
            self.get_logger().warning(text)
        self.failure = ''
        self.active = False
        self._throttled = ThrottledLog(self.get_logger())
        self._errors = 0
        self._last_error = ''
        self._cameras: list[Camera] = []
        self._reports: list[CameraReport] = []
        self._client: EngineClient | None = None
        self._worker: Worker | None = None
        self._engine_state = ''
        declaration.watch(
            self, configured=lambda: bool(self._cameras),
            apply=lambda settings: self._safely('apply a parameter', self._apply, settings))
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self._timing = self.create_publisher(DiagnosticArray, '~/timing', 10)
        # Steady: with use_sim_time the node's own clock stands still between /clock messages.
        self._timer = self.create_timer(
            1.0, lambda: self._safely('run the periodic checks', self._tick),
            clock=Clock(clock_type=ClockType.STEADY_TIME))
        self._update_soon = self.create_guard_condition(self._update)
        for problem in (transport.shared_memory_shortage(), transport.security_problem()):
            if problem:
                self.get_logger().warning(problem)

    # -- lifecycle --------------------------------------------------------------------------

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Read the parameters and advertise the outputs."""
        return self._all_or_nothing('configure', self._configure, self._withdraw)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start the engine process and, for outputs with subscribers, the subscriptions."""
        return self._all_or_nothing('activate', self._activate, self.halt)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribe and end the engine process, which frees its memory and the GPU."""
        self.halt()
        return SUCCESS

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Withdraw the outputs."""
        self._withdraw()
        return SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop everything."""
        self._withdraw()
        return SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop everything; the node can then be configured again."""
        self._withdraw()
        return SUCCESS

    def autostart(self) -> None:
        """Configure and activate.

        :raises UserError: if either fails, with the reason.
        """
        for trigger in (self.trigger_configure, self.trigger_activate):
            if trigger() != SUCCESS:
                raise UserError(self.failure)

    def halt(self) -> None:
        """Stop translating and end the engine process; idempotent.

        An exception in one step is logged, and the next steps still run.
        """
        self.active = False
        worker, client = self._worker, self._client
        self._worker = self._client = None
        for camera in self._cameras:
            self._safely(f'unsubscribe from {camera.name}', camera.update, active=False)
        if worker:
            self._safely('stop the worker', worker.stop, timeout_s=1.0)
        if client:
            # this also ends an inference that hangs
            self._safely('end the engine', client.close)
        if worker:
            self._safely('stop the worker', worker.stop)
        for camera in self._cameras:
            camera.mailbox.discard('dropped_idle')

    def close(self) -> None:
        """Stop everything and leave the graph; also after the context was shut down."""
        try:
            self.halt()
        finally:
            self.destroy_node()

    def _all_or_nothing(self, what: str, action: Callable[[], None],
                        undo: Callable[[], None]) -> TransitionCallbackReturn:
        # rclpy discards exceptions of transitions without a log line.
        try:
            action()
        except Exception as error:
            self.failure = one_line(error, f'cannot {what}')
            self.get_logger().error(self.failure)
            undo()
            return FAILURE
        return SUCCESS

    def _safely(self, what: str, action: Callable[..., Any], *values: Any, **more: Any) -> Any:
        """Call an action; an exception is logged and counted, and not raised.

        :return: what the action returns; None if it raised.
        """
        try:
            return action(*values, **more)
        except Exception as error:
            if self.context.ok():  # a signal ends ROS before it ends the node
                self.note_error(error, f'cannot {what}')
            return None

    def note_error(self, error: BaseException, what: str) -> None:
        """Log and count an error that is not handled elsewhere."""
        self._errors += 1
        self._last_error = one_line(error, what)
        self._throttled.error(self._last_error, self._last_error)

    def _configure(self) -> None:
        self.settings = declaration.read(self)
        for name in self.settings.cameras:
            self._cameras.append(Camera(
                self, name, self.settings.input_transport, wake=self._wake,
                changed=self._update_soon.trigger))
        refuse_collisions({camera.name: camera.topics for camera in self._cameras})
        me = self.get_fully_qualified_name()
        self._reports = [CameraReport(camera, me) for camera in self._cameras]
        declared = {f'qos_overrides.{name}'
                    for name in self.get_parameters_by_prefix('qos_overrides')}
        for text in declaration.idle_overrides(self._given, declared):
            self._throttled.warn(text, text)

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
            alive=self.context.ok, novelty=self._safely(
                'tell how novel the input is to the model', open_novelty, settings.model))
        self._worker.start()
        for camera in self._cameras:
            camera.source_size = camera.source_size or settings.source_size
        for camera in self._cameras:
            self._follow(camera, active=True)
        self.active = True
        self.get_logger().info('active: ' + ', '.join(
            f'{camera.inputs()} -> {camera.topics.swir}' for camera in self._cameras))

    def _withdraw(self) -> None:
        self.halt()
        for camera in self._cameras:
            self._safely(f'withdraw {camera.name}', camera.destroy)
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
        """Adapt subscriptions and engines to the current subscribers, publishers and sizes."""
        for camera in self._cameras:
            self._safely(f'update {camera.name}', self._follow, camera, active=self.active)

    def _follow(self, camera: Camera, *, active: bool) -> None:
        camera.update(active=active)
        if self._client and camera.source_size:
            self._client.prepare(fit_size(camera.source_size, self.settings.size))

    def _tick(self) -> None:
        self._update()
        engine = self.engine()
        self._log_engine(engine)
        self._safely('publish diagnostics', self._diagnose, engine)

    def _diagnose(self, engine: EngineStatus) -> None:
        advice = transport.loss_advice()
        array = DiagnosticArray()
        array.header.stamp = self.get_clock().now().to_msg()
        for report in self._reports:
            name = report.camera.name
            status = self._safely(f'report on {name}', report.status, self.settings, engine,
                                  advice=advice, active=self.active)
            if status is not None:
                array.status.append(status)
                for kind, text in report.warnings.items():
                    self._throttled.warn((name, kind), f'{name}: {text}')
        status = engine_status(self.settings, engine, self.get_fully_qualified_name())
        if self._errors:
            status.level = max(status.level, DiagnosticStatus.WARN)
            status.values += key_values({'node_errors': self._errors,
                                         'last_node_error': self._last_error})
        array.status.append(status)
        self._diagnostics.publish(array)

    def _log_engine(self, engine: EngineStatus) -> None:
        # While building, the detail ends with the elapsed seconds, which are not logged each time.
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
            level=DiagnosticStatus.OK, hardware_id=camera,
            name=f'{self.get_fully_qualified_name()}: timing {camera}',
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
        """Return whether the engine of `build_target` is built; None while it is being built."""
        target = self.build_target()
        if self._client and self._client.ready(target):
            self.get_logger().info(f'engine {format_size(target)} is built and cached')
            return True
        return False if self.engine().state == 'failed' else None
