import csv
import io
import json

import numpy as np
import pytest

from rgb2swir_ros.report.data import table_csv, write_jsonl, write_report_json

from .sample import HOSTILE, sample_report


def test_report_json_holds_what_the_page_shows(tmp_path):
    write_report_json(tmp_path / 'report.json', sample_report())
    content = json.loads((tmp_path / 'report.json').read_text())
    assert content['verdict'] == 'error'
    assert [c['verdict'] for c in content['checks']] == ['pass', 'fail', 'inconclusive', 'error']
    assert content['checks'][0]['measured'] == {'value': 21.2, 'low': 20.4, 'high': 22.}
    table = content['sections'][0]['items'][0]
    assert table['columns'][1] == {'key': 'swir', 'title': 'translated', 'unit': 'dB',
                                   'digits': 3, 'note': 'of square-root radiance'}
    assert table['rows'][1]['swir'] == {'value': None, 'low': None, 'high': None}
    plot = content['sections'][1]['items'][0]
    assert plot['series']['total']['count'] == 3000
    assert plot['series']['total']['max'] == 99
    line = content['sections'][1]['items'][1]
    assert line['kind'] == 'timeline'
    assert line['rows'][1] == {'name': HOSTILE, 'spans': [{'name': '', 'start': 60, 'end': 65}]}
    assert content['facts'][0]['entries']['input'] == HOSTILE


def test_a_line_a_record(tmp_path):
    records = [{'frame': np.int64(3), 'psnr_db': np.float32(2.5), 'map': float('nan'),
                'sizes': (1, np.inf), 'ok': np.True_}, {'frame': 4, 'name': HOSTILE}]
    assert write_jsonl(tmp_path / 'frames.jsonl', iter(records)) == 2
    lines = (tmp_path / 'frames.jsonl').read_text().splitlines()
    assert json.loads(lines[0]) == {'frame': 3, 'psnr_db': 2.5, 'map': None, 'sizes': [1, None],
                                    'ok': True}
    assert json.loads(lines[1]) == {'frame': 4, 'name': HOSTILE}


def test_no_file_is_left_where_records_break_off(tmp_path):
    def records():
        yield {'frame': 1}
        raise RuntimeError('the disk is gone')

    with pytest.raises(RuntimeError):
        write_jsonl(tmp_path / 'frames.jsonl', records())
    assert not (tmp_path / 'frames.jsonl').exists()


def test_a_table_as_csv():
    table = sample_report().sections[0].items[0]
    rows = list(csv.reader(io.StringIO(table_csv(table))))
    assert rows[0] == ['measure', 'translated [dB]', 'translated [dB] low',
                       'translated [dB] high', 'frames']
    assert rows[1] == ['PSNR', '21.234', '20.4', '22.01', '3000']
    assert rows[3][1:4] == ['1.2345e-05', '', '']
    assert not any('\0' in cell for row in rows for cell in row)
    assert any('\ufffd' in cell for row in rows for cell in row)
