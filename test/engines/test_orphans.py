"""No process that an engine process starts outlives its client or its parent."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from .processes import SIZE, Rig, group_members, wait_until


def test_closed_while_compiling(plain_model, tmp_path, monkeypatch):
    compile_early(monkeypatch)
    rig = Rig(plain_model, tmp_path / 'engines', backend='inductor')
    rig.client.start()
    rig.client.prepare(SIZE)
    pid = compiling_group(lambda: rig.client.pid)
    assert rig.client.status().state == 'building'
    assert 'compiling (' in rig.client.status().detail
    rig.client.close()
    assert_group_ends(pid)
    assert not list((tmp_path / 'engines').glob('tiny-*'))


def compile_early(monkeypatch) -> None:
    """Have torch try the compiler on a small file first: seconds before the generated code."""
    monkeypatch.delenv('TORCHINDUCTOR_VEC_ISA_OK', raising=False)


def compiling_group(pid_of) -> int:
    """Wait until a process's group contains a compiler, and stop it; return its process id.

    Frozen, because a compiler that is left behind would soon end by itself and look tidied up.
    """
    wait_until(lambda: pid_of() is not None and len(group_members(pid_of())) > 1, 'a compiler')
    pid = pid_of()
    for compiler in group_members(pid):
        if compiler != pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(compiler, signal.SIGSTOP)
    return pid


def assert_group_ends(group: int) -> None:
    """Wait for a process group's end, and kill its members in any case."""
    try:
        wait_until(lambda: not group_members(group), f'end of process group {group}')
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


PARENT = textwrap.dedent('''
    import sys, time
    from rgb2swir_ros.engines.client import EngineClient
    client = EngineClient(sys.argv[1], cache=sys.argv[2], backend=sys.argv[3], threads=1)
    client.start()
    client.prepare((32, 48))
    while client.pid is None or sys.argv[4] == 'ready' and not client.ready((32, 48)):
        time.sleep(0.02)
    print(client.pid, flush=True)
    time.sleep(600)
''')


@pytest.mark.parametrize('moment', ['ready', 'stopped', 'compiling'])
def test_nothing_outlives_the_parent(compiled, model, plain_model, cache, tmp_path, moment,
                                     monkeypatch):
    folder, until = cache, 'ready'
    if moment == 'compiling':
        compile_early(monkeypatch)
        model, folder, until = plain_model, tmp_path / 'engines', 'started'
    parent = subprocess.Popen([sys.executable, '-c', PARENT, str(model), str(folder), 'inductor',
                               until], stdout=subprocess.PIPE, text=True)
    try:
        pid = int(parent.stdout.readline())
        if moment == 'compiling':
            compiling_group(lambda: pid)
        if moment == 'stopped':
            time.sleep(0.7)  # a heartbeat later the kernel knows what to do
            os.kill(pid, signal.SIGSTOP)
        assert group_members(pid)
    finally:
        parent.kill()
        parent.communicate()
    assert_group_ends(pid)
