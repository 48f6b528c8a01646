"""A bench whose engine process starts at once, on a ROS domain of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from ..engines.standin import SCRIPT

PICTURES = 7


@pytest.fixture(scope='module')
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """Yield a function that runs a scenario and returns (scenario, records, folder).

    Its source is a folder of a few pictures; radiance is their red. ``other`` is a folder with a
    grey picture.
    """
    pytest.importorskip('rclpy', reason='rclpy is not installed')
    from rgb2swir_ros.hil.conduct import run_bench
    from rgb2swir_ros.hil.scenario import load_scenario
    from rgb2swir_ros.ros.domain import claim_domain, release_domain
    from rgb2swir_ros.ros.transport import local_environment
    folder = tmp_path_factory.mktemp('bench')
    (folder / 'sitecustomize.py').write_text(SCRIPT)
    (folder / 'pictures').mkdir()
    for number in range(PICTURES):
        pixels = np.random.default_rng(number).integers(0, 256, (64, 80, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f'pictures/{number}.png'), pixels)
    (folder / 'other').mkdir()
    cv2.imwrite(str(folder / 'other/0.png'), np.full((64, 80, 3), 128, np.uint8))
    domain = claim_domain()
    root = Path(__file__).parents[2]
    environment = local_environment(domain_id=domain) | {
        'PYTHONPATH': f'{folder}{os.pathsep}{root}', 'STANDIN_PLAN': json.dumps({}),
        'STANDIN_JOURNAL': str(folder / 'journal'), 'OMP_NUM_THREADS': '1'}
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment)

    def run(entries: dict[str, Any], *, overwrite: bool = False, **more: Any) -> Any:
        given = {'source': {'kind': 'folder', 'path': 'pictures', 'focal': .8},
                 'translator': {'size': '80x64'}, 'sensor': {'preset': 'ideal'}, **entries}
        path = folder / f"{given['name']}.yaml"
        path.write_text(yaml.safe_dump(given))
        output = folder / f"out_{given['name']}"
        scenario = load_scenario(path)
        records = run_bench(scenario, output, rendered=None, transport='local',
                            overwrite=overwrite, **{'say': print, **more})
        return scenario, records, output
    yield run
    os.environ.clear()
    os.environ.update(before)
    release_domain(domain)
