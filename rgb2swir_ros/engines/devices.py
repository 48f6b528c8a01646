"""The device that an engine runs on, and its properties that a compiled engine depends on."""

from __future__ import annotations

from typing import Any

import torch

from rgb2swir_ros.engines.base import DEVICES
from rgb2swir_ros.engines.processor import processor_name
from rgb2swir_ros.errors import UserError


def resolve_device(device: str) -> str:
    """Return ``cpu`` or ``cuda``; ``auto`` is the GPU where torch can use one.

    :raises UserError: if there is no such device; the text says why.
    """
    if device not in ('auto', *DEVICES):
        raise UserError(f"no device '{device}': choose auto, {' or '.join(DEVICES)}")
    if device == 'auto':
        return 'cuda' if torch.cuda.is_available() else 'cpu'
    if device == 'cuda' and not torch.cuda.is_available():
        raise UserError(f"device 'cuda' cannot be used: {why_no_cuda()}; "
                        'choose auto or cpu, or fix that')
    return device


def why_no_cuda() -> str:
    """Return why torch finds no GPU."""
    if torch.version.cuda is None:
        return f'this torch ({torch.__version__}) is built without CUDA'
    return f'torch {torch.__version__} (CUDA {torch.version.cuda}) finds no GPU and driver'


def device_facts(device: str) -> dict[str, Any]:
    """Return the properties of a device that a compiled engine depends on.

    :return: ``device_name``; ``device_capability`` (``'9.0'``) and ``cuda`` (version), both None
        on a processor.
    """
    if device == 'cpu':
        return {'device_name': processor_name(), 'device_capability': None, 'cuda': None}
    major, minor = torch.cuda.get_device_capability()
    return {'device_name': torch.cuda.get_device_name(), 'device_capability': f'{major}.{minor}',
            'cuda': torch.version.cuda}


def describe_device(device: str) -> str:
    """Return a device's readable name: ``cuda (NVIDIA H200, 9.0)``."""
    facts = device_facts(device)
    more = f', {facts["device_capability"]}' if facts['device_capability'] else ''
    return f'{device} ({facts["device_name"]}{more})'
