"""The presets of the ablation's variants: those of the package with some parts switched."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any

import yaml

from rgb2swir_ros.files import write_bytes
from rgb2swir_ros.lab.ablation.rows import DIT, UNET, Task, Variant
from rgb2swir_ros.lab.training.preset import Preset, preset_of
from rgb2swir_ros.model_presets import read_sections

OF_THE_FILTER = ('filter_window', 'learned_guide', 'residual_bound')
TRAININGS = ('autoencoder', 'teacher', 'student')


class VariantPresets:
    """Writes the preset of each training's variant into one folder."""

    def __init__(self, folder: Path, bases: dict[str, str], batch_share: float = 1.0) -> None:
        """Read the presets that the variants are made from.

        :param bases: names or files of presets, by `UNET` and `DIT`. The autoencoder, model and
            training, is that of the U-Net's for all variants, so that they can share it.
        :param batch_share: of the batches of all stages.
        :raises UserError: if there is no such preset, or something in it is wrong.
        """
        self.folder = folder
        self.sections = {kind: read_sections(bases[kind])[1] for kind in (UNET, DIT)}
        preset_of(UNET, self.sections[UNET], bases[UNET])  # refuses what is wrong in it
        self.sections[UNET] = small_batches(self.sections[UNET], batch_share)
        self.base: Preset = preset_of(UNET, self.sections[UNET], bases[UNET])
        for part in TRAININGS:
            self.sections[DIT][part] = self.sections[UNET][part]
        self.sections[DIT]['model'] = {
            **self.sections[DIT]['model'],
            **{part: self.sections[UNET]['model'].get(part, {})
               for part in ('autoencoder', 'guidance')}}

    @property
    def identity(self) -> dict[str, Any]:
        """The presets' contents, JSON-serialisable."""
        return self.sections

    def write(self, task: Task) -> Path:
        """Write the preset of a training of a translator, and return its path."""
        if task.variant is None:
            raise ValueError(f'{task.name} is no training of a translator')
        path = self.folder / f'{task.name}.yaml'
        text = yaml.safe_dump(self.entries(task.variant), sort_keys=False)
        if not path.exists() or path.read_text() != text:
            write_bytes(path, text.encode())
        return path

    def entries(self, variant: Variant) -> dict[str, Any]:
        """Return the sections of a variant's preset."""
        sections = copy.deepcopy(self.sections[variant.denoiser])
        model = sections['model']
        model['name'] = variant.name
        model['autoencoder'] = {
            **(model.get('autoencoder') or {}), 'source_skips': variant.skips,
            'fine_gain': variant.gain, 'guided_filter': variant.filtered}
        if not variant.filtered:  # what loosens the filter goes with it
            model['autoencoder'] = {name: value for name, value in model['autoencoder'].items()
                                    if name not in OF_THE_FILTER}
        model['guidance'] = {**(model.get('guidance') or {}), 'learned': variant.learned}
        if not variant.lpl:
            sections['teacher']['lpl_share'] = 0.0
            sections['student']['lpl_share'] = 0.0
        return sections


def small_batches(sections: dict[str, Any], share: float) -> dict[str, Any]:
    """Return a preset's sections with a share of the batches of all stages: see `small_batch`."""
    sections = copy.deepcopy(sections)
    for part in TRAININGS:
        for stage in sections[part]['stages']:
            stage['batch'], stage['rate'] = small_batch(stage['batch'], stage['rate'], share)
    return sections


def small_batch(batch: int, rate: float, share: float) -> tuple[int, float]:
    """Return batch and learning rate of a stage with a share of its batch.

    The rate goes with the batch's root, as suits Adam (arXiv 2205.10287).

    :param share: of the batch, which is rounded and has one pair at least.
    """
    small = max(round(batch * share), 1)
    return small, rate * math.sqrt(small / batch)
