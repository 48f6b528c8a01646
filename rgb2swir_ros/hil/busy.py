"""A process that computes as hard as it can until its standard input closes."""

from __future__ import annotations

import select
import sys


def main() -> None:
    """Compute."""
    while not select.select([sys.stdin], [], [], 0)[0]:
        sum(range(200_000))


if __name__ == '__main__':
    main()
