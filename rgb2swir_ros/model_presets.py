"""Presets of translators: YAML files with the configuration of a network and of its training.

This module reads the network's configuration, which benchmarks need as well;
`rgb2swir_ros.lab.training.preset` reads that of the training.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rgb2swir_ros.checked import known_entries
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.model_config import TranslatorConfig, translator_config
from rgb2swir_ros.strict_yaml import read_strict_yaml

PRESETS = Path(__file__).parent / 'presets'
SECTIONS = ('model', 'autoencoder', 'teacher', 'student')


def preset_names() -> list[str]:
    """Return the names of the bundled presets."""
    return sorted(file.stem for file in PRESETS.glob('*.yaml'))


def read_model(preset: str) -> TranslatorConfig:
    """Return the configuration of a preset's network; ``preset`` as for `read_sections`."""
    path, sections = read_sections(preset)
    return preset_model(sections['model'], f'{path}: model')


def read_sections(preset: str) -> tuple[Path, dict[str, Any]]:
    """Read the sections of a preset.

    :param preset: the name of a bundled preset, or a path that ends in ``.yaml``.
    :return: the file, and its sections merged with those of the preset that it is ``like``.
    :raises UserError: if there is no such preset, or a section is missing or unknown.
    """
    path = Path(preset)
    if path.suffix != '.yaml':
        path = _bundled(preset, otherwise=', or a file that ends in .yaml')
    sections = _entries(path)
    for section in SECTIONS:
        if section not in sections:
            raise UserError(f"{path}: has no '{section}'")
    return path, sections


def _bundled(name: Any, where: str = '', otherwise: str = '') -> Path:
    known = preset_names()
    if name not in known:
        raise UserError(f"{where}no preset '{name}': give one of {', '.join(known)}{otherwise}")
    return PRESETS / f'{name}.yaml'


def _entries(path: Path) -> dict[str, Any]:
    """Return a file's sections, merged over those of the preset that it is ``like``.

    An entry of a section replaces the other preset's entry as a whole: stages are not merged.

    :raises UserError: for an unknown key, and if the other preset has a ``like`` as well.
    """
    own = known_entries(read_strict_yaml(path, 'the preset'), str(path), ('like', *SECTIONS))
    if 'like' not in own:
        return own
    other = known_entries(read_strict_yaml(_bundled(own.pop('like'), f'{path}: like: '),
                                           'the preset'), f'{path}: like', SECTIONS)
    return other | {section: other[section] | entries if isinstance(entries, dict) else entries
                    for section, entries in own.items()}


def preset_model(entries: Any, where: str) -> TranslatorConfig:
    """Return the configuration in a preset's section ``model``.

    :param where: names the section in errors.
    :raises UserError: naming the entry.
    """
    if not isinstance(entries, dict):
        raise UserError(f'{where} must be a mapping, not {entries!r}')
    for key in ('stage', 'steps'):
        if key in entries:
            raise UserError(f"{where}: {key} {entries[key]!r} cannot be preset: it follows from "
                            "what is trained ('rgb2swir train student --steps')")
    return translator_config(entries, where)
