"""Faults and sources of other packages, and the documents of ours."""

from __future__ import annotations

import itertools
import re
import sys
import types
from dataclasses import fields
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

from rgb2swir_ros.checked import Place
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.hil import plugins
from rgb2swir_ros.hil.fault_entries import parse_faults
from rgb2swir_ros.hil.faults import RADIANCE, fault_kinds
from rgb2swir_ros.hil.frame import HilFrame
from rgb2swir_ros.hil.injection import FaultFailed, Injector
from rgb2swir_ros.hil.measures import MEASURES
from rgb2swir_ros.hil.responders import load_responder, responder_kinds
from rgb2swir_ros.hil.sections import SourceSection
from rgb2swir_ros.hil.source import Picture, PictureSource, open_pictures, restamped

DOCUMENT = (Path(__file__).parents[2] / 'docs' / 'hil.md').read_text()


@pytest.fixture
def module(monkeypatch):
    """Yield a module that entry points can name; its content is the example of the document."""
    made = types.ModuleType('my_bench_faults')
    monkeypatch.setitem(sys.modules, made.__name__, made)
    example = next(text for text in re.findall(r'```python\n(.*?)```', DOCUMENT, re.DOTALL)
                   if 'class Lightning' in text)
    exec(compile(example, 'docs/hil.md', 'exec'), made.__dict__)
    return made


def provide(monkeypatch, group: str, *entries: tuple[str, str]) -> None:
    given = [EntryPoint(name, value, group) for name, value in entries]
    monkeypatch.setattr(plugins, 'entries_of',
                        lambda wanted: [one for one in given if one.group == wanted])


def test_the_fault_of_the_document_works_as_one_of_ours(module, monkeypatch):
    provide(monkeypatch, 'rgb2swir_ros.faults', ('lightning', 'my_bench_faults:Lightning'))
    faults = parse_faults([{'kind': 'lightning', 'every': 4}], Place('p', keys=('faults',)),
                          cameras=['a'], start_ns=0, end_ns=10**12)
    injector = Injector(faults, 1, 10**8)
    dark = np.zeros((8, 8), np.float32)
    out = [injector.apply(HilFrame('a', i, i * 10**8, dark, 0), RADIANCE)[0][0]
           for i in range(200)]
    bright = [one for one in out if one.pixels.all()]
    assert .15 < len(bright) / len(out) < .35
    assert {one.faults for one in bright} == {('lightning',)}
    with pytest.raises(UserError, match=r'every is 0, but must be a whole number in \[1, 10000\]'):
        parse_faults([{'kind': 'lightning', 'every': 0}], Place('p', keys=('faults',)),
                     cameras=['a'], start_ns=0, end_ns=1)


@pytest.mark.parametrize(('applied', 'says'), [
    (lambda frame, context: 1 / 0, 'failed on frame 3 of a: ZeroDivisionError: division by zero'),
    (lambda frame, context: frame, 'returned HilFrame, and not a list of HilFrame'),
    (lambda frame, context: None, 'returned NoneType'),
    (lambda frame, context: [frame.pixels], 'returned list')])
def test_a_fault_that_does_not_work_is_named(module, monkeypatch, applied, says):
    monkeypatch.setattr(module.Lightning, 'apply', lambda self, *given: applied(*given))
    provide(monkeypatch, 'rgb2swir_ros.faults', ('lightning', 'my_bench_faults:Lightning'))
    faults = parse_faults([{'kind': 'lightning', 'name': 'storm'}], Place('p', keys=('faults',)),
                          cameras=['a'], start_ns=0, end_ns=10**12)
    frame = HilFrame('a', 3, 3 * 10**8, np.zeros((8, 8), np.float32), 0)
    with pytest.raises(FaultFailed) as caught:
        Injector(faults, 1, 10**8).apply(frame, RADIANCE)
    assert str(caught.value).startswith("the fault 'storm' of the kind 'lightning' " + says)


@pytest.mark.parametrize(('name', 'value', 'says'), [
    ('flash', 'nowhere:Flash', "'flash = nowhere:Flash' .* cannot be loaded: ModuleNotFoundError"),
    ('flash', 'json:dumps', 'is no class derived from rgb2swir_ros.hil.faults.base.Fault'),
    ('drop', 'my_bench_faults:Lightning', "the name 'drop' is taken")])
def test_an_entry_point_that_is_no_fault_is_named(module, monkeypatch, name, value, says):
    provide(monkeypatch, 'rgb2swir_ros.faults', (name, value))
    with pytest.raises(UserError, match=says):
        fault_kinds()


def test_the_source_of_the_document_gets_its_options_and_has_its_camera(module, monkeypatch):
    example = next(text for text in re.findall(r'```python\n(.*?)```', DOCUMENT, re.DOTALL)
                   if 'class Stripes' in text)
    exec(compile(example, 'docs/hil.md', 'exec'), module.__dict__)
    provide(monkeypatch, 'rgb2swir_ros.sources', ('stripes', 'my_bench_faults:Stripes'))
    source = open_pictures(SourceSection(kind='stripes', options={'width': 64}), Path())
    frames = list(itertools.islice(restamped(source, (64, 64), 0), 70))
    assert [frame.time_ns for frame in frames[59:62]] == [5_900_000_000, 6 * 10**9, 6_100_000_000]
    assert frames[0].rgb.shape == (48, 64, 3)
    assert frames[0].info.k[0] == pytest.approx(.9 * 64)
    with pytest.raises(UserError, match="'width' is 'x', but must be"):
        open_pictures(SourceSection(kind='stripes', options={'width': 'x'}), Path())


@pytest.mark.parametrize(('rgb', 'says'), [
    (np.zeros((4, 4)), r'float64 \(4, 4\), but must be uint8'),
    (np.zeros((4, 4, 4), np.uint8), r'uint8 \(4, 4, 4\), but')])
def test_what_is_no_picture_is_refused(rgb, says):
    class Odd(PictureSource):
        def pictures(self):
            yield Picture(0, rgb)
    with pytest.raises(UserError, match='a picture of the source is ' + says):
        next(restamped(Odd(SourceSection(), Path()), (64, 64), 0))


def test_the_responder_of_the_document_answers(module, monkeypatch):
    pytest.importorskip('geometry_msgs')
    example = next(text for text in re.findall(r'```python\n(.*?)```', DOCUMENT, re.DOTALL)
                   if 'class Middle' in text)
    exec(compile(example, 'docs/hil.md', 'exec'), module.__dict__)
    provide(monkeypatch, 'rgb2swir_ros.responders', ('middle', 'my_bench_faults:Middle'))
    responder = load_responder(responder_kinds()['middle'], {'x': .25})
    assert responder.respond(types.SimpleNamespace(width=320)).point.x == 80
    provide(monkeypatch, 'rgb2swir_ros.responders', ('detector', 'my_bench_faults:Middle'))
    with pytest.raises(UserError, match='the name is taken'):
        responder_kinds()
    with pytest.raises(UserError, match="is no responder: it has no 'respond'"):
        load_responder('collections:Counter', {})
    with pytest.raises(UserError, match='cannot be made'):
        load_responder('types:ModuleType', {})


def test_the_document_has_every_fault_with_its_points_and_parameters(monkeypatch):
    provide(monkeypatch, 'rgb2swir_ros.faults')  # without those of other packages
    rows = re.findall(r'^\| (`[a-z_`, ]+) \| ([a-z, ]+) \| (.*?) \|', DOCUMENT, re.MULTILINE)
    table = {name: (points, parameters) for names, points, parameters in rows
             for name in re.findall(r'`(\w+)`', names)}
    for name, kind in fault_kinds().items():
        points, parameters = table[name]
        assert points.split(', ') == list(kind.points)
        assert {one.name for one in fields(kind)} <= set(re.findall(r'`(\w+)`', parameters))


def test_every_measure_has_its_unit():
    assert all(re.match(r'(ms|s|frames|events|share)\b', text) for text in MEASURES.values())
