import math

import pytest

from rgb2swir_ros.report.model import Check, Report, Value, Verdict, worst
from rgb2swir_ros.report.text import cell_text, fact_text, number, storable


@pytest.mark.parametrize(('value', 'text'), [
    (0.5123, '0.512'), (12400.4, '12400'), (0.000012, '1.20e-05'), (0, '0'), (0.0, '0'),
    (7, '7'), (-21.23, '-21.2'), (math.nan, '-'), (math.inf, '∞'), (True, 'yes'), (9.999, '10.00'),
    (1e12, '1.00e+12')])
def test_numbers_for_a_person(value, text):
    assert number(value) == text


def test_a_cell_shows_its_interval():
    assert cell_text(Value(.5, .4, .6)) == '0.500 [0.400, 0.600]'
    assert cell_text(Value(.5)) == '0.500'
    assert cell_text(None) == ''


def test_facts_have_no_trailing_zeros():
    assert [fact_text(v) for v in (.5, 1234567., 3, 'a', None, True)] == [
        '0.5', '1.23457e+06', '3', 'a', '', 'yes']


def test_the_worst_check_is_the_verdict():
    one = [Check(v.value, v) for v in (Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL)]
    assert Report('a', 'A', '', '', one).verdict is Verdict.FAIL
    assert Report('a', 'A', '', '', one[:2]).verdict is Verdict.INCONCLUSIVE
    assert Report('a', 'A', '', '').verdict is None
    assert worst([Verdict.ERROR, Verdict.FAIL]) is Verdict.ERROR


def test_control_characters_and_lone_surrogates_are_replaced():
    assert storable('a\x00b\x1bc\ud800d\n\té😀') == 'a\ufffdb\ufffdc\ufffdd\n\té😀'
