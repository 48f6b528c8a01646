"""The account adds up exactly when every frame has one fate."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rgb2swir_ros.demo.accounting import Account, balance
from rgb2swir_ros.demo.latency import summary, whole_way
from rgb2swir_ros.demo.report import as_json, table

few = st.integers(0, 50)
reasons = st.dictionaries(st.sampled_from(['overwritten', 'late', 'idle']), few)


@st.composite
def closed(draw: st.DrawFn) -> Account:
    """Draw an account in which every frame has one fate."""
    translated, lost = draw(st.integers(1, 50)), draw(few)
    dropped, refused = draw(reasons), draw(st.dictionaries(st.just('wrong_length'), few))
    received = translated + sum(dropped.values()) + sum(refused.values())
    return Account(sent=received + lost, received=received, translated=translated,
                   dropped=dropped, refused=refused, lost_noticed=draw(st.integers(0, lost)),
                   recorded=draw(st.integers(0, translated)))


@given(closed())
def test_closed_account_has_no_problem(account: Account) -> None:
    assert account.problems() == []
    assert account.sent == (account.translated + sum(account.dropped.values())
                            + sum(account.refused.values()) + account.lost)
    assert account.recorded + account.lost_to_recorder == account.translated
    text = table(account, {}, 'title')
    assert 'DOES NOT ADD UP' not in text
    assert f'{account.sent} sent = {account.translated} translated' in text


@given(closed(), st.integers(1, 9))
def test_every_leak_is_found(account: Account, n: int) -> None:
    for leak in (
            replace(account, received=account.received + n, sent=account.sent + n),
            replace(account, translated=account.translated + n),
            replace(account, dropped={**account.dropped, 'new_reason': n}),
            replace(account, refused={**account.refused, 'new_reason': n}),
            replace(account, sent=account.received - n),
            replace(account, lost_noticed=account.lost + n),
            replace(account, recorded=account.translated + n),
            replace(account, strangers=n),
            replace(account, received=account.received - account.translated, translated=0,
                    recorded=0),
    ):
        assert leak.problems()
        assert 'DOES NOT ADD UP' in table(leak, {}, '')
        told = as_json(leak, {})
        assert told['accounted_for'] is False
        assert told['problems'] == leak.problems()


def test_balance_reads_the_status_and_the_stamps() -> None:
    status = {'received': '9', 'translated': '5', 'dropped_overwritten': '3', 'dropped_late': '0',
              'refused_wrong_length': '1', 'lost_transport': '1', 'in_hand': '0',
              'frame_rate_node': '29.970', 'input': 'camera/image_raw'}
    account = balance(status, sent=list(range(10)), recorded=[0, 2, 4, 6, 8])
    assert account == Account(
        sent=10, received=9, translated=5, dropped={'overwritten': 3, 'late': 0},
        refused={'wrong_length': 1}, lost_noticed=1, in_hand=0, recorded=5, strangers=0)
    assert account.problems() == []
    assert (account.lost, account.lost_to_recorder) == (1, 0)
    assert ('dropped: overwritten by a newer one', 3) in account.rows()
    assert balance(status, sent=[0, 0, 1], recorded=[0, 0, 0, 7]).strangers == 2


def test_a_node_that_never_spoke_is_a_problem() -> None:
    assert 'no frame was translated' in balance({}, sent=[1, 2], recorded=[]).problems()


def test_whole_way_pairs_stamps_and_keeps_order() -> None:
    sent = [(100, 1_000_000), (200, 2_000_000), (200, 3_000_000), (300, 4_000_000)]
    arrived = [(200, 7_000_000), (200, 9_000_000), (300, 9_500_000), (999, 9_900_000)]
    assert whole_way(sent, arrived) == [(1, 5.0), (2, 6.0), (3, 5.5)]


@given(st.lists(st.floats(0, 1e4), min_size=1))
def test_percentiles_rise_to_the_maximum(values: list[float]) -> None:
    told = summary({'total_ms': values, 'empty': []})
    assert set(told) == {'total_ms'}
    p50, p95, p99, top = told['total_ms'].values()
    assert p50 <= p95 <= p99 <= top
    assert top == round(max(values), 3)
    text = table(Account(1, 1, 1), told, '')
    assert 'in the node, total' in text
    assert f'{top:.1f}' in text
