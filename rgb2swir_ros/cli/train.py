"""``rgb2swir train WHAT``: weights from pairs of RGB and SWIR frames."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from functools import partial

import cv2

from rgb2swir_ros.cli import train_canary, train_detector, train_novelty, train_translator

Target = tuple[str, Callable[[argparse.ArgumentParser], None],
               Callable[[argparse.Namespace], int]]
# what can be trained: its summary, what declares its arguments, what runs it
TARGETS: dict[str, Target] = {
    'canary': ('a direct regression, in minutes: does the data teach anything?',
               train_canary.configure, train_canary.run),
    'autoencoder': ("the translator's first part: SWIR to a latent and back",
                    partial(train_translator.configure, what='autoencoder'), train_translator.run),
    'teacher': ("the translator's second part: from noise to the latent, in many steps",
                partial(train_translator.configure, what='teacher'), train_translator.run),
    'student': ("the translator's last part: the same in one, two or four steps",
                partial(train_translator.configure, what='student'), train_translator.run),
    'detector': ('the small detector of SWIR evaluations', train_detector.configure,
                 train_detector.run),
    'novelty': ('how far a frame is from what a model knows: a threshold for its diagnostics',
                train_novelty.configure, train_novelty.run),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare what can be trained, each with its arguments."""
    targets = parser.add_subparsers(dest='target', metavar='WHAT', required=True)
    for name, (summary, add_arguments, _) in TARGETS.items():
        add_arguments(targets.add_parser(
            name, help=summary, description=summary,
            formatter_class=argparse.RawDescriptionHelpFormatter))


def run(arguments: argparse.Namespace) -> int:
    """Train what was asked for."""
    from rgb2swir_ros.engines.processor import waiting_environment

    # batches are made beside torch's threads
    os.environ.update(waiting_environment())
    cv2.setNumThreads(1)
    return TARGETS[arguments.target][2](arguments)
