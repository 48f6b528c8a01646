"""Inputs and outputs of the verbs, and a disk that is full."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2

from rgb2swir_ros.cli import main as command

from .replay import footage

START = footage.START


@contextmanager
def small_disk(size: int) -> Iterator[None]:
    """Let no file grow past so many bytes: as on a full disk, writing fails in the middle."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def run(*words: object) -> int:
    try:
        return command.main([str(word) for word in words])
    except SystemExit as stop:
        return int(stop.code or 0)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob('*') if p.is_file()}


def make_inputs(folder: Path) -> None:
    """Write inputs of every kind to a folder."""
    (folder / 'in').mkdir(parents=True)
    cv2.imwrite(str(folder / 'in/a.jpg'), footage.picture(1))
    cv2.imwrite(str(folder / 'in/b.jpg'), footage.picture(2))
    footage.write_video(folder / 'v.mp4', 3)
    make_bag(folder / 'bag')
    (folder / 'data').mkdir()
    (folder / 'data/dataset.txt').write_text('pairs')


def make_bag(path: Path, count: int = 3) -> Path:
    return footage.write_bag(path, [('/c/image_raw', footage.image(
        footage.picture(n), START + n * 10**8)) for n in range(count)])
