"""``rgb2swir VERB``: run a verb, and print errors as one line."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

from rgb2swir_ros.errors import UserError

# A verb's module is imported only when it is called: `rgb2swir --help` needs no torch and no ROS.
# Each has configure(parser) and run(arguments) -> exit code.
VERBS = {
    'demo': 'run camera, translator and recorder over ROS 2 and report every frame',
    'translate': 'translate pictures, folders and videos, without ROS',
    'replay': 'replay recorded drives to SWIR bags, the same in every run, and judge them',
    'hil': 'hardware in the loop: fixed latency, seeded faults, and evidence',
    'build': "build an engine ahead of time, or export a model's core",
    'bench': 'measure the engine, the transport, the whole node or the renderer',
    'scenes': 'render a data set of paired RGB and SWIR frames with boxes',
    'train': 'train the canary, the translator or the detector',
    'evaluate': 'evaluate true or translated SWIR frames',
    'ablate': 'train and judge the parts of the method, all alike, in one table',
}


class Parser(argparse.ArgumentParser):
    """An argument parser that answers a mistake with one line and exit code 2."""

    def error(self, message: str) -> NoReturn:
        """Print the message and where help is."""
        self.exit(2, f'{self.prog}: {message} (see {self.prog} --help)\n')


def parser_for(verb: str) -> Parser:
    """Return the parser of one verb, its module imported."""
    module = importlib.import_module(f'rgb2swir_ros.cli.{verb}')
    parser = Parser(prog=f'rgb2swir {verb}', description=VERBS[verb],
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    module.configure(parser)
    parser.set_defaults(run=module.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb.

    :param arguments: the words after ``rgb2swir``; by default those of the command line.
    :return: the exit code: 0 done, 1 failed, 2 wrong arguments, 130 interrupted.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    overview = Parser(prog='rgb2swir', formatter_class=argparse.RawDescriptionHelpFormatter,
                      description='A SWIR camera in software.\n\n' + '\n'.join(
                          f'  {verb:<10} {text}' for verb, text in VERBS.items()),
                      epilog='rgb2swir VERB --help says more, with an example.')
    overview.add_argument('verb', choices=VERBS, metavar='VERB')
    verb = overview.parse_args(words[:1]).verb
    try:
        parsed = parser_for(verb).parse_args(words[1:])
        return int(parsed.run(parsed))
    except UserError as error:
        print(f'rgb2swir {verb}: {error}', file=sys.stderr)
        return 2
    except OSError as error:  # the disk is full, a name too long, a folder not writable
        named = f"'{error.filename}': " if error.filename else ''
        print(f'rgb2swir {verb}: {named}{error.strerror or error}', file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f'rgb2swir {verb}: interrupted', file=sys.stderr)
        return 130


if __name__ == '__main__':
    sys.exit(main())
