"""Replay a bag in real time through the node: its SWIR bag, and the record of the run.

The bag has the form of an offline replay's: a SWIR frame lies at the record time of its source
frame. In a later round of ``--loop`` it lies later by the time that the earlier rounds took in the
bag.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rgb2swir_ros.demo.accounting import Account, balance
from rgb2swir_ros.demo.latency import summary, whole_way
from rgb2swir_ros.imaging.fit import fit_size
from rgb2swir_ros.live.conduct import LOGS, LiveConductor, LiveOptions, LiveRun
from rgb2swir_ros.live.player import camera_name
from rgb2swir_ros.ownership import clear_results, place_folder, require_free, workspace
from rgb2swir_ros.replay.bag import RAW, CameraBag, stamp_ns
from rgb2swir_ros.replay.frames import FootageError
from rgb2swir_ros.replay.message_writer import DIAGNOSTICS, TIMING
from rgb2swir_ros.replay.replay_options import ReplayOptions, input_fingerprint, versions
from rgb2swir_ros.replay.run_record import (
    BAG_FOLDER,
    RUN_FILE,
    RunRecord,
    SwirTopic,
    TopicDigest,
    write_run,
)
from rgb2swir_ros.replay.sameness import extend
from rgb2swir_ros.replay.split_bag_writer import SplitBagWriter
from rgb2swir_ros.replay.storage.recording import Recording
from rgb2swir_ros.replay.timing import read_timing
from rgb2swir_ros.ros.available import require_ros
from rgb2swir_ros.sizes import format_size

STATUS = '/diagnostics'
WHOLE = 'player_to_recorder_ms'


@dataclass(frozen=True)
class Pace:
    """How a bag is played: times its recorded pace, how often, and the rate of /clock."""

    rate: float = 1.0
    loops: int = 1
    clock_hz: float = 40.0


def replay_live(source: Path, target: Path, options: ReplayOptions, pace: Pace,
                say: Callable[[str], None], *, overwrite: bool = False) -> RunRecord:
    """Play one bag through the node and write ``target/swir``, ``run.json`` and ``logs/``.

    :raises UserError: if ROS 2 is missing, results are there already, the bag cannot be read, or
        a process fails.
    """
    require_ros()
    options_told = options.identity()
    results = [target / BAG_FOLDER, target / RUN_FILE, *(target / 'logs' / name for name in LOGS)]
    require_free(results, overwrite=overwrite)
    bag = CameraBag(source, options.topics, options.true_swir)
    run = RunRecord(str(source.absolute()), input_fingerprint(source), options_told,
                    versions=versions())
    clear_results(results, overwrite=overwrite)
    (target / 'logs').mkdir(parents=True, exist_ok=True)
    with workspace(target / BAG_FOLDER) as work:
        live = LiveConductor(_live_options(bag, options, pace), work / 'recorded',
                             target / 'logs', work, say).run()
        return _finish(run, bag, live, work, target, options, pace)


def _live_options(bag: CameraBag, options: ReplayOptions, pace: Pace) -> LiveOptions:
    chosen = options.translation
    compressed = {camera.connection.msgtype != RAW for camera in bag.cameras}
    parameters: dict[str, Any] = {
        'model': chosen.model, 'size': format_size(chosen.box), 'backend': chosen.backend,
        'precision': chosen.precision, 'threads': chosen.threads, 'gamma': chosen.gamma,
        'encoding': 'mono16' if chosen.linear16 else 'mono8',
        'input_transport': 'auto' if len(compressed) > 1 else
        'compressed' if True in compressed else 'raw'}
    words = ['--rate', str(pace.rate), '--loop', str(pace.loops), '--clock', str(pace.clock_hz),
             '--start-offset', str(options.start_offset_s)]
    if options.playback_duration_s is not None:
        words += ['--playback-duration', str(options.playback_duration_s)]
    if options.topics or options.true_swir:
        words += ['--topics', *(camera.topic for camera in bag.cameras)]
    size = _first_size(bag)
    if size is not None:
        parameters['source_size'] = format_size(size)
    return LiveOptions(
        bag.path, [camera_name(camera) for camera in bag.cameras], parameters, words,
        '' if size is None else format_size(fit_size(size, chosen.box)))


def _first_size(bag: CameraBag) -> tuple[int, int] | None:
    """Return the first usable frame's (height, width): the node prepares its engine for it."""
    from rgb2swir_ros.demo.footage import TRIES, frame_size
    from rgb2swir_ros.imaging.errors import ImageError
    with suppress(FootageError):
        for _, frame in zip(range(TRIES), bag.frames(), strict=False):
            with suppress(ImageError):
                return frame_size(frame)
    return None


def _finish(run: RunRecord, bag: CameraBag, live: LiveRun, work: Path, target: Path,
            options: ReplayOptions, pace: Pace) -> RunRecord:
    linear = options.translation.linear16
    for camera in bag.cameras:
        name = camera_name(camera)
        run.cameras.append(SwirTopic(
            camera.topic, camera.connection.msgtype, f'/{name}/swir/image_raw',
            f'/{name}/swir/camera_info' if camera.info else '',
            encoding='mono16' if linear else 'mono8',
            gamma=1.0 if linear else options.translation.gamma))
    _rewrite(run, live, work / 'recorded', work / BAG_FOLDER)
    place_folder(work / BAG_FOLDER, target / BAG_FOLDER, replace=False)
    accounts = {camera_name(camera): _account(camera_name(camera), live) for camera in bag.cameras}
    for swir, (name, account) in zip(run.cameras, accounts.items(), strict=True):
        swir.frames = account.recorded
        swir.refused = dict(account.refused)
        swir.source_size = _size_of(live.cameras.get(name, {}).get('source_size', ''))
    run.engines = {'node': dict(live.engine)}
    run.left_out = dict(bag.left_out)
    run.faults = [live.broke_off] if live.broke_off else []
    run.live = _told(live, accounts, read_timing(work / 'recorded'), pace)
    run.faults += run.live['problems']
    write_run(target, run)
    return run


def _told(live: LiveRun, accounts: Mapping[str, Account],
          timing: Mapping[str, list[float]], pace: Pace) -> dict[str, Any]:
    """Return the record's ``live``."""
    latency: dict[str, Any] = {'node': summary({
        name: values for name, values in timing.items() if name.endswith('_ms')})}
    for name in accounts:
        ways = whole_way([(stamp, at) for camera, stamp, _, at in live.sent if camera == name],
                         [(stamp, at) for stamp, at, camera in live.arrived if camera == name])
        latency[name] = summary({WHOLE: [ms for _, ms in ways]})
    return {'rate': pace.rate, 'loops': pace.loops,
            'frames': {name: dict(account.rows()) for name, account in accounts.items()},
            'latency_ms': latency,
            'problems': [f'{name}: {problem}' for name, account in accounts.items()
                         for problem in account.problems()]}


def _account(name: str, live: LiveRun) -> Account:
    return balance(live.cameras.get(name, {}),
                   [stamp for camera, stamp, *_ in live.sent if camera == name],
                   [stamp for stamp, _, camera in live.arrived if camera == name])


def _rewrite(run: RunRecord, live: LiveRun, recorded: Path, made: Path) -> None:
    """Write the recorded messages at the record times of their source frames."""
    def note(one: Any, log_ns: int, data: bytes) -> None:
        digest = run.topics.setdefault(one.topic, TopicDigest())
        if one.msgtype == DIAGNOSTICS:  # measured times differ from run to run
            digest.messages += 1
        else:
            extend(digest, one.topic, one.msgtype, log_ns, data)

    times = _times(live)
    source = Recording(recorded)
    writer = SplitBagWriter(made, BAG_FOLDER, on_message=note)
    for one in source.connections:
        writer.add(one)
        run.topics.setdefault(one.topic, TopicDigest())
    last = min((entries[0][1] for entries in times.values()), default=0)
    for message in source.messages(lambda _: True):
        topic = message.connection.topic
        if topic != STATUS:
            camera = topic.strip('/').partition('/swir/')[0] if topic != TIMING else ''
            last = _sent_before(times.get((camera, stamp_ns(message.data)), []), message.log_ns,
                                last)
        writer.write_to(message.connection, message.data, last)
    writer.write_metadata({})


def _times(live: LiveRun) -> dict[tuple[str, int], list[tuple[int, int]]]:
    """Return when frames were sent and where they lie in the bag, a round after the other.

    :return: (monotonic time, record time) by (camera, stamp); for camera '' of any camera.
    """
    logs = [log_ns for _, _, log_ns, _ in live.sent]
    if not logs:
        return {}
    frames = len({(camera, log_ns) for camera, _, log_ns, _ in live.sent})
    cameras = len({camera for camera, *_ in live.sent})
    span = max(logs) - min(logs)
    length = span + round(span / max(frames // cameras - 1, 1))  # of a round, its last period too
    seen: Counter[tuple[str, int]] = Counter()
    times: dict[tuple[str, int], list[tuple[int, int]]] = {}
    for camera, stamp, log_ns, sent_ns in live.sent:
        entry = sent_ns, log_ns + seen[camera, stamp] * length
        for key in ((camera, stamp), ('', stamp)):
            times.setdefault(key, []).append(entry)
        seen[camera, stamp] += 1
    return times


def _sent_before(entries: list[tuple[int, int]], arrived_ns: int, otherwise: int) -> int:
    """Return the record time of the last frame that was sent before something arrived."""
    return max((entry for entry in entries if entry[0] <= arrived_ns),
               default=(0, otherwise))[1]


def _size_of(text: str) -> tuple[int, int] | None:
    width, found, height = text.partition('x')
    return (int(height), int(width)) if found and width.isdigit() and height.isdigit() else None
