"""Operations and memory traffic of a network, layer by layer.

The layers that multiply matrices are counted: convolutions, linear layers, attention. Each reads
its inputs and weights and writes its output once, in its own data type. The operations between
them (activations, additions, shuffles, padding) are taken to be fused, as compilers do; where a
compiler does not, the count is too low.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from rgb2swir_ros.translator import SwirModel


@dataclass(frozen=True)
class LayerWork:
    """One layer's work for one call.

    :param operations: two for each multiply-add.
    :param bytes: read and written.
    """

    operations: int
    bytes: int


def count_layers(model: SwirModel, size: tuple[int, int], batch: int = 1,
                 dtype: torch.dtype = torch.float16) -> list[LayerWork]:
    """Return the work of each layer of a model's core; nothing is computed.

    :param model: cast to ``dtype`` (its head stays float32) and emptied: it cannot be used
        afterwards.
    :param size: (height, width).
    """
    empty = model.set_precision(dtype).to('meta')
    rgb = torch.zeros(batch, 3, *size, dtype=dtype, device='meta')
    layers: list[LayerWork] = []
    with torch.no_grad(), _Attention(layers), _Layers(layers):
        empty.core(rgb)
    return layers


def used_parameters(model: SwirModel) -> int:
    """Return the number of parameters that an inference reads; the encoder is for training."""
    parts: Iterable[tuple[str, nn.Module]] = model.named_children()
    return sum(p.numel() for name, part in parts if name != 'encoder' for p in part.parameters())


class _Layers(TorchDispatchMode):
    """Records each operator that PyTorch's counter of operations knows."""

    def __init__(self, layers: list[LayerWork]) -> None:
        super().__init__()
        self._layers = layers

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (),
                           kwargs: Any = None) -> Any:
        out = function(*args, **(kwargs or {}))
        if count := flop_registry.get(function._overloadpacket):
            self._layers.append(LayerWork(
                int(count(*args, **(kwargs or {}), out_val=out)), _bytes([*args, out])))
        return out


class _Attention(TorchFunctionMode):
    """Records attention as one layer: fused, its score matrix never reaches memory."""

    def __init__(self, layers: list[LayerWork]) -> None:
        super().__init__()
        self._layers = layers

    def __torch_function__(self, function: Callable[..., Any], types: Any, args: Any = (),
                           kwargs: Any = None) -> Any:
        if function is not F.scaled_dot_product_attention:
            return function(*args, **(kwargs or {}))
        known = len(self._layers)
        out = function(*args, **(kwargs or {}))
        del self._layers[known:]  # the products that it was decomposed into
        query, key, value = args[:3]
        products = 2 * query.numel() * key.shape[-2] + 2 * out.numel() * value.shape[-2]
        self._layers.append(LayerWork(products, _bytes([*args, out])))
        return out


def _bytes(values: Iterable[Any]) -> int:
    return sum(v.numel() * v.element_size() for v in values if isinstance(v, Tensor))
