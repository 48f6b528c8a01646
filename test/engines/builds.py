"""Have engines built in a process of its own; by itself, print the table of docs/design.md.

Usage: python test/engines/builds.py [VERSION]    of torch_tensorrt; a few minutes
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

from rgb2swir_ros.engines.base import EngineSpec
from rgb2swir_ros.engines.export import export_core
from rgb2swir_ros.lab.training.preset import read_preset
from rgb2swir_ros.translator import SwirModel, Translator

SCRIPT = Path(__file__).with_name('build_engines.py')
PRESETS = ('nano', 'nano_dit', 'base', 'base_dit')  # those of a network of their own
# desktop GPUs of three generations: RTX 30, 40 and 50
GPUS = ('SM86', 'SM89', 'SM120')
SIZES = (((512, 640), 1), ((512, 640), 4), ((1024, 1280), 4))


class Builder:
    """A process that builds one engine after the other."""

    def __init__(self, registry: Path, compiler: Path) -> None:
        """Start it; the folders are those of ``build_engines.py``."""
        self._errors = tempfile.TemporaryFile('w+')  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(registry), str(compiler)], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors)
        self._names: list[str] = []

    def submit(self, name: str, program: Path, capabilities: tuple[str, ...] = GPUS) -> None:
        """Have it build an engine, and do not wait."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({
            'program': str(program), 'capabilities': capabilities}) + '\n')
        self._process.stdin.flush()
        self._names.append(name)

    def finish(self) -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
        """Wait, and return the versions and what is known of each engine by name."""
        output, _ = self._process.communicate(timeout=600)
        self._errors.seek(0)
        assert self._process.returncode == 0, self._errors.read()[-3000:]
        versions, *built = map(json.loads, output.splitlines())
        return versions, dict(zip(self._names, built, strict=True))

    def close(self) -> None:
        """End the process if it still runs."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            assert pipe
            pipe.close()


def preset_model(name: str) -> Translator:
    """Return the untrained network of a preset: weights make no other engine."""
    return Translator(read_preset(name).model)


def core(model: SwirModel, size: tuple[int, int], batch: int = 1) -> torch.export.ExportedProgram:
    """Return a model's core in half precision."""
    spec = EngineSpec('any', *size, batch, 'export', 'float16', 1)
    return export_core(model.eval().set_precision(torch.float16), spec)


def write(program: torch.export.ExportedProgram, file: Path) -> Path:
    """Write a program for a process that builds engines."""
    torch.export.save(program, file)
    return file


def table(rows: dict[str, dict[str, dict[str, Any]]]) -> list[str]:
    """Return the rows of the table of docs/design.md.

    :param rows: for each preset by size what is known of its engine.
    """
    lines = []
    for preset, sizes in rows.items():
        first = next(iter(sizes.values()))
        memory = ' / '.join(f'{built["activation_bytes"] / 1e6:.0f}' for built in sizes.values())
        lines.append(f'| `{preset}` | {first["layers"]} | {first["operations"]} | '
                     f'{first["engine_bytes"] / 1e6:.1f} | {memory} |')
    return lines


def main() -> None:
    """Build every preset at every size and print the table."""
    from registries import COMPILER, REGISTRIES
    version = sys.argv[1] if len(sys.argv) > 1 else REGISTRIES[-1]
    builder = Builder(Path(sys.prefix) / 'tensorrt-registry' / version,
                      Path(sys.prefix) / 'tensorrt-rtx' / COMPILER)
    with tempfile.TemporaryDirectory() as folder:
        for preset in PRESETS:
            for size, batch in SIZES:
                name = f'{preset} {size} {batch}'
                builder.submit(name, write(core(preset_model(preset), size, batch),
                                           Path(folder) / f'{name}.pt2'))
        _, built = builder.finish()
    print('\n'.join(table({preset: {name: facts for name, facts in built.items()
                                    if name.split()[0] == preset} for preset in PRESETS})))


if __name__ == '__main__':
    main()
