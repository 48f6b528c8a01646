"""``rgb2swir hil``: run a scenario on a bench and write the evidence."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from rgb2swir_ros.cli.shared import add_overwrite
from rgb2swir_ros.cli.signals import ended_as_by_ctrl_c
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.progress import timed_log

# Where the responders are that need the laboratory, which the bench's own room does not know
RESPONDERS = {'detector': 'rgb2swir_ros.cli.hil_detector:DetectorResponder'}

EXAMPLE = """
A scenario says what happens when: source, virtual sensor, latency, faults, thresholds. Samples lie
in config/scenarios/ of the package; docs/hil.md explains every key. The topics are published in
your ROS environment: set ROS_DOMAIN_ID to the bench's.

example:
  rgb2swir hil config/scenarios/camera_loss.yaml -o out/camera_loss

The folder gets junit.xml, report.json, report.html, the bag, the records and the logs.

exit codes:
  0  pass          every threshold, recovery and rule is kept
  1  fail          one is not
  2                wrong arguments or scenario; nothing was run
  3  inconclusive  the bench was overloaded, its observer lost frames, or a threshold had nothing
                   to measure: the run says nothing about the system under test
  4  error         the run broke off, or its clocks cannot be trusted
  130              Ctrl-C: the evidence is of what there was until then, with the verdict error
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EXAMPLE
    parser.add_argument('scenario', type=Path, help='the scenario file, or the name of a sample')
    parser.add_argument('--output', '-o', type=Path, default=None, metavar='FOLDER',
                        help='where bag, records and evidence go')
    parser.add_argument('--dry-run', action='store_true', help='print the plan and stop')
    parser.add_argument('--transport', choices=('local', 'vehicle', 'none'), default='local',
                        help='Fast DDS profile, unless your environment names one '
                             '(default %(default)s)')
    parser.add_argument('--json', action='store_true',
                        help='print one JSON object with verdict and checks, nothing else')
    add_overwrite(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the scenario, or print its plan."""
    from rgb2swir_ros.hil.plan import plan
    from rgb2swir_ros.hil.scenario import load_scenario
    scenario = load_scenario(_path(arguments.scenario))
    if arguments.dry_run:
        print(plan(scenario), end='')
        return 0
    if arguments.output is None:
        raise UserError('give --output, the folder for the evidence')
    from rgb2swir_ros.cli.hil_rendering import render
    from rgb2swir_ros.hil.conduct import require_ready, run_bench
    from rgb2swir_ros.hil.evidence import require_report, text_table, write_evidence
    from rgb2swir_ros.report.data import plain
    require_report()
    say = timed_log()
    with ended_as_by_ctrl_c():
        require_ready(arguments.output, overwrite=arguments.overwrite)
        rendered = render(scenario, arguments.output, overwrite=arguments.overwrite)
        records = run_bench(
            scenario, arguments.output, rendered=rendered, transport=arguments.transport,
            overwrite=arguments.overwrite, say=say, responders=RESPONDERS)
        result = write_evidence(scenario, records, arguments.output)
    if arguments.json:
        print(json.dumps({'verdict': result.verdict, 'exit_code': result.exit_code,
                          'frames': dict(records.run.counts()),
                          'checks': plain([asdict(check) for check in result.checks])}))
    else:
        for outcome, count in sorted(records.run.counts().items()):
            print(f'{outcome:<28} {count}')
        print(text_table(result))
        print(f"report: {arguments.output / 'report.html'}")
    if records.interrupted:
        raise KeyboardInterrupt
    return result.exit_code


def _path(given: Path) -> Path:
    """Return the scenario file: as given, or a sample of that name.

    :raises UserError: if a name is neither.
    """
    from rgb2swir_ros.resources import share_directory
    if given.exists() or given.name != str(given):
        return given
    samples = share_directory() / 'config' / 'scenarios'
    if (sample := samples / f'{given}.yaml').is_file():
        return sample
    names = ', '.join(sorted(path.stem for path in samples.glob('*.yaml')))
    raise UserError(f"there is no file '{given}' here, and no sample of that name: there are "
                    f'{names}')
