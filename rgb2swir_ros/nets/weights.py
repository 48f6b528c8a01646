"""Weights as safetensors files: read with checks, written atomically."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from rgb2swir_ros.errors import OutputError, UserError
from rgb2swir_ros.ownership import finished


def write_weights(tensors: dict[str, Tensor], path: Path,
                  metadata: dict[str, str] | None = None) -> None:
    """Write tensors to a file that every user may read.

    :param path: appears when the file is complete; a file that this tool wrote is replaced.
    :param metadata: texts for the file's header.
    :raises OutputError: if it cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    with finished(path) as part:
        try:
            save_file({name: tensor.detach().contiguous() for name, tensor in tensors.items()},
                      part, metadata)
        except SafetensorError as error:  # raised on a full disk, for example
            raise OutputError(path, error) from error
        part.chmod(0o644)  # the library creates it with mode 0600


def load_weights(module: nn.Module, path: Path, configuration: str) -> None:
    """Load a module's weights.

    :param configuration: name of the file that the module was built from, for the error's text.
    :raises UserError: if the file is missing or damaged, its tensors are not the module's, or a
        value is not finite.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = load_file(path)
    except OSError as error:
        raise UserError(f'cannot read the weights {path}: {error}') from error
    except (SafetensorError, ValueError) as error:
        raise UserError(f'{path} is damaged or no safetensors file ({error}); '
                        'fetch it again') from error
    expected = module.state_dict()
    wrong = sorted({*expected} ^ {*tensors}) or sorted(
        k for k in expected if expected[k].shape != tensors[k].shape)
    if wrong:
        raise UserError(f'{path} does not fit its {configuration}: {len(wrong)} tensors differ, '
                        f'{wrong[0]} first; both files must come from the same training')
    bad = [k for k, v in tensors.items() if not torch.isfinite(v).all()]
    if bad:
        raise UserError(f'{path} holds values that are not finite, in {bad[0]}; fetch it again')
    module.load_state_dict(tensors)
