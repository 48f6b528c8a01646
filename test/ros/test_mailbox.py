"""Newest wins, and every frame is counted, also under two threads."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rgb2swir_ros.ros.mailbox import Mailbox


def balance(counts: dict[str, int]) -> int:
    """Return the received frames minus all outcomes."""
    return counts['received'] - sum(n for key, n in counts.items() if key != 'received')


def test_newest_wins_and_the_older_is_counted():
    box: Mailbox[int] = Mailbox()
    box.put(1)
    box.put(2)
    assert box.take() == 2
    box.finish('translated')
    assert box.take() is None
    assert box.snapshot() == {'received': 2, 'in_hand': 0, 'dropped_overwritten': 1,
                              'translated': 1}


def test_a_frame_has_one_outcome():
    box: Mailbox[int] = Mailbox()
    with pytest.raises(RuntimeError, match="'translated'"):
        box.finish('translated')
    box.put(1)
    assert box.take() == 1
    with pytest.raises(RuntimeError, match='not finished'):
        box.take()


@given(st.lists(st.sampled_from(['put', 'take', 'finish', 'discard'])))
def test_books_balance_after_any_sequence(steps):
    box: Mailbox[int] = Mailbox()
    held = False
    for number, step in enumerate(steps):
        if step == 'put':
            box.put(number)
        elif step == 'discard':
            box.discard('dropped_idle')
        elif step == 'take' and not held:
            held = box.take() is not None
        elif step == 'finish' and held:
            box.finish('refused_zero_size')
            held = False
        assert balance(box.snapshot()) == 0
        assert box.snapshot()['in_hand'] <= 2


def test_books_balance_under_two_threads():
    box: Mailbox[int] = Mailbox()
    total, taken, unbalanced = 20000, [], []
    done = threading.Event()

    def work() -> None:
        while True:
            last = done.is_set()
            frame = box.take()
            if frame is not None:
                taken.append(frame)
                box.finish('translated')
            elif last:
                return

    def watch() -> None:
        while not done.is_set():
            counts = box.snapshot()
            if balance(counts):
                unbalanced.append(counts)

    threads = [threading.Thread(target=work), threading.Thread(target=watch)]
    for thread in threads:
        thread.start()
    for number in range(total):
        box.put(number)
    done.set()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    counts = box.snapshot()
    assert unbalanced == []
    assert counts['received'] == total
    assert counts['translated'] == len(taken)
    assert counts['translated'] + counts.get('dropped_overwritten', 0) == total
    assert taken == sorted(taken)
    assert taken[-1] == total - 1
