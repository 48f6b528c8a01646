"""The models of benchmarks: the bundled models, and the presets without a trained model."""

from __future__ import annotations

from pathlib import Path

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.model_files import read_entries
from rgb2swir_ros.model_presets import preset_names, read_model
from rgb2swir_ros.resources import model_directory, share_directory
from rgb2swir_ros.translator import KINDS, SwirModel, Translator, load_model


def known_models() -> list[str]:
    """Return the names of all models and presets, each once."""
    return sorted({folder.name for folder in shipped_models()}
                  | set(preset_names()))


def shipped_models() -> list[Path]:
    """Return the folders of the bundled models that translate; the detector is none."""
    files = sorted((share_directory() / 'models').glob('*/model.yaml'))
    return [file.parent for file in files
            if read_entries(file).get('kind', Translator.kind) in KINDS]


def measurable_model(name: str) -> tuple[SwirModel, bool]:
    """Return a model to be measured; that of a preset has untrained weights.

    :param name: a model's name or folder, or a training preset's name.
    :return: the model in float32, and whether it is trained.
    :raises UserError: if there is no model and no preset of that name.
    """
    try:
        folder: Path | None = model_directory(name)
    except UserError as error:
        if name not in known_models():
            raise UserError(f'{error}; presets are {", ".join(preset_names())}') from error
        folder = None
    if folder is None:
        return Translator(read_model(name)).eval(), False
    return load_model(folder, unfinished=True), True
