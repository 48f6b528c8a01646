"""The page in a real browser, headless: where there is Chromium, and words where there is none."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from rgb2swir_ros.report.html import render_html

from .sample import sample_report

NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable',
         'chromium-headless-shell')
# Runs after the page: what it measures becomes the page's title.
PROBE = '''<script>
const wide = [...document.querySelectorAll("body *")].filter(e => !e.closest(".scroll, .plot")
    && e.getBoundingClientRect().right > window.innerWidth + 1 && !e.matches(".skip"));
const stops = [];
for (const e of document.querySelectorAll("a[href], summary, [tabindex='0']")) {
  e.focus();
  if (document.activeElement !== e) stops.push(e.outerHTML.slice(0, 60));
}
const inks = document.querySelector("svg text");
document.title = "MEASURED" + JSON.stringify({
  width: window.innerWidth, page: document.documentElement.scrollWidth,
  wide: wide.map(e => e.outerHTML.slice(0, 80)), unreachable: stops,
  pictures: [...document.images].map(i => i.naturalWidth),
  ink: getComputedStyle(inks).fill, text: getComputedStyle(document.body).color,
  skip: document.querySelector(".skip").getBoundingClientRect().right,
  words: document.body.innerText.includes("<script>alert")}) + "END";
</script></body>'''


@pytest.fixture(scope='module')
def browser() -> str:
    """Return Chromium's path, or skip."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    pytest.skip(f'no browser: none of {", ".join(NAMES)} is on the path')


def run(browser: str, folder: Path, *words: str) -> str:
    ended = subprocess.run(
        [browser, '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
         '--no-first-run', '--virtual-time-budget=4000', f'--user-data-dir={folder / "profile"}',
         *words], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr[-2000:]
    return ended.stdout


def measured(browser: str, folder: Path, width: int, *words: str) -> dict:
    # the page's own policy forbids scripts: the copy that is measured goes without it
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', '',
                  render_html(sample_report())).replace('</body>', PROBE)
    page = folder / f'page{width}.html'
    # a frame of that width: a window has a least width of its own
    page.write_text(text)
    dumped = run(browser, folder, f'--window-size={width},900', '--dump-dom', *words,
                 page.as_uri())
    title = re.search(r'MEASURED(\{.*?\})END', dumped, re.DOTALL)
    assert title, dumped[:500]
    return json.loads(title[1].replace('&lt;', '<').replace('&gt;', '>').replace('&amp;', '&'))


@pytest.mark.parametrize('width', [1280, 500])
def test_nothing_reaches_over_the_edge_and_all_can_be_reached(browser, tmp_path, width):
    found = measured(browser, tmp_path, width)
    assert found['width'] == width
    assert found['page'] <= width
    assert found['wide'] == []
    assert found['unreachable'] == []
    assert found['pictures']
    assert all(found['pictures'])
    assert found['words']  # a hostile text is shown as it is
    assert found['ink'] == found['text'] == 'rgb(27, 31, 36)'


def test_dark_mode_changes_the_plots_too(browser, tmp_path):
    found = measured(browser, tmp_path, 1280, '--blink-settings=preferredColorScheme=0')
    if found['text'] == 'rgb(27, 31, 36)':
        pytest.skip('this browser takes no colour scheme from its command line')
    assert found['ink'] == found['text']


def test_its_own_policy_lets_no_script_run(browser, tmp_path):
    page = tmp_path / 'page.html'
    page.write_text(render_html(sample_report()).replace(
        '</body>', '<script>document.title = "RAN"</script></body>'))
    assert 'RAN</title>' not in run(browser, tmp_path, '--dump-dom', page.as_uri())


def test_it_prints_on_pages_with_all_details_open(browser, tmp_path):
    page, printed = tmp_path / 'page.html', tmp_path / 'page.pdf'
    page.write_text(render_html(sample_report()))
    run(browser, tmp_path, '--no-pdf-header-footer', f'--print-to-pdf={printed}', page.as_uri())
    assert printed.read_bytes().startswith(b'%PDF')
    if not (reader := shutil.which('pdftotext')):
        pytest.skip('pdftotext is not there to read the print: the rest holds')
    text = subprocess.run([reader, str(printed), '-'], capture_output=True, text=True,
                          check=True).stdout
    assert 'total: 3000 values' in ' '.join(text.split())  # inside of a closed <details>
    assert 'Skip to the content' not in text
