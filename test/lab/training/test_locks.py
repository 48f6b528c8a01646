"""Locks by which several runs share their work."""

import threading

from rgb2swir_ros.lab.training.locks import held


def test_a_lock_is_held_once(tmp_path):
    with held(tmp_path / 'a.lock') as first, held(tmp_path / 'a.lock') as second:
        assert (first, second) == (True, False)
    with held(tmp_path / 'a.lock') as again:
        assert again


def test_who_waits_says_so_and_gets_it_afterwards(tmp_path):
    order, waits = [], threading.Event()

    def second():
        with held(tmp_path / 'a.lock', wait=True, waiting=waits.set) as mine:
            order.append(('second', mine))

    with held(tmp_path / 'a.lock'):
        thread = threading.Thread(target=second)
        thread.start()
        assert waits.wait(10)
        order.append('first')
    thread.join(10)
    assert order == ['first', ('second', True)]
