"""What each row translates with, and what that costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from rgb2swir_ros.lab.ablation.rows import GREY, LOOKUP, TREES, Row
from rgb2swir_ros.lab.evaluation.models import Candidate, Translate, open_candidate
from rgb2swir_ros.lab.training.data.pairs import open_training
from rgb2swir_ros.lab.training.trees import BoostedTrees
from rgb2swir_ros.lab.training.validation import Dataset, fit_lookup
from rgb2swir_ros.translator import Translator, load_model


def open_row(row: Row, model: Path | None, data: Sequence[Path]) -> Candidate:
    """Return what a row translates with, named after it.

    :param model: folder of its last training's model; None for a row without one.
    :param data: folders of training pairs, to which the look-up and the trees are fitted.
    :raises UserError: if the model cannot be read, or scikit-learn is missing for the trees.
    """
    if model is None:
        if row.name == GREY:
            return open_candidate(GREY)
        pairs = open_training(data)[0][-1]
        fit: dict[str, Callable[[Dataset, int], Translate]] = {
            LOOKUP: fit_lookup, TREES: BoostedTrees}
        return Candidate(row.name, 0, fit[row.name](pairs, row.seed))
    candidate = open_candidate(str(model.resolve()), steps=row.steps)
    candidate.name = row.name
    return candidate


def gigaflop(row: Row, model: Path | None, size: tuple[int, int]) -> float | None:
    """Return the operations of a frame in 10^9, two for a multiply-add; None without a network.

    :param size: (height, width).
    """
    if model is None:
        return None
    network = load_model(model, unfinished=True).to('meta')
    rgb = torch.zeros(1, 3, *size, device='meta')
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        if row.teacher and isinstance(network, Translator):
            latent = network.teacher_latent(rgb, row.steps, torch.Generator())
            network.decode(latent, rgb)
        else:
            network.core(rgb)
    return counter.get_total_flops() / 1e9
