import math
from pathlib import Path

import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.report.model import Value, Verdict
from rgb2swir_ros.report.thresholds import Threshold, check_thresholds, read_thresholds

KNOWN = ('psnr_db', 'latency_p99_ms')


def read(tmp_path: Path, text: str) -> list[Threshold]:
    path = tmp_path / 'limits.yaml'
    path.write_text(text)
    return read_thresholds(path, KNOWN)


def test_limits_are_read_in_order(tmp_path):
    assert read(tmp_path, 'latency_p99_ms: {max: 50, by: interval}\npsnr_db: {min: 2.0e+1}') == [
        Threshold('latency_p99_ms', high=50, by='interval'), Threshold('psnr_db', 20)]


@pytest.mark.parametrize(('text', 'says'), [
    ('', 'holds no thresholds'),
    ('[1]', 'holds no thresholds'),
    ('psnr: {min: 1}', "psnr: there is no such measure; there are psnr_db, latency_p99_ms"),
    ('psnr_db: 20', 'must give min, max or both'),
    ('psnr_db: {by: value}', 'must give min, max or both'),
    ('psnr_db: {min: 20, minimum: 2}', "unknown key 'minimum'"),
    ('psnr_db: {min: high}', "min is 'high', but must be a number"),
    ('psnr_db: {min: .nan}', 'min is nan, but must be a number'),
    ('psnr_db: {min: true}', 'min is True, but must be a number'),
    ('psnr_db: {min: 2, max: 1}', 'min 2 is above max 1'),
    ('psnr_db: {min: 2, by: mean}', "by is 'mean', but must be value or interval"),
    ('psnr_db: {min: 2}\npsnr_db: {min: 1}', 'given twice')])
def test_a_wrong_entry_is_named(tmp_path, text, says):
    with pytest.raises(UserError, match=r'limits\.yaml') as caught:
        read(tmp_path, text)
    assert says in str(caught.value)


@pytest.mark.parametrize(('figure', 'by', 'verdict'), [
    (20., 'value', Verdict.PASS), (19.99, 'value', Verdict.FAIL),
    (Value(21, 19, 22), 'value', Verdict.PASS),
    (Value(21, 19, 22), 'interval', Verdict.INCONCLUSIVE),
    (Value(19, 18, 19.5), 'interval', Verdict.FAIL),
    (Value(21, 20, 22), 'interval', Verdict.PASS),
    (Value(21), 'interval', Verdict.INCONCLUSIVE),
    (math.nan, 'value', Verdict.INCONCLUSIVE), (None, 'value', Verdict.INCONCLUSIVE),
    (math.inf, 'value', Verdict.PASS), (-math.inf, 'value', Verdict.FAIL)])
def test_a_figure_against_its_limit(figure, by, verdict):
    check, = check_thresholds([Threshold('psnr_db', 20, by=by)], {'psnr_db': figure},
                              {'psnr_db': 'dB'})
    assert check.verdict is verdict
    assert check.limit.startswith('at least 20')
    assert check.unit == 'dB'


def test_what_was_not_measured_never_passes():
    check, = check_thresholds([Threshold('psnr_db', 20)], {}, {})
    assert check.verdict is Verdict.INCONCLUSIVE
    assert check.message == 'not measured'
