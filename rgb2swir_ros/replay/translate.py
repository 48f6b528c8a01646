"""Translate pictures, videos and bags; count what was translated, left out and failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import OutputError, UserError
from rgb2swir_ros.files import finished, write_picture
from rgb2swir_ros.imaging.errors import ImageError
from rgb2swir_ros.imaging.pages import pictures_in
from rgb2swir_ros.replay.bag import CameraBag
from rgb2swir_ros.replay.bag_translation import translate_bag
from rgb2swir_ros.replay.bag_writer import BagWriter
from rgb2swir_ros.replay.frames import FootageError, Frame, decode
from rgb2swir_ros.replay.job_list import Job, JobList
from rgb2swir_ros.replay.offline import OfflineTranslator
from rgb2swir_ros.replay.overlap import Behind, ahead
from rgb2swir_ros.replay.pictures import read_picture
from rgb2swir_ros.replay.video import VideoSource
from rgb2swir_ros.replay.video_writer import VideoWriter


@dataclass
class TranslationResult:
    """The result of a run.

    :param made: outputs of each kind that were written.
    :param frames: frames translated, pictures included.
    :param failed: (input, reason); a video or bag among them may have been written in part.
    :param topics: (bag, camera's topic, topic of its SWIR images, frames translated).
    :param left_out: (bag, image topic, why it is not translated).
    :param notes: (input, a note for the user).
    """

    made: Counter[str] = field(default_factory=Counter)
    frames: int = 0
    failed: list[tuple[Path, str]] = field(default_factory=list)
    topics: list[tuple[Path, str, str, int]] = field(default_factory=list)
    left_out: list[tuple[Path, str, str]] = field(default_factory=list)
    notes: list[tuple[Path, str]] = field(default_factory=list)


class Runner:
    """Translates a list of jobs; after an input that fails it goes on with the others."""

    def __init__(self, translator: OfflineTranslator,
                 on_frame: Callable[[str], None] | None = None,
                 topics: Sequence[str] = ()) -> None:
        """Store the translator, and the function that is called with the name of each frame.

        :param topics: the image topics of bags that are translated; by default every colour
            camera.
        """
        self._translator = translator
        self._topics = topics
        self._on_frame = on_frame or (lambda _: None)
        self._replace = False
        self.result = TranslationResult()

    def run(self, job_list: JobList) -> TranslationResult:
        """Translate everything, pictures first.

        An interrupt leaves complete files only. An output that cannot be written is counted as
        failed, and the next one is made.

        :raises UserError: if the model or the engine cannot be opened.
        """
        self._replace = job_list.overwrite
        self._pictures([job for job in job_list.jobs if job.kind == 'picture'])
        for job in job_list.jobs:
            if job.kind == 'video':
                self._video(job)
            elif job.kind == 'bag':
                self._bag(job)
        return self.result

    def _pictures(self, jobs: list[Job]) -> None:
        def read() -> Iterator[tuple[Job, NDArray[np.uint8] | FootageError]]:
            for job in jobs:
                try:
                    yield job, self._translator.fit(read_picture(job.source))
                except FootageError as error:
                    yield job, error

        with Behind() as writer:
            for job, rgb in ahead(read()):
                if isinstance(rgb, FootageError):
                    self._fail(job, rgb)
                else:
                    swir = self._translator.radiance(rgb, len(jobs))
                    writer.put(self._write_picture, job, swir)
                self._on_frame(job.source.name)

    def _write_picture(self, job: Job, radiance: NDArray[np.float32]) -> None:
        try:
            write_picture(job.target, self._translator.pixels(radiance), replace=self._replace)
        except OutputError as error:
            self._fail(job, error)
            return
        self.result.made['picture'] += 1
        self.result.frames += 1
        if (number := pictures_in(job.source)) > 1:
            self.result.notes.append((job.source, f'only the first of its {number} pictures was '
                                      'translated'))

    def _video(self, job: Job) -> None:
        """Translate a video; one that ends early is kept up to there, and counts as failed."""
        try:
            source = VideoSource(job.source)
        except FootageError as error:
            self._fail(job, error)
            return
        broken: list[FootageError] = []

        def read() -> Iterator[tuple[Frame, NDArray[np.uint8]]]:
            try:
                for frame in source.frames():
                    yield frame, self._translator.fit(decode(frame))
            except FootageError as error:
                broken.append(error)

        before = self.result.frames
        try:
            with finished(job.target, replace=self._replace) as temporary:
                with VideoWriter(temporary, source.rate_hz) as writer, Behind() as behind:
                    for frame, rgb in ahead(read()):
                        swir = self._translator.radiance(rgb, source.count or 1)
                        behind.put(self._write_frame, writer, swir, frame.stamp_ns)
                        self._on_frame(job.source.name)
                if not writer.frames:
                    raise _Nothing
            self.result.made['video'] += 1
        except _Nothing:
            pass
        except OutputError as error:
            self.result.frames = before
            self._fail(job, error)
            return
        self.result.notes += [(job.source, note) for note in source.notes]
        if broken:
            kept = self.result.frames - before
            self._fail(job, broken[0], f'; {kept} frames were written' if kept else '')

    def _write_frame(self, writer: VideoWriter, radiance: NDArray[np.float32],
                     stamp: int) -> None:
        writer.write(self._translator.pixels(radiance, stamp, sixteen=False), stamp)
        self.result.frames += 1

    def _bag(self, job: Job) -> None:
        """Translate a bag's cameras to a SWIR bag, and note what is left out."""
        bag = CameraBag(job.source, self._topics)
        try:
            done = translate_bag(
                bag, lambda: BagWriter(job.target, replace=self._replace), self._translator,
                lambda: self._on_frame(job.source.name))
        except OutputError as error:
            self._fail(job, error)
            return
        self.result.frames += done.frames.total()
        self.result.made['bag'] += bool(done.frames)
        self.result.topics += [(job.source, topic, made, done.frames[topic])
                                for topic, made in done.outputs.items()]
        self.result.left_out += [(job.source, topic, why) for topic, why in bag.left_out]
        self.result.notes += [(job.source, note) for note in done.notes()]
        for failure in done.failures():
            self.result.failed.append((job.source, failure))

    def _fail(self, job: Job, error: UserError | ImageError, more: str = '') -> None:
        self.result.failed.append((job.source, f'{error}{more}'))


class _Nothing(Exception):
    """No frame could be read, so no video is made."""
