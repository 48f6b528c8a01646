"""What Jenkins' JUnit schema (junit-10.xsd of its xunit plugin) allows, and a stock parser."""

import re
from xml.etree import ElementTree

import pytest

from rgb2swir_ros.report.junit import render_junit

from .sample import sample_report

# attributes of the schema, required ones first; elements inside
SCHEMA = {
    'testsuites': ((), ('name', 'time', 'tests', 'failures', 'errors'), ('testsuite',)),
    'testsuite': (('name', 'tests', 'failures', 'errors'),
                  ('group', 'time', 'skipped', 'timestamp', 'hostname', 'id', 'package', 'file',
                   'log', 'url'),
                  ('testsuite', 'properties', 'testcase', 'system-out', 'system-err')),
    'properties': ((), (), ('property',)),
    'property': (('name', 'value'), (), ()),
    'testcase': (('name',), ('time', 'classname', 'group'),
                 ('skipped', 'error', 'failure', 'system-out', 'system-err')),
    'failure': ((), ('type', 'message'), ()),
    'error': ((), ('type', 'message'), ()),
    'system-out': ((), (), ()),
}
TIME = re.compile(r'(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?')


def check_schema(element: ElementTree.Element) -> None:
    required, optional, inside = SCHEMA[element.tag]
    assert set(required) <= set(element.attrib) <= {*required, *optional}, element.tag
    if element.tag in ('testsuites', 'testsuite') and 'time' in element.attrib:
        assert TIME.fullmatch(element.attrib['time'])
    for child in element:
        assert child.tag in inside, (element.tag, child.tag)
        check_schema(child)


@pytest.mark.parametrize('changes', [{}, {'checks': [], 'facts': [], 'seconds': None},
                                     {'seconds': 1.2e-7}])
def test_the_schema_accepts_it(changes):
    check_schema(ElementTree.fromstring(render_junit(sample_report(**changes))))


def test_a_stock_parser_tells_failures_from_errors(tmp_path):
    junitparser = pytest.importorskip('junitparser')
    path = tmp_path / 'junit.xml'
    path.write_bytes(render_junit(sample_report()))
    suite, = junitparser.JUnitXml.fromfile(str(path))
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (4, 1, 2, 0)
    results = {case.name: case.result for case in suite}
    assert results['psnr_db'] == []
    assert isinstance(results['latency_p99_ms'][0], junitparser.Failure)
    assert results['latency_p99_ms'][0].message == 'measured 72.30 ms, limit at most 50 ms'
    assert isinstance(results['map'][0], junitparser.Error)
    assert results['map'][0].type == 'inconclusive'
    assert results['recovery'][0].type == 'error'
    assert {case.classname for case in suite} == {'sample'}
    assert {p.name: p.value for p in suite.properties()}['Versions: package'] == '0.1.0'
