"""``training.yaml``: how a translator was trained, and its figures, beside its weights."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.files import write_bytes
from rgb2swir_ros.lab.training.data.pairs import PairedDataset
from rgb2swir_ros.translator import model_hash

RECORD_FILE = 'training.yaml'
PACKAGE = 'rgb2swir_ros'


@dataclass(frozen=True)
class Start:
    """The model folder that a training starts from."""

    folder: Path
    stage: str

    @property
    def identity(self) -> str:
        """A hash of its weights and configuration."""
        return model_hash(self.folder)

    def entries(self) -> dict[str, Any]:
        """Return its stage and hash, and the contents of its own record if it has one."""
        about = {'folder': self.folder.resolve().name, 'stage': self.stage,
                 'sha256': self.identity}
        path = self.folder / RECORD_FILE
        if path.exists():
            try:
                about['training'] = yaml.safe_load(path.read_text())
            except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
                raise UserError(f'cannot read {path}: {error}') from error
        return about


def data_entries(pairs: list[PairedDataset], folders: list[Path]) -> list[dict[str, Any]]:
    """Return the entries about the training data; of folders the names only."""
    return [{'folder': folder.resolve().name, 'layout': dataset.layout, 'split': dataset.split,
             'pairs': len(dataset), 'scenes': len(dataset.scenes)}
            for dataset, folder in zip(pairs, folders, strict=True)]


def write_record(folder: Path, entries: dict[str, Any]) -> Path:
    """Write the record of a training, with the package's version, and return its path.

    :raises UserError: if it cannot be written.
    """
    try:
        version = metadata.version(PACKAGE)
    except metadata.PackageNotFoundError:
        version = 'not installed, run from its sources'
    text = yaml.safe_dump({**entries, 'version': version}, sort_keys=False, width=99)
    write_bytes(folder / RECORD_FILE, text.encode())
    return folder / RECORD_FILE
