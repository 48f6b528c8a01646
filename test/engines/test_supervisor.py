"""Supervision with fake engines: a fault of one size does not affect the others."""

from __future__ import annotations

import os
import resource
import signal
import time

import numpy as np
import pytest

from rgb2swir_ros import child_process
from rgb2swir_ros.engines import child as child_module
from rgb2swir_ros.engines import deadlines, restarts
from rgb2swir_ros.engines import ledger as ledger_module
from rgb2swir_ros.engines.child import EngineHandle
from rgb2swir_ros.engines.client import EngineCrashed, EngineNotReady

from .processes import wait_until

GOOD, BAD = (32, 48), (16, 32)
FRAME = np.full((*GOOD, 3), 51, np.uint8)
BAD_FRAME = np.zeros((*BAD, 3), np.uint8)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(ledger_module, 'FIRST_PAUSE_S', 0.05)
    monkeypatch.setattr(restarts, 'FIRST_PAUSE_S', 0.01)


def works(client) -> bool:
    return bool(np.allclose(client.infer(FRAME).radiance, 0.2))


@pytest.mark.parametrize(('trouble', 'reason', 'attempts'), [
    ('user:no converter for aten.foo', 'no converter for aten.foo', 1),
    ('error:surprise\nand more', 'RuntimeError: surprise', 3),
    ('transient:the memory is full', 'the memory is full', 3),
    ('die:', 'SIGKILL', 3)])
@pytest.mark.parametrize('first', [GOOD, BAD])
def test_a_size_that_cannot_be_built_fails_alone(standin, trouble, reason, attempts, first):
    rig = standin.rig({'build 32x16': trouble})
    with rig.client as client:
        for size in (first, *({GOOD, BAD} - {first})):
            client.prepare(size)
        wait_until(lambda: client.why_failed(BAD), 'failure of one size')
        wait_until(lambda: client.ready(GOOD), 'the other size')
        assert works(client)
        status = client.status()
        assert status.state == 'ready'
        assert reason in status.failed[BAD]
        assert '\n' not in status.failed[BAD]
        assert '32x16 failed' in status.detail
        assert list(status.failed) == [BAD]
        assert list(status.engines) == [GOOD]
        with pytest.raises(EngineNotReady, match='32x16'):
            client.infer(BAD_FRAME)
        assert standin.happened('build').count('32x16') == attempts
        assert status.restarts == (3 if trouble == 'die:' else 0)
        time.sleep(0.3)
        client.prepare(BAD)  # its camera asks on
        assert standin.happened('build').count('32x16') == attempts
        assert works(client)


def test_a_build_that_takes_too_long_is_not_tried_again(standin):
    rig = standin.rig({'build 32x16': 'sleep:100'}, build_timeout_s=1)
    with rig.client as client:
        client.prepare(BAD)
        client.prepare(GOOD)
        wait_until(lambda: client.ready(GOOD), 'the other size')
        assert works(client)
        assert 'longer than build_timeout_s, 1 s' in client.status().failed[BAD]
        assert client.status().restarts == 1
        time.sleep(1.3)
        assert standin.happened('build') == ['32x16', '48x32']


def test_time_in_the_queue_is_no_building(standin):
    rig = standin.rig({f'build {16 * n}x16': 'sleep:0.8' for n in (1, 2, 3)}, build_timeout_s=1.6)
    with rig.client as client:
        for n in (1, 2, 3):
            client.prepare((16, 16 * n))
        wait_until(lambda: client.ready((16, 48)), 'the third')
        assert client.status().restarts == 0
        assert client.status().failed == {}
        assert standin.happened('build') == ['16x16', '32x16', '48x16']


def test_where_all_sizes_have_failed_the_engine_has(standin):
    rig = standin.rig({'build 32x16': 'sleep:100'}, build_timeout_s=0.5)
    with rig.client as client:
        client.prepare(BAD)
        wait_until(lambda: client.status().state == 'failed', 'failure')
        assert 'longer than build_timeout_s' in client.status().detail
        wait_until(lambda: client.pid is None, 'end of the process')  # nothing to do for it
        client.prepare(GOOD)
        wait_until(lambda: client.ready(GOOD), 'another size')
        assert works(client)
        standin.replan({})
        client.start()  # gives what has failed another chance, and leaves the other alone
        os.kill(client.pid, signal.SIGKILL)
        wait_until(lambda: client.ready(BAD), 'the size that had failed')


@pytest.mark.parametrize('first', ['build', 'start'])
def test_loading_may_take_longer_than_a_heartbeat(standin, first):
    """As with a library that loads from a slow disk: no Python thread runs meanwhile."""
    rig = standin.rig({'start' if first == 'start' else 'build 48x32': 'hold:2.5'},
                      heartbeat_timeout_s=0.9)
    with rig.client as client:
        client.prepare(GOOD)
        wait_until(lambda: client.ready(GOOD), 'the engine')
        assert client.status().restarts == 0
        assert works(client)


def test_loading_has_a_time_limit(standin, monkeypatch):
    monkeypatch.setattr(deadlines, 'LOADING_TIMEOUT_S', 1.0)
    rig = standin.rig({'build 32x16': 'hold:60'}, heartbeat_timeout_s=0.9)
    with rig.client as client:
        client.prepare(BAD)
        client.prepare(GOOD)
        wait_until(lambda: client.why_failed(BAD), 'failure of one size')
        assert 'no sign of life' in client.why_failed(BAD)
        wait_until(lambda: client.ready(GOOD), 'the other size')


def test_an_engine_whose_calls_fail_is_started_anew_and_then_given_up(standin):
    rig = standin.rig({'infer 32x16': 'error:bad shape'})
    with rig.client as client:
        client.prepare(GOOD)
        client.prepare(BAD)
        for _ in range(3):
            wait_until(lambda: client.ready(BAD), 'the engine')
            assert works(client)
            with pytest.raises(EngineCrashed, match='RuntimeError: bad shape'):
                client.infer(BAD_FRAME)
        assert 'bad shape' in client.why_failed(BAD)
        assert client.status().restarts == 0
        assert works(client)


def test_an_engine_whose_calls_kill_is_given_up_though_others_work(standin):
    rig = standin.rig({'infer 32x16': 'die:'})
    with rig.client as client:
        client.prepare(GOOD)
        client.prepare(BAD)
        for _ in range(3):
            wait_until(lambda: client.ready(BAD) and client.ready(GOOD), 'the engines')
            assert works(client)  # and so this is no row of crashes
            with pytest.raises(EngineCrashed, match='SIGKILL'):
                client.infer(BAD_FRAME)
        assert 'SIGKILL' in client.why_failed(BAD)
        wait_until(lambda: client.ready(GOOD), 'the other size')
        assert works(client)


def test_what_is_wrong_for_every_size_fails_at_once(standin):
    rig = standin.rig({'start': 'user:set RGB2SWIR_CACHE'})
    with rig.client as client:
        wait_until(lambda: client.status().state == 'failed', 'failure')
        assert client.status().detail == 'set RGB2SWIR_CACHE'
        assert client.status().restarts == 0
        assert client.pid is None
        assert rig.lines == ['the engine failed: set RGB2SWIR_CACHE']
        assert standin.happened('build') == []


def test_a_cache_that_cannot_be_used_fails_at_once(standin, tmp_path, monkeypatch):
    (tmp_path / 'file').write_text('')
    monkeypatch.setenv('RGB2SWIR_CACHE', str(tmp_path / 'file'))
    rig = standin.rig({})
    with rig.client as client:
        client.prepare(GOOD)
        wait_until(lambda: client.status().state == 'failed', 'failure')
        assert client.status().restarts == 0
        [line] = rig.lines
        assert line.endswith('(it is a file): set RGB2SWIR_CACHE to a folder of yours')
        assert standin.happened('build') == []


def test_gives_up_after_crashes_in_a_row(monkeypatch, standin):
    monkeypatch.setattr(child_module, 'MODULE', 'rgb2swir_ros.nonesuch')
    rig = standin.rig({})
    with rig.client as client:
        client.prepare(GOOD)
        wait_until(lambda: client.status().state == 'failed', 'failure')
        status = client.status()
        assert status.restarts == 4
        assert '5 failures in a row' in status.detail
        assert 'No module named rgb2swir_ros.nonesuch' in status.detail
        time.sleep(0.2)
        assert client.pid is None  # no loop
        client.start()
        wait_until(lambda: client.status().restarts == 8, 'more attempts after start()')


def test_engines_that_are_not_needed_any_more_are_freed(standin, monkeypatch):
    monkeypatch.setattr(ledger_module, 'LEASE_S', 1.0)
    rig = standin.rig({})
    with rig.client as client:
        client.prepare(BAD)
        wait_until(lambda: client.ready(BAD), 'the engine')
        client.prepare(GOOD)
        wait_until(lambda: works(client) and standin.happened('freed') == ['32x16']
                   if client.ready(GOOD) else False, 'the end of the other')
        assert list(client.status().engines) == [GOOD]
        client.prepare(BAD)
        wait_until(lambda: client.ready(BAD), 'the engine, asked for again')
        assert client.status().restarts == 0


def test_sizes_without_end_do_not_pile_up(standin, monkeypatch):
    monkeypatch.setattr(ledger_module, 'LARGEST', 3)
    monkeypatch.setattr(ledger_module, 'STALE_S', 0.0)
    rig = standin.rig({'build 16x16': 'sleep:1'})
    with rig.client as client:
        for side in range(16, 80):
            client.prepare((16, side))
            client.prepare(GOOD)  # a camera that stays
        wait_until(lambda: client.ready((16, 79)) and client.ready(GOOD), 'the last')
        assert len(client.status().engines) <= 3
        assert client.status().failed == {}
        assert len(standin.happened('build')) <= 4  # the rest were gone before their turn


def test_sizes_that_are_all_wanted_are_too_many_at_some_point(standin, monkeypatch):
    monkeypatch.setattr(ledger_module, 'LARGEST', 2)
    rig = standin.rig({})
    with rig.client as client:
        for size in (GOOD, (16, 16), BAD):
            client.prepare(size)
        wait_until(lambda: client.ready(GOOD) and client.ready((16, 16)), 'two engines')
        assert client.status().failed == {BAD: client.why_failed(BAD)}
        assert '2 other sizes have engines' in client.why_failed(BAD)


def test_a_process_that_does_not_end_is_not_waited_for(standin, monkeypatch):
    """A driver that hangs keeps a process in the kernel, killed or not."""
    monkeypatch.setattr(child_process, 'REAP_S', 0.2)
    standin.rig({})
    child = EngineHandle({}, lambda _: None)
    monkeypatch.setattr(child._process, 'kill', lambda: None)
    started = time.monotonic()
    assert 'does not end' in child.end()
    assert time.monotonic() - started < 5
    os.killpg(child.pid, signal.SIGKILL)


def test_a_process_that_reads_no_messages_blocks_nobody(standin):
    standin.rig({})
    child = EngineHandle({}, lambda _: None)
    try:
        os.kill(child.pid, signal.SIGSTOP)
        started = time.monotonic()
        while child.verdict is None:
            child.send(op='nothing', text='x' * 1000)
            assert time.monotonic() - started < 20
        assert 'takes no messages' in child.verdict[1]
    finally:
        child.end()


def test_many_open_files(standin):
    """The channel's descriptor is above 1023, which ``select`` does not support."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 1200:
        pytest.skip(f'this user may open only {hard} files')
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1200), hard))
    standin.rig({})
    taken = [os.open('/dev/null', os.O_RDONLY) for _ in range(1050)]
    try:
        child = EngineHandle({}, lambda _: None)
        try:
            assert child.channel.fileno() > 1023
            assert child.receive(30)[0]
        finally:
            child.end()
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_output_without_lines_is_passed_on_in_pieces(tmp_path, monkeypatch):
    """A progress bar uses ``\\r`` and never ends its line."""
    heard: list[str] = []
    module = tmp_path / 'endless.py'
    module.write_text('import sys, time\nfor _ in range(5):\n'
                      '    sys.stdout.write("x" * 8000)\n    sys.stdout.flush()\ntime.sleep(60)\n')
    monkeypatch.setenv('PYTHONPATH', str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(child_module, 'MODULE', 'endless')
    child = EngineHandle({}, heard.append)
    try:
        wait_until(lambda: heard, 'a piece')
        assert len(heard[0]) == child_module.LONGEST_LINE
    finally:
        child.end()


def test_messages_of_a_released_size_are_not_of_the_next(standin):
    """Requested, released and requested again while it is being built."""
    rig = standin.rig({'build 48x32': 'sleep:0.5'})
    with rig.client as client:
        client.prepare(GOOD)
        wait_until(lambda: standin.happened('build'), 'a build')
        with client._changed:
            client._child.release(GOOD)
            client._child.prepare(GOOD)
        wait_until(lambda: client.ready(GOOD), 'the second')
        assert standin.happened('build') == ['48x32', '48x32']
        assert works(client)
