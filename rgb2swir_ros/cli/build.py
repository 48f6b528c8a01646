"""``rgb2swir build``: build an engine ahead of time, or export a model's core."""

from __future__ import annotations

import argparse
import json
import os
from io import BytesIO
from pathlib import Path
from typing import Any

from rgb2swir_ros.cli.shared import add_overwrite
from rgb2swir_ros.engines.base import BACKENDS, DEVICES, PRECISIONS
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.ownership import finished, require_apart, require_free, write_json
from rgb2swir_ros.progress import timed_log
from rgb2swir_ros.sizes import format_size, parse_size

EXAMPLE = """
An engine is made for one machine, one size and one batch; build it where it is to run. The node
finds what was built for the size that it translates to (parameters size, backend, precision,
device). Backend export writes the model's core as a torch.export program, floats in and out, with
a manifest beside it (FILE.json), for TensorRT on another machine or for your own tools.

example:
  rgb2swir build --model nano --size 640x512
  rgb2swir build --model nano --size 640x512 --backend export -o nano.pt2
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = EXAMPLE
    parser.add_argument('--model', default='nano', help='name or folder (default: %(default)s)')
    parser.add_argument('--size', default='640x512', metavar='WIDTHxHEIGHT',
                        help='of the frames it translates (default: %(default)s)')
    parser.add_argument('--batch', type=int, default=1, help='frames a call (default: 1)')
    parser.add_argument('--precision', default='auto', choices=('auto', *PRECISIONS))
    parser.add_argument('--backend', default='auto', choices=('auto', *BACKENDS, 'export'),
                        help='auto takes the fastest that works here')
    parser.add_argument('--device', default='auto', choices=('auto', *DEVICES))
    parser.add_argument('--threads', type=int, default=0, help='processor cores (0: all)')
    parser.add_argument('--optimization-level', type=int, default=3, metavar='0..5',
                        help="TensorRT's: higher builds longer (default: 3)")
    parser.add_argument('-o', '--output', type=Path, metavar='FOLDER|FILE.pt2',
                        help="folder of engines (default: the user's cache); for export the file")
    parser.add_argument('--json', action='store_true', help='print one JSON object, nothing else')
    add_overwrite(parser)


def run(arguments: argparse.Namespace) -> int:
    """Build and print the result; return 0."""
    size = parse_size(arguments.size)
    exporting = arguments.backend == 'export'
    given = arguments.output
    if exporting and (given is None or given.suffix != '.pt2'):
        raise UserError('backend export needs a file to write: give -o FILE.pt2')
    if not exporting and given is not None and given.suffix == '.pt2':
        raise UserError(f'-o {given}: backend {arguments.backend} fills a folder of engines, '
                        'only export writes a .pt2 file')
    require_apart([given], [Path(arguments.model)])
    if exporting:
        require_free([given, given.with_suffix('.json')], overwrite=arguments.overwrite)
    result = export(arguments, size) if exporting else build(arguments, size)
    print(json.dumps(result) if arguments.json else table(result))
    return 0


def build(arguments: argparse.Namespace, size: tuple[int, int]) -> dict[str, Any]:
    """Open the engine, which builds it, and return its description and its manifest's path."""
    from rgb2swir_ros.engines.processor import waiting_environment

    os.environ.update(waiting_environment())
    from rgb2swir_ros.engines.build import open_engine
    from rgb2swir_ros.engines.manifest import MANIFEST

    engine = open_engine(
        arguments.model, size, batch=arguments.batch, backend=arguments.backend,
        precision=arguments.precision, threads=arguments.threads, device=arguments.device,
        optimization_level=arguments.optimization_level, cache=arguments.output,
        progress=timed_log())
    facts = engine.describe()
    manifest = facts['file'] and str(Path(facts['file']).with_name(MANIFEST))
    return {**facts, 'manifest': manifest}


def export(arguments: argparse.Namespace, size: tuple[int, int]) -> dict[str, Any]:
    """Write the exported core and its manifest, and return the manifest's entries."""
    import torch

    from rgb2swir_ros.engines.manifest import file_sha256
    from rgb2swir_ros.engines.portable import export_model

    program, manifest = export_model(
        arguments.model, size, batch=arguments.batch, precision=arguments.precision,
        device=arguments.device, threads=arguments.threads, progress=timed_log())
    file = arguments.output
    program_bytes = BytesIO()  # torch's own writer hides that a disk is full
    torch.export.save(program, program_bytes)
    with finished(file) as temporary:
        temporary.write_bytes(program_bytes.getbuffer())
        manifest |= {'file': file.name, 'sha256': file_sha256(temporary)}
    beside = file.with_suffix('.json')
    write_json(beside, manifest)
    return {**manifest['fields'], **manifest['facts'], 'from_cache': False,
            'device': f'{manifest["fields"]["device"]} ({manifest["fields"]["device_name"]})',
            'file': str(file), 'manifest': str(beside)}


def table(result: dict[str, Any]) -> str:
    """Return the result as a table for the terminal."""
    if result['file'] is None:
        how = 'runs from the model folder: there is nothing to build'
    elif result['from_cache']:
        how = f'was there already, built at {result["built_at"]} in {result["build_s"]:.1f} s'
    else:
        how = f'built in {result["build_s"]:.1f} s'
    size = format_size((result['height'], result['width']))
    rows = [
        (result['backend'], how),
        ('model', f'{result["model"]}, {result["precision"]}, {size}, batch {result["batch"]}'),
        ('parity', f'mean {result["parity"]["mean_255"]:.3f}/255, 99.9th percentile '
                   f'{result["parity"]["tail_255"]:.2f}/255 off float32'),
        ('device', result['device']),
        ('file', result['file']), ('manifest', result['manifest'])]
    return '\n'.join(f'{name:<9} {text}' for name, text in rows if text is not None)
