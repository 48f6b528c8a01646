"""A replay that is under way: what of it is whole, and what the run that goes on must know.

``OUT/NAME/unfinished/`` holds ``resume.json``, written first and anew with each part, and
``swir/``, the bag's parts. The whole bag moves to ``OUT/NAME/swir``, and the folder goes.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.marks import fingerprint, is_ours
from rgb2swir_ros.ownership import write_json
from rgb2swir_ros.replay.run_record import BAG_FOLDER, RunRecord, run_from
from rgb2swir_ros.replay.split_bag_writer import Segment

FOLDER = 'unfinished'
RESUME_FILE = 'resume.json'


@dataclass
class Progress:
    """How far a replay is.

    :param run: what the finished run will tell; its ``options`` and ``input_fingerprint`` say
        which run this is, its ``engines`` with what.
    :param items: how many items of the input are in the parts, or are counted.
    :param segments: the parts.
    :param last_frame: the SHA-256 of the payload of the last SWIR image, by which an engine that
        makes other pixels is found; '' if there is none yet.
    :param last_item: its number among the items.
    :param whole: whether nothing is left to be translated.
    :param unconverted: by topic, messages that could not be copied, and the first error.
    """

    run: RunRecord
    items: int = 0
    segments: list[Segment] = field(default_factory=list)
    last_frame: str = ''
    last_item: int = -1
    whole: bool = False
    unconverted: dict[str, tuple[int, str]] = field(default_factory=dict)


class Unfinished:
    """The folder of a replay that is under way."""

    def __init__(self, target: Path) -> None:
        """Name the folder; nothing is made.

        :param target: ``OUT/NAME``.
        """
        self.target = target
        self.folder = target / FOLDER
        self.bag = self.folder / BAG_FOLDER

    def exists(self) -> bool:
        """Return whether a run has been begun here."""
        return os.path.lexists(self.folder)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder, and keep other runs from it.

        :raises UserError: if another run writes to it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UserError(f"another run is writing to '{self.folder}': wait for its end, "
                                'or name another output') from error
            except OSError:  # a file system without locks
                pass
            yield
        finally:
            os.close(handle)

    def load(self) -> Progress | None:
        """Return how far the run is; None if nothing of it is whole.

        Parts that were not whole, or not yet in the record, are removed.

        :raises UserError: if the folder is not as this tool wrote it.
        """
        path = self.folder / RESUME_FILE
        if not os.path.lexists(path):
            self._require_ours()
            return None
        if not is_ours(path):
            raise UserError(f"'{path}' is not as this tool wrote it, so that the run cannot go "
                            f"on: move '{self.folder}' away to begin anew")
        try:
            told: dict[str, Any] = json.loads(path.read_text())
            progress = Progress(
                run_from(told['run']), int(told['items']),
                [Segment(**entry) for entry in told['segments']], told['last_frame'],
                int(told['last_item']), bool(told['whole']),
                {topic: (count, first) for topic, (count, first) in told['unconverted'].items()})
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(f"'{path}' cannot be read: {error}; move '{self.folder}' away to "
                            'begin anew') from error
        self._require_ours()
        if self.bag.exists():
            self._check(progress.segments)
            self._remove_parts(keep=[segment.file for segment in progress.segments])
        return progress

    def save(self, progress: Progress) -> None:
        """Write the record.

        :raises OutputError: if it cannot be written.
        """
        write_json(self.folder / RESUME_FILE, asdict(progress))

    def discard(self) -> None:
        """Remove the folder, if it holds nothing but what this tool wrote.

        :raises UserError: if it holds something else.
        """
        self._require_ours()
        shutil.rmtree(self.folder)

    def _require_ours(self) -> None:
        """Check that the record vouches for the folder; it is there before anything else.

        :raises UserError: naming what is not of this tool.
        """
        path = self.folder / RESUME_FILE
        known = {path, self.bag / 'metadata.yaml'} if is_ours(path) else set()
        for path in sorted(self.folder.rglob('*')):
            ours = path in known or (bool(known) and path.parent == self.bag
                                     and path.name.startswith(f'{BAG_FOLDER}_')
                                     and path.suffix in {'.mcap', '.part'})
            temporary = path.parent == self.folder and path.name.startswith('.rgb2swir')
            folder = path.is_dir() and not path.is_symlink()
            if not folder and (path.is_symlink() or not (ours or temporary)):
                raise UserError(f"'{path}' is not of this tool: move it away")

    def _remove_parts(self, keep: list[str]) -> None:
        if self.bag.is_dir():
            for path in self.bag.iterdir():
                if path.name not in keep:
                    path.unlink()

    def _check(self, segments: list[Segment]) -> None:
        for segment in segments:
            path = self.bag / segment.file
            with suppress(OSError):
                if fingerprint(path) == segment.fingerprint:
                    continue
            raise UserError(f"'{path}' is missing, or not as it was written, so that the run "
                            f"cannot go on: move '{self.folder}' away, or give --overwrite, to "
                            'begin anew')
