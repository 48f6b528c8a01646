"""A report's checks as JUnit XML, in the form that Jenkins' schema (junit-10.xsd) accepts.

A check is a case. A failed one has a ``failure``; one that could not be carried out, or that was
inconclusive, has an ``error`` whose type says which, so that no tool counts it as passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

from rgb2swir_ros.ownership import write_bytes
from rgb2swir_ros.report.model import Cell, Check, Report, Verdict
from rgb2swir_ros.report.text import cell_text, fact_text, storable


def write_junit(target: Path, report: Report, *, replace: bool = True) -> int:
    """Write the checks as JUnit XML and return the size in bytes.

    :param replace: as of `rgb2swir_ros.ownership.finished`.
    """
    return write_bytes(target, render_junit(report), replace=replace)


def render_junit(report: Report) -> bytes:
    """Return the checks as JUnit XML in UTF-8; names and values of facts are properties."""
    verdicts = [check.verdict for check in report.checks]
    failures = verdicts.count(Verdict.FAIL)
    errors = verdicts.count(Verdict.ERROR) + verdicts.count(Verdict.INCONCLUSIVE)
    counts = {'tests': str(len(verdicts)), 'failures': str(failures), 'errors': str(errors)}
    root = ElementTree.Element('testsuites', {'name': storable(report.name), **counts})
    # the schema's times are digits without a sign, of at most three before the point: no exponent
    seconds = {} if report.seconds is None else {'time': f'{max(report.seconds, 0):.3f}'}
    suite = ElementTree.SubElement(root, 'testsuite', {
        'name': storable(report.name), **counts, 'skipped': '0',
        'timestamp': storable(report.created), **seconds})
    properties = ElementTree.SubElement(suite, 'properties')
    for name, value in _properties(report).items():
        ElementTree.SubElement(properties, 'property', {
            'name': storable(name), 'value': storable(fact_text(value))})
    for check in report.checks:
        _case(suite, report.name, check)
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding='utf-8', xml_declaration=True)) + b'\n'


def _properties(report: Report) -> Mapping[str, Cell]:
    return {f'{facts.title}: {name}': value for facts in report.facts
            for name, value in facts.entries.items()}


def _case(suite: ElementTree.Element, name: str, check: Check) -> None:
    case = ElementTree.SubElement(suite, 'testcase', {
        'classname': storable(name), 'name': storable(check.name), 'time': '0'})
    says = storable(_says(check))
    if check.verdict is Verdict.PASS:
        ElementTree.SubElement(case, 'system-out').text = says
        return
    tag = 'failure' if check.verdict is Verdict.FAIL else 'error'
    problem = ElementTree.SubElement(case, tag, {'type': str(check.verdict), 'message': says})
    problem.text = says


def _says(check: Check) -> str:
    """Return a check in one line: ``measured 51.2 ms, limit at most 50 ms``."""
    unit = f' {check.unit}' if check.unit else ''
    measured = '' if check.measured is None else f'measured {cell_text(check.measured, 4)}{unit}'
    limit = f'limit {check.limit}{unit}' if check.limit else ''
    return ', '.join(part for part in (measured, limit, check.message) if part) or str(
        check.verdict)
