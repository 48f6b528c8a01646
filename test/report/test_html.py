import re
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser

import numpy as np
import pytest

from rgb2swir_ros.report.html import render_html, write_html
from rgb2swir_ros.report.model import Column, Report, Section, Series, Table, TimePlot, Value
from rgb2swir_ros.report.svg import COLOURS, MOST_POINTS, _dash, thinned, time_plot

from .sample import sample_report

VOID = {'meta', 'img', 'br', 'link', 'input', 'hr'}


class Page(HTMLParser):
    """All elements of a page; fails where one is not closed in its place."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]


@pytest.fixture(scope='module')
def page() -> Page:
    return Page(render_html(sample_report()))


def test_texts_cannot_break_the_page(page):
    assert not page.all('script')
    assert ''.join(page.texts).count('<script>alert("1")</script>') >= 5
    assert not [name for _, attrs in page.elements for name in attrs if name.startswith('on')]


def test_nothing_is_fetched_from_anywhere(page):
    for tag, attrs in page.elements:
        for name in ('src', 'href', 'xlink:href', 'data', 'action', 'srcset'):
            if (value := attrs.get(name)) is not None:
                assert value.startswith(('data:image/jpeg;base64,', '#')), (tag, name, value[:60])
    policy, = (m['content'] for m in page.all('meta') if 'http-equiv' in m)
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert not re.search(r'@import|url\((?!#)', render_html(sample_report()).split('<body>')[0])


def test_ids_are_unique_and_references_lead_somewhere(page):
    ids = Counter(a['id'] for _, a in page.elements if 'id' in a)
    assert max(ids.values()) == 1
    for _, attrs in page.elements:
        for name in ('aria-labelledby', 'aria-describedby'):
            assert set((attrs.get(name) or '').split()) <= set(ids)
        for name in ('href', 'xlink:href'):
            if (attrs.get(name) or '').startswith('#'):
                assert attrs[name][1:] in ids
    assert any(i.startswith('i2-') for i in ids)  # of the plots


def test_it_works_without_eyes_and_without_a_mouse(page):
    assert page.all('html')[0]['lang'] == 'en'
    assert all(image['alt'] for image in page.all('img'))
    assert all(head.get('scope') in ('col', 'row') for head in page.all('th'))
    assert page.all('a')[0] == {'class': 'skip', 'href': '#content'}
    for _, attrs in page.elements:  # what scrolls can be reached by the tab key and has a name
        if attrs.get('class') in ('scroll', 'plot'):
            assert attrs['tabindex'] == '0'
            assert 'aria-label' in attrs or 'aria-labelledby' in attrs
    assert 'total: 3000 values from 26.1 to 99, median 29.9' in ''.join(page.texts)


def test_a_verdict_is_a_word_and_not_only_a_colour(page):
    text = ' '.join(''.join(page.texts).split())
    assert '! error' in text
    assert 'checks: 1 pass, 1 inconclusive, 1 fail, 1 error' in text


def test_plots_take_the_colours_of_the_page(page):
    text = render_html(sample_report())
    assert '#010203' not in text
    assert 'currentColor' in text
    assert '>overload</text>' in text  # text stays text


def test_a_time_line_is_drawn_and_told_in_words(page):
    text = ''.join(page.texts)
    assert 'phase overload $a_: from 50 to 80' in text
    assert '>overload $a_</text>' in render_html(sample_report())


def test_the_same_report_gives_the_same_page(tmp_path):
    write_html(tmp_path / 'a.html', sample_report())
    write_html(tmp_path / 'b.html', sample_report())
    assert (tmp_path / 'a.html').read_bytes() == (tmp_path / 'b.html').read_bytes()


def test_an_empty_report_and_an_empty_plot_are_pages():
    empty = TimePlot('Nothing', [Series('none', [], [])])
    text = render_html(sample_report(checks=[], facts=[], seconds=None,
                                     sections=[Section('Empty', [empty])]))
    assert 'none: no values' in text
    assert 'id="checks"' not in text
    Page(text)


def test_a_thinned_line_keeps_its_peaks_and_gaps():
    y = np.random.default_rng(0).standard_normal(100_000)
    y[54_321], y[70_000] = 50, -60
    y[10_000:12_000] = np.nan
    x, kept = thinned(Series('a', np.arange(len(y)), y))
    assert len(x) <= MOST_POINTS
    assert np.nanmax(kept) == 50
    assert np.nanmin(kept) == -60
    assert x[np.nanargmax(kept)] == 54_321
    assert np.isnan(kept).any()
    assert (np.diff(x) > 0).all()


def test_a_missing_library_is_named():
    code = ('import sys; sys.modules["jinja2"] = None\n'
            'from rgb2swir_ros.report.html import render_html\n'
            'from rgb2swir_ros.report.model import Report\n'
            'render_html(Report("a", "A", "", ""))')
    ended = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert "UserError" in ended.stderr
    assert "pip install 'rgb2swir_ros[report]'" in ended.stderr


def test_many_long_names_have_their_place_beside_a_plot():
    """Nothing of a legend is cut off, the plot keeps its height, no two lines look alike."""
    names = [f'nano: drive_{k:02} /front/image_raw/compressed' for k in range(18)]
    x = np.arange(5.)
    few, many = (time_plot(TimePlot('t', [Series(name, x, x + k) for k, name in enumerate(chosen)],
                                    'x'), 'a') for chosen in (names[:1], names))
    (width, height), (_, low) = (map(float, re.search(r'viewBox="0 0 (\S+) (\S+)"', svg).groups())
                                 for svg in (many, few))
    places = re.findall(r'<text [^>]* x="([-\d.]+)"[^>]*>nano: ', many)
    assert len(places) == len(names)
    letters = 4.4  # points that a letter of the legend takes, at most
    assert all(0 <= float(place) <= width - letters * len(names[0]) for place in places)
    assert height > low + 90
    looks = {(COLOURS[k % len(COLOURS)], _dash(k)) for k in range(18)}
    assert len(looks) == 18


def test_a_heading_stands_where_its_cells_stand():
    table = Table('t', [Column('a', 'name'), Column('b', 'words'), Column('c', 'figures')],
                  [{'a': 'x', 'b': 'dB', 'c': 1.5}, {'a': 'y', 'c': None}])
    page = render_html(Report('r', 'R', '', 'now', sections=[Section('S', [table])]))
    found = {name: kind for kind, name in re.findall(
        r'<th scope="col"(| class="number")>(\w+)<', page)}
    assert found == {'name': '', 'words': '', 'figures': ' class="number"'}


def test_an_interval_may_stand_below_its_figure():
    """Two models and their difference would reach over the edge of a screen otherwise."""
    table = Table('t', [Column('a', 'name'), Column('b', 'figure')],
                  [{'a': 'x', 'b': Value(.5, .25, .75)}, {'a': 'y', 'b': Value(.5)}])
    page = render_html(Report('r', 'R', '', 'now', sections=[Section('S', [table])]))
    assert '<span>0.500</span> <span>[0.250, 0.750]</span></td>' in page
    assert '<span>0.500</span></td>' in page
    assert 'td.number span { white-space: nowrap; }' in page
