"""The one display of progress: lines in a log, a line or a bar on a terminal."""

import io
import sys

import pytest

from rgb2swir_ros import progress
from rgb2swir_ros.progress import ProgressDisplay, timed_log


class Terminal(io.StringIO):
    """What a person looks at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is set."""
    now = [0.0]
    monkeypatch.setattr(progress.time, 'monotonic', lambda: now[0])
    return now


def test_a_log_gets_a_line_now_and_then_and_at_the_end(clock, capsys):
    with ProgressDisplay(100) as display:
        for _ in range(100):
            clock[0] += 1
            display.advance()
    lines = capsys.readouterr().err.splitlines()
    assert lines == ['30/100 frames  1.0 frames/s, 70 s left',
                     '60/100 frames  1.0 frames/s, 40 s left',
                     '90/100 frames  1.0 frames/s, 10 s left',
                     '100/100 frames  1.0 frames/s, 0 s left']


def test_where_the_end_is_not_known_none_is_said(clock, capsys):
    with ProgressDisplay(what='pairs') as display:
        clock[0] = 40
        display.reach(8)
    assert capsys.readouterr().err == '8/? pairs  0.2 pairs/s\n'


def test_what_an_earlier_run_did_does_not_count_towards_the_pace(clock, capsys):
    with ProgressDisplay() as display:
        display.begin_at(80, 100)
        clock[0] = 40
        display.reach(90)
    assert capsys.readouterr().err == '90/100 frames  0.2 frames/s, 40 s left\n'


def test_a_terminal_without_rich_gets_one_line_and_news_stay(clock, monkeypatch):
    monkeypatch.setattr(progress, '_rich_bar', lambda: None)
    monkeypatch.setattr(sys, 'stderr', Terminal())
    with ProgressDisplay(2) as display:
        clock[0] = 2
        display.advance()
        display.log('scene 7 failed')
        display.advance()
        shown = sys.stderr.getvalue()
    assert shown == ('\r1/2 frames  0.5 frames/s, 2 s left\x1b[K'
                     '\r\x1b[Kscene 7 failed\n'
                     '\r2/2 frames  1.0 frames/s, 0 s left\x1b[K')
    assert sys.stderr.getvalue() == shown + '\n'


def test_a_terminal_with_rich_gets_a_bar(monkeypatch):
    pytest.importorskip('rich')
    monkeypatch.setattr(sys, 'stderr', Terminal())
    with ProgressDisplay(3) as display:
        display.advance(2)
        display.log('[scene 7] failed')
        display.advance()
        text = sys.stderr
    assert '3/3' in text.getvalue()
    assert '[scene 7] failed' in text.getvalue()


def test_a_log_without_lines_of_progress_has_the_news(clock, capsys):
    with ProgressDisplay(2, in_log=False) as display:
        display.advance()
        display.log('compiling')
        clock[0] = 100
        display.advance(name='b.png')
    assert capsys.readouterr().err == 'compiling\n'


def test_the_bar_shows_the_name_of_the_last_as_it_is(monkeypatch):
    pytest.importorskip('rich')
    monkeypatch.setattr(sys, 'stderr', Terminal())
    with ProgressDisplay(1, in_log=False) as display:
        display.advance(name='[red] a.png')
        text = sys.stderr
    assert '[red] a.png' in text.getvalue()


@pytest.mark.parametrize(('unit', 'line'), [('s', '[ 90.0 s] text\n'),
                                            ('min', '[  1.5 min] text\n')])
def test_a_timed_line_has_the_time_since_the_start(clock, capsys, unit, line):
    log = timed_log(unit)
    clock[0] = 90
    log('text')
    assert capsys.readouterr().err == line


def test_a_closed_terminal_ends_no_work(monkeypatch):
    class Closed:
        def write(self, _):
            raise OSError

        flush = write

    log = timed_log()
    monkeypatch.setattr(sys, 'stderr', Closed())
    log('text')
