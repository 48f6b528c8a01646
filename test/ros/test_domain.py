"""Claims of ROS domains."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.ros.domain import DOMAINS, claim_domain, release_domain

CLAIM = ('import sys; from pathlib import Path; from rgb2swir_ros.ros.domain import claim_domain; '
         'print(claim_domain(Path(sys.argv[1])), flush=True); sys.stdin.read()')


def test_no_domain_is_given_twice_while_its_holder_lives(tmp_path: Path) -> None:
    given = [claim_domain(tmp_path) for _ in range(len(DOMAINS) - 1)]
    other = subprocess.Popen([sys.executable, '-c', CLAIM, str(tmp_path)], text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    given.append(int(other.stdout.readline()))
    assert sorted(given) == list(DOMAINS)
    with pytest.raises(UserError, match='all ROS domains'):
        claim_domain(tmp_path)
    other.kill()
    other.wait()
    assert claim_domain(tmp_path) == given[-1]
    for domain in given:
        release_domain(domain)
    assert claim_domain(tmp_path) in DOMAINS


def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('')
    with pytest.raises(UserError, match='cannot be used'):
        claim_domain(tmp_path / 'file')
