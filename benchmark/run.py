#!/usr/bin/env python3
"""Run every benchmark of the README one after the other and write one table.

Usage: python benchmark/run.py [--output out/benchmark] [--overwrite] [--quick]

Writes a JSON file for each benchmark (the output of ``rgb2swir bench ... --json``) and table.md.
On a shared machine run it when nothing else runs, and compare ratios, not milliseconds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from rgb2swir_ros.cli.shared import add_overwrite
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.ownership import require_free, write_bytes, write_json
from rgb2swir_ros.processes import python_command
from rgb2swir_ros.report.markdown import markdown_table

RGB2SWIR = python_command('rgb2swir_ros.cli.main')


def benchmarks(*, quick: bool) -> dict[str, list[str]]:
    """Return the command of each benchmark by name."""
    seconds = ['--seconds', '4' if quick else '10']
    runs = ['--runs', '15' if quick else '100']
    return {
        'engine': ['bench', 'engine', '--model', 'nano', '--size', '640x512', *runs],
        'engine_float32': ['bench', 'engine', '--model', 'nano', '--size', '640x512',
                           '--precision', 'float32', *runs],
        'engine_inductor': ['bench', 'engine', '--model', 'nano', '--size', '640x512',
                            '--backend', 'inductor', *runs],
        'engine_eager': ['bench', 'engine', '--model', 'nano', '--size', '640x512',
                         '--backend', 'eager', *runs],
        'engine_640x360': ['bench', 'engine', '--model', 'nano', '--size', '640x360', *runs],
        'transport': ['bench', 'transport', '--size', '1920x1080', '--rate', '30', *seconds],
        'node': ['bench', 'node', '--size', '1920x1080', '--rates', '10,30', *seconds],
        'idle': ['bench', 'node', '--idle', '--size', '1920x1080',
                 '--seconds', '8' if quick else '30'],
        'start': ['bench', 'start', '--size', '1920x1080', '--starts', '2' if quick else '5'],
        'scenes': ['bench', 'scenes', '--count', '16' if quick else '160'],
    }


def run(words: list[str]) -> Any:
    """Run one benchmark and return what it printed."""
    done = subprocess.run([*RGB2SWIR, *words, '--json'], stdout=subprocess.PIPE, text=True,
                          check=True)
    return json.loads(done.stdout)


def rows(result: Any) -> list[dict[str, Any]]:
    """Return the flat rows of a result: a list is its rows, nested objects become names."""
    if isinstance(result, list):
        return [row for part in result for row in rows(part)]
    flat: dict[str, Any] = {}
    nested: list[dict[str, Any]] = []
    for key, value in result.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            nested += rows(value)
        elif isinstance(value, dict):
            flat |= {f'{key} {name}': inner for name, inner in value.items()}
        else:
            flat[key] = value
    return [{**flat, **row} for row in nested] or [flat]


def table(name: str, words: list[str], result: Any) -> str:
    """Return one benchmark as Markdown."""
    flat = rows(result)
    keys = list(dict.fromkeys(key for row in flat for key in row))
    return '\n'.join([f'## {name}', '', f'`rgb2swir {" ".join(words)}`', '',
                      *markdown_table(keys, flat), ''])


def main() -> int:
    """Run all and write the table."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--output', type=Path, default=Path('out/benchmark'))
    parser.add_argument('--quick', action='store_true', help='short runs, to see that all works')
    add_overwrite(parser)
    arguments = parser.parse_args()
    commands = benchmarks(quick=arguments.quick)
    names = [*(f'{name}.json' for name in commands), 'table.md']
    try:
        require_free((arguments.output / name for name in names), overwrite=arguments.overwrite)
    except UserError as error:
        parser.error(str(error))
    parts = ['# Benchmarks', '', f'{platform.platform()}, {os.cpu_count()} cores, load average '
             f'{os.getloadavg()[0]:.1f} at the start', '']
    failed = 0
    for name, words in commands.items():
        print(f'rgb2swir {" ".join(words)}', file=sys.stderr, flush=True)
        try:
            result = run(words)
        except (subprocess.CalledProcessError, json.JSONDecodeError) as error:
            print(f'{name} failed: {error}', file=sys.stderr)
            failed += 1
            continue
        write_json(arguments.output / f'{name}.json', result)
        parts.append(table(name, words, result))
        write_bytes(arguments.output / 'table.md', '\n'.join(parts).encode())
    print(f'wrote {arguments.output / "table.md"}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
