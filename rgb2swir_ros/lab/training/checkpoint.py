"""Checkpoints of a training in the safetensors format, without pickle."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.nets.weights import write_weights


def save_checkpoint(path: Path, model: dict[str, Tensor], average: dict[str, Tensor],
                    optimizers: Sequence[torch.optim.Optimizer], state: dict[str, Any]) -> None:
    """Write the weights, their moving average, the optimisers' moments and a JSON state.

    The file is written atomically.

    :raises OutputError: if it cannot be written.
    """
    tensors = {f'model.{k}': v for k, v in model.items()}
    tensors |= {f'average.{k}': v for k, v in average.items()}
    for number, optimizer in enumerate(optimizers):
        for index, entries in optimizer.state_dict()['state'].items():
            tensors |= {f'optimizer.{number}.{index}.{k}': v for k, v in entries.items()}
    write_weights({k: v.clone() for k, v in tensors.items()}, path, {'state': json.dumps(state)})


def read_checkpoint(path: Path) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
    """Return the tensors by group (``model``, ``average``, ``optimizer``) and the state."""
    groups: dict[str, dict[str, Tensor]] = {'model': {}, 'average': {}, 'optimizer': {}}
    with safe_open(path, 'pt') as file:
        for name in file.keys():  # noqa: SIM118 - not a dict: it cannot be iterated
            group, rest = name.split('.', 1)
            groups[group][rest] = file.get_tensor(name)
        return groups, json.loads(file.metadata()['state'])


def check_identity(path: Path, found: Any, wanted: dict[str, Any]) -> None:
    """Refuse the checkpoint of another training.

    :param path: of the checkpoint; ``found``: the identity in it; ``wanted``: of this training.
    :raises UserError: naming the first entry that differs, and both values.
    """
    difference = _difference(found, json.loads(json.dumps(wanted)))
    if difference is not None:
        name, there, here = difference
        raise UserError(f'{path} belongs to another training ({name}: {there!r} there, {here!r} '
                        'here): give another --work folder, or remove it')


def _difference(found: Any, wanted: Any, name: str = '') -> tuple[str, Any, Any] | None:
    """Return the first entry of nested mappings that differs: its name and both values."""
    if found == wanted:
        return None
    if not (isinstance(found, dict) and isinstance(wanted, dict)):
        return name, found, wanted
    return next(difference for key in [*wanted, *(key for key in found if key not in wanted)]
                if (difference := _difference(found.get(key), wanted.get(key),
                                              f'{name}: {key}' if name else key)))


def restore_weights(model: nn.Module, average: nn.Module,
                    groups: dict[str, dict[str, Tensor]], path: Path) -> None:
    """Load the weights of `read_checkpoint` into a model and its moving average.

    :param path: of the checkpoint, for the error message.
    :raises UserError: if they belong to another model.
    """
    try:
        model.load_state_dict(groups['model'])
        average.load_state_dict(groups['average'])
    except RuntimeError as error:
        raise UserError(f'{path} belongs to another training: give another --work folder, '
                        'or remove it') from error


def restore_optimizers(optimizers: Sequence[torch.optim.Optimizer],
                       tensors: dict[str, Tensor], path: Path) -> None:
    """Load the moments of `read_checkpoint` into optimisers.

    :param path: of the checkpoint, for the error message.
    :raises UserError: if they belong to other optimisers, as in a checkpoint of another version.
    """
    states: list[dict[int, dict[str, Tensor]]] = [{} for _ in optimizers]
    try:
        for name, tensor in tensors.items():
            number, index, key = name.split('.')
            states[int(number)].setdefault(int(index), {})[key] = tensor
    except (ValueError, IndexError) as error:
        raise UserError(f'{path} was written by another version: give another --work folder, '
                        'or remove it') from error
    for optimizer, state in zip(optimizers, states, strict=True):
        optimizer.load_state_dict({'state': state,
                                   'param_groups': optimizer.state_dict()['param_groups']})
