"""Replay one bag: every frame of its cameras to a SWIR bag, the same in every run.

A run that was interrupted goes on where it was when it is started again; a run that is done is
left as it is. See `rgb2swir_ros.replay.sameness` for what "the same" means.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.imaging.errors import ImageError
from rgb2swir_ros.marks import is_ours
from rgb2swir_ros.ownership import place_folder, require_apart
from rgb2swir_ros.replay.bag import CameraBag
from rgb2swir_ros.replay.bag_translation import PartTimes, translate_items
from rgb2swir_ros.replay.copying import Copier
from rgb2swir_ros.replay.frames import FootageError, Frame, decode
from rgb2swir_ros.replay.message_writer import TIMING
from rgb2swir_ros.replay.offline import WORTH_COMPILING, OfflineTranslator
from rgb2swir_ros.replay.replay_options import (
    ReplayOptions,
    input_fingerprint,
    versions,
    window_frames,
)
from rgb2swir_ros.replay.replay_writer import CLOCK, ReplayWriter, image_hash, with_clock
from rgb2swir_ros.replay.resume import Progress, Unfinished
from rgb2swir_ros.replay.run_record import (
    BAG_FOLDER,
    RUN_FILE,
    RunRecord,
    SwirTopic,
    read_run,
    write_run,
)
from rgb2swir_ros.replay.window import FOREVER, WHOLE, window_of


class BagReplay:
    """One run of one bag."""

    def __init__(self, source: Path, target: Path, options: ReplayOptions, *,
                 overwrite: bool = False, opener: Callable[..., Any] | None = None,
                 on_frame: Callable[[int], None] | None = None,
                 on_total: Callable[[int | None], None] | None = None,
                 log: Callable[[str], None] | None = None) -> None:
        """Prepare; nothing is read or written.

        :param target: ``OUT/NAME``, the folder of the results.
        :param overwrite: whether results of another run may be replaced.
        :param opener: as of `OfflineTranslator`.
        :param on_frame: called with the number of further frames that are done.
        :param on_total: called once with the number of frames, as far as it is known.
        :param log: called with a line on what is going on.
        """
        self.source, self.target, self.options = source, target, options
        self._overwrite, self._opener = overwrite, opener
        self._on_frame = on_frame or (lambda _: None)
        self._on_total = on_total or (lambda _: None)
        self._log = log or (lambda _: None)
        self._unfinished = Unfinished(target)

    def run(self) -> RunRecord:
        """Replay the bag, or what is left of it.

        What is wrong with the input stands in the record's ``faults``.

        :raises UserError: if the output is another run's, cannot be written, or the model or the
            engine cannot be had. An interrupt leaves whole parts.
        """
        fresh = RunRecord(str(self.source.absolute()), options=self.options.identity(),
                          versions=versions())
        try:
            require_apart([self.target], [self.source])
            fresh.input_fingerprint = input_fingerprint(self.source)
            done = self._finished(fresh)
            if done is not None:
                self._on_total(done.frames)
                self._on_frame(done.frames)
                return done
            bag = CameraBag(self.source, self.options.topics, self.options.true_swir)
            self._on_total(window_frames(bag, self.options))
        except FootageError as error:
            return self._refuse(fresh, str(error))
        with self._unfinished.locked():
            progress = self._progress(fresh, bag)
            return self._replay(bag, progress)

    # -- what is there already ----------------------------------------------------------------

    def _finished(self, fresh: RunRecord) -> RunRecord | None:
        """Return the record of this very run if it is done; clear the place of another's.

        :raises UserError: if another run's results are there and may not be replaced.
        """
        record, bag = self.target / RUN_FILE, self.target / BAG_FOLDER
        if os.path.lexists(record) and os.path.lexists(bag) and is_ours(record):
            done = read_run(self.target)
            if _same_run(done, fresh) and not self._overwrite:
                if not is_ours(bag):
                    raise UserError(f"'{bag}' is not as this tool wrote it: move it away, or name "
                                    'another output')
                return done
        for path in (record, bag):
            if not os.path.lexists(path) or (path == record and not os.path.lexists(bag)
                                             and is_ours(path)):
                continue  # the record of a run that could not read anything gives way
            if path == bag and not os.path.lexists(record) and self._unfinished.exists():
                continue  # a run that was killed before its last step
            if not self._overwrite or not is_ours(path):
                raise UserError(f"'{path}' exists, " + (
                    'of a run with other input or options: give --overwrite to replace it, or '
                    'name another output' if is_ours(path) else
                    'not as this tool wrote it: name another output, or move it away'))
        if self._overwrite:
            self._clear(record, bag)
        return None

    def _clear(self, record: Path, bag: Path) -> None:
        if self._unfinished.exists():
            self._unfinished.discard()
        if os.path.lexists(bag):
            shutil.rmtree(bag)
        record.unlink(missing_ok=True)

    def _progress(self, fresh: RunRecord, bag: CameraBag) -> Progress:
        """Return how far this run is; a new one begins at nothing.

        :raises UserError: if another run was begun here.
        """
        found = self._unfinished.load()
        if found is None:
            gamma = 1.0 if self.options.translation.linear16 else self.options.translation.gamma
            encoding = 'mono16' if self.options.translation.linear16 else 'mono8'
            fresh.cameras = [
                SwirTopic(camera.topic, camera.connection.msgtype, f'{camera.base}/image_raw',
                          f'{camera.base}/camera_info' if camera.info else '',
                          encoding=encoding, gamma=gamma) for camera in bag.cameras]
            begun = Progress(fresh)
            self._unfinished.save(begun)  # it vouches for whatever is written beside it
            return begun
        if not _same_run(found.run, fresh):
            raise UserError(
                f"'{self._unfinished.folder}' is of a run with other input or options: give those "
                'again to go on, --overwrite to begin anew, or name another output')
        found.run.attempts += 1
        return found

    def _refuse(self, run: RunRecord, why: str) -> RunRecord:
        """Write the record of an input from which nothing can be read."""
        run.faults.append(why)
        if not self._unfinished.exists() and not os.path.lexists(self.target / BAG_FOLDER):
            write_run(self.target, run)
        return run

    # -- the work ------------------------------------------------------------------------------

    def _replay(self, bag: CameraBag, progress: Progress) -> RunRecord:
        run, options = progress.run, self.options
        translator = OfflineTranslator(
            options.translation, opener=self._opener, log=self._log,
            known={_size(name): engine for name, engine in run.engines.items()})
        copier = self._copier(bag)
        writer = ReplayWriter(bag, self._unfinished, progress, translator, copier,
                              segment_frames=options.segment_frames, clock=options.clock_hz > 0,
                              on_frame=lambda: self._on_frame(1))
        if not progress.whole:
            translator.require_known()
            self._on_frame(run.frames)
            if run.frames:
                self._log(f'going on after {run.frames} frames of {self.source.name}')
            self._translate(bag, writer, translator, copier)
        return self._finish(bag, writer)

    def _translate(self, bag: CameraBag, writer: ReplayWriter, translator: OfflineTranslator,
                   copier: Copier) -> None:
        """Translate what is left; whatever ends it, what was written is whole."""
        progress, options, run = writer.progress, self.options, writer.progress.run
        first = bag.recording.start_ns()
        window = window_of(first, options.start_offset_s, options.playback_duration_s)
        run.start_ns = window.start_ns if window.start_ns > -FOREVER else first
        run.end_ns = window.end_ns if window.end_ns < FOREVER else None
        items: Iterable[Any] = bag.items(window, copier.wants if options.everything
                                         else lambda _: False)
        if options.clock_hz and run.start_ns is not None:
            items = with_clock(items, run.start_ns, options.clock_hz)
        if window == WHOLE:
            self._announce(bag, run)
        times, started = PartTimes(), time.perf_counter()
        try:
            if options.everything and not progress.segments:
                run.faults += writer.copy_extras(bag)
            # that many frames, so that the backend does not depend on the length of the bag
            translate_items(self._left(items, bag, progress, translator), translator,
                            writer.write, times, WORTH_COMPILING)
        except BaseException:
            self._take_times(run, times, translator, started)
            writer.split()
            raise
        self._take_times(run, times, translator, started)
        run.faults += [*bag.faults, *copier.faults()]
        run.left_out = {**dict(bag.left_out), **(copier.left_out if options.everything else {})}
        progress.whole = True
        writer.split()

    def _left(self, items: Iterable[Any], bag: CameraBag, progress: Progress,
              translator: OfflineTranslator) -> Iterator[Any]:
        """Yield the items that are not done, after a check that the engine is the same.

        :raises UserError: if it makes another image of the last frame that is done.
        """
        done, last, expected = progress.items, progress.last_item, progress.last_frame
        for number, item in enumerate(items):
            if number == last and isinstance(item, Frame) and number < done:
                _require_same_image(bag, translator, item, expected)
            if number >= done:
                yield item

    def _finish(self, bag: CameraBag, writer: ReplayWriter) -> RunRecord:
        """Give the bag its place, then its record, then remove what is left of the work."""
        run, target = writer.progress.run, self.target / BAG_FOLDER
        if writer.bag.segments and self._unfinished.bag.is_dir():
            custom = bag.recording.custom_data() if self.options.everything else {}
            writer.bag.write_metadata(custom)
            place_folder(self._unfinished.bag, target, replace=False)
        write_run(self.target, run)
        self._unfinished.discard()
        return run

    def _copier(self, bag: CameraBag) -> Copier:
        taken = {TIMING, *([CLOCK] if self.options.clock_hz else [])}
        for camera in bag.cameras:
            taken |= {f'{camera.base}/image_raw', f'{camera.base}/camera_info'}
        connections = bag.recording.connections if self.options.everything else []
        return Copier(connections, taken)

    def _announce(self, bag: CameraBag, run: RunRecord) -> None:
        counts = {camera.topic: camera.connection.count for camera in bag.cameras}
        for camera in run.cameras:
            camera.announced = counts.get(camera.source)

    def _take_times(self, run: RunRecord, times: PartTimes, translator: OfflineTranslator,
                    started: float) -> None:
        seconds = {**times.seconds, 'open': translator.opening_s,
                   'total': time.perf_counter() - started - translator.opening_s}
        for part, value in seconds.items():
            run.wall_s[part] = round(run.wall_s.get(part, 0.0) + value, 4)


def _require_same_image(bag: CameraBag, translator: OfflineTranslator, frame: Frame,
                        expected: str) -> None:
    try:
        found = image_hash(bag, translator, frame, decode(frame))
    except ImageError as error:
        raise UserError(f"{frame.name} of '{bag.path}' was translated and cannot be decoded now: "
                        f'{error}') from error
    if found != expected:
        raise UserError(
            f"the engine makes another image of {frame.name} of '{bag.path}' than the run which "
            'was begun: its libraries or this processor differ; go on with the same ones, or give '
            '--overwrite to begin anew')


def _same_run(found: RunRecord, fresh: RunRecord) -> bool:
    """Return whether two runs have the same input and options.

    Threads differ between a bag alone and one of many; a run goes on with those it was begun with.
    """
    return (found.options == {**fresh.options, 'threads': found.options.get('threads')}
            and found.input_fingerprint == fresh.input_fingerprint)


def _size(name: str) -> tuple[int, int]:
    width, _, height = name.partition('x')
    return int(height), int(width)
