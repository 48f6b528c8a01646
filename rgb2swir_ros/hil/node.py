"""The node of the bench: it runs one scenario and leaves its record."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import yaml
from rcl_interfaces.msg import ParameterDescriptor, SetParametersResult
from rclpy.clock import Clock, ClockType
from rclpy.exceptions import InvalidParameterTypeException
from rclpy.node import Node
from rclpy.parameter import Parameter
from std_srvs.srv import Trigger

from rgb2swir_ros.checked import Place
from rgb2swir_ros.engines.client import EngineClient
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.hil.clocks import clock_problem
from rgb2swir_ros.hil.fault_entries import LONGEST_S, nanoseconds, parse_faults
from rgb2swir_ros.hil.injection import Injector
from rgb2swir_ros.hil.ledger import Ledger
from rgb2swir_ros.hil.node_parameters import PARAMETERS
from rgb2swir_ros.hil.node_parameters import Parameter as ParameterRow
from rgb2swir_ros.hil.opening import open_footage
from rgb2swir_ros.hil.outputs import CameraOutputs
from rgb2swir_ros.hil.parts import Parts, summary_of_engine
from rgb2swir_ros.hil.pipeline import Pipeline
from rgb2swir_ros.hil.reporting import Reporting
from rgb2swir_ros.hil.result import HilRun
from rgb2swir_ros.hil.scenario import Scenario, load_scenario
from rgb2swir_ros.hil.watchdog import Watchdog
from rgb2swir_ros.imaging.sensor import VirtualSensor
from rgb2swir_ros.sizes import format_size
from rgb2swir_ros.strict_yaml import StrictLoader

BUILD_S = 1800.0
STEPPED_HANG_S = 60.0  # simulated time waits for an engine on a busy machine


class HilNode(Node):
    """Publishes ``CAMERA/swir/image_raw`` and ``camera_info`` as the scenario says."""

    def __init__(self, **options: Any) -> None:
        """Read the scenario and advertise the topics.

        :param options: those of ``rclpy.node.Node``.
        :raises UserError: if a parameter or the scenario is wrong.
        """
        super().__init__('hil', **options)
        given = {row.name: self._declared(row) for row in PARAMETERS}
        if not given['scenario']:
            raise UserError("parameter 'scenario' is empty: give the scenario file")
        self.scenario: Scenario = load_scenario(Path(given['scenario']))
        if problem := clock_problem(self.scenario.pacing.clock_name):
            raise UserError(problem)
        self.record_path = Path(given['record']) if given['record'] else None
        self.wanted_subscribers = int(given['subscribers'])
        self.reports = Reporting(self, simulated=self.scenario.stepped)
        self.parts = self._parts(given)
        self.reports.parts = self.parts
        self.add_on_set_parameters_callback(self._on_parameters)
        self.create_service(Trigger, '~/clear_faults', self._clear)
        self.create_timer(1.0, self.reports.diagnose,
                          clock=Clock(clock_type=ClockType.STEADY_TIME))

    def time_ns(self) -> int:
        """Return the time since the first frame; negative before it."""
        if self.scenario.stepped or not self.parts.zero_ns:
            return 0
        return time.monotonic_ns() - self.parts.zero_ns

    def topics(self) -> list[str]:
        """Return the topics that nobody else may publish, resolved."""
        return [name for outputs in self.parts.outputs.values() for name in (
            outputs.topic, outputs.info_topic)] + self.reports.topics

    def result(self) -> HilRun:
        """Return the record of the run."""
        scenario, parts = self.scenario, self.parts
        pacing = scenario.pacing
        size = scenario.sensor.output_size
        sensor = {**asdict(scenario.sensor),
                  'output_size': format_size(size) if size else 'as translated'}
        return HilRun(
            scenario=scenario.name, seed=scenario.seed, clock=pacing.clock,
            clock_name=pacing.clock_name, t0_ns=parts.t0_ns, monotonic_t0_ns=parts.zero_ns,
            latency_ns=pacing.latency_ns, period_ns=pacing.period_ns,
            tolerance_ns=round(pacing.tolerance_ms * 1e6), duration_ns=scenario.duration_ns,
            frames=parts.ledger.records(), faults=parts.injector.records(scenario.duration_ns),
            incidents=parts.watchdog.incidents(), events=dict(self.reports.events),
            clock_errors=parts.clock_errors, overload=parts.overload,
            engine=summary_of_engine(parts.client, parts.timings), sensor=sensor,
            error='; '.join(parts.errors), realtime=parts.realtime,
            topics={camera: outputs.topic for camera, outputs in parts.outputs.items()})

    def close(self) -> None:
        """End the engine and leave the graph."""
        self.parts.ending.set()
        self.parts.client.close()
        self.destroy_node()

    def _declared(self, row: ParameterRow) -> Any:
        """Declare a parameter and return its value."""
        try:
            return self.declare_parameter(row.name, row.default, ParameterDescriptor(
                description=row.description, read_only=row.fixed)).value
        except InvalidParameterTypeException as error:
            raise UserError(f"parameter '{row.name}': {error}") from None

    def _parts(self, given: dict[str, Any]) -> Parts:
        scenario, translator = self.scenario, self.scenario.translator
        pacing = scenario.pacing
        injector = Injector(scenario.faults, scenario.seed, pacing.period_ns)
        ledger = Ledger()
        footage, failover = open_footage(scenario, given['rendered'])
        client = EngineClient(
            translator.model, backend=translator.backend, precision=translator.precision,
            device=translator.device, threads=translator.threads, cache=given['cache'] or None,
            infer_timeout_s=(STEPPED_HANG_S if scenario.stepped
                             else scenario.watchdog.hang_ms / 1e3), log=self.get_logger().info)
        return Parts(
            scenario=scenario, client=client, injector=injector, ledger=ledger,
            pipeline=Pipeline(injector, VirtualSensor(scenario.sensor), ledger),
            watchdog=Watchdog(scenario.cameras, round(
                scenario.watchdog.silence_periods * pacing.period_ns), self.reports.incident),
            outputs={camera: CameraOutputs(self, camera, pacing, scenario.sensor.encoding,
                                           self.reports.events) for camera in scenario.cameras},
            footage=footage, failover=failover, reports=self.reports)

    # -- faults at run time -----------------------------------------------------------------

    def _on_parameters(self, changed: Sequence[Parameter]) -> SetParametersResult:
        for parameter in changed:
            if parameter.name == 'inject':
                try:
                    self._inject(str(parameter.value))
                except UserError as error:
                    return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _inject(self, text: str) -> None:
        if not text.strip():
            self._report_ended(self.parts.injector.end(self.time_ns(), origins=['parameter']))
            return
        if self.scenario.stepped:
            raise UserError("parameter 'inject': a stepped run has no present time: put the fault "
                            'into the scenario')
        try:
            items = yaml.load(text, StrictLoader)
        except yaml.YAMLError as error:
            raise UserError("parameter 'inject' is no valid YAML: " + ' '.join(
                str(getattr(error, 'problem', None) or error).split())) from None
        faults = parse_faults(
            items, Place("parameter 'inject'", keys=('faults',)), cameras=self.scenario.cameras,
            start_ns=0, end_ns=nanoseconds(LONGEST_S))
        now = max(self.time_ns(), 0)  # after the check, which takes longer than a frame
        names = self.parts.injector.add(
            [replace(fault, start_ns=now + fault.start_ns, end_ns=now + fault.end_ns)
             for fault in faults], 'parameter')
        self.reports.log(f"begun at run time: {', '.join(names)}")

    def _clear(self, request: Any, response: Any) -> Any:
        """End every fault that is active."""
        ended = self.parts.injector.end(self.time_ns())
        self._report_ended(ended)
        response.success, response.message = True, ', '.join(ended) or 'no fault was active'
        return response

    def _report_ended(self, names: list[str]) -> None:
        self.reports.log(f"ended at run time: {', '.join(names) or 'none'}")
