"""The page of the ablation says what its figures say."""

import json
from pathlib import Path

import pytest

from rgb2swir_ros.lab.ablation.page import figure_text, page
from rgb2swir_ros.lab.ablation.summary import rank_correlation
from rgb2swir_ros.resources import share_directory

DOCS = share_directory() / 'docs'
README = Path(__file__).parents[3] / 'README.md'
# the rows that the README shows
SHOWN = ('unet_ldm', 'unet_scae', 'unet_lge', 'unet_scae_lge', 'canary', 'grey')


def figure(value, low=None, high=None):
    return {'value': value, 'low': low, 'high': high}


def row(name, title, ratio, frechet, **more):
    areas = {area: {'value': figure(.1), 'to_true': figure(ratio, ratio - .05, ratio + .05)}
             for area in ('map', 'map50', 'small', 'medium', 'large')}
    return {'row': name, 'title': title, 'frechet': frechet, 'psnr': 19.5, 'ssim': .7,
            'edges': .6, 'gigaflop': None, 'milliseconds': 12.25, 'minutes': 18.0,
            'map': areas, **more}


@pytest.fixture
def summary():
    return {
        'command': 'rgb2swir ablate --data scenes --output out', 'share': .25, 'machine': 'm',
        'detector': 'judge', 'min_side': 6.0, 'frames': 240,
        'true': {'objects': 1000, 'contrast_objects': 300, 'scenes': 60,
                 'map': {'map': figure(.35, .33, .37)}},
        'rows': [row('unet_ldm', 'plain', .4, 3.0), row('canary', 'direct', .8, 1.25,
                                                        gigaflop=14.4, still=figure(.9))],
        'compared': [{'kind': 'difference', 'row': 'canary', 'to': 'unet_ldm',
                      'map': figure(.1, .05, .15), 'small': figure(.2, .1, .3)}],
        'frechet_and_map': None}


def test_the_page_has_the_figures_and_what_makes_them(summary):
    text = page(summary)
    assert '| plain | 0.400 [0.350, 0.450] | 0.400 [0.350, 0.450] |' in text
    assert 'True SWIR: mAP all 0.350 [0.330, 0.370]' in text
    assert '| direct, mAP less that of | plain | 0.100 [0.050, 0.150] | 0.200 [0.100' in text
    assert 'rgb2swir ablate --data scenes --output out' in text
    assert 'thinner than 6 pixels' in text
    assert '14.4' in text
    assert '| 1.250 |' in text
    assert 'FID |' not in text  # no row has one
    assert 'What is concluded' not in text
    assert "in 0.25 of the presets' steps, and judged" in text


def test_small_batches_are_said(summary):
    assert "steps with 0.25 of their batches, and judged" in page({**summary, 'batch_share': .25})


def test_what_is_concluded_and_what_is_correlated_is_on_the_page(summary):
    text = page({**summary, 'concluded': 'Nothing is earned.\n', 'frechet_and_map': -.5})
    assert '## What is concluded\n\nNothing is earned.\n\n## Detection' in text
    assert ': -0.50 (' in text


def test_detectors_trained_on_translations_have_a_table(summary):
    assert 'training data' not in page(summary)
    figures = {'map': figure(.2, .1, .3), 'small': figure(.05)}
    source = {'name': 'true SWIR', 'by_seed': [.19, .21], 'figures': figures, 'to_true': {},
              'to_last': {'map': figure(.04, -.01, .09)}}
    other = {**source, 'name': 'grey', 'to_true': {'map': figure(.8, .7, .9)}, 'to_last': {}}
    run = {'command': 'rgb2swir evaluate transfer --data d', 'steps': 40, 'batch': 4, 'seeds': 2,
           'first_seed': 0, 'sources': [source, other]}
    third = {**run, 'seeds': 1, 'first_seed': 2, 'command': 'rgb2swir evaluate transfer --data e'}
    text = page({**summary, 'transfer': [run, third]})
    assert text.count('## Translations as training data') == 1
    assert ('From seed 0 and 1, in 40 steps of 4 crops:\n\n```\n'
            'rgb2swir evaluate transfer --data d\n```') in text
    assert ('From seed 2, in 40 steps of 4 crops:\n\n```\n'
            'rgb2swir evaluate transfer --data e\n```') in text
    assert "| trained on | mAP | over true SWIR's | less that of grey |" in text
    assert '| true SWIR | 0.200 [0.100, 0.300] |  | 0.040 [-0.010, 0.090] | 0.050 | 0.190' in text
    assert '| grey | 0.200 [0.100, 0.300] | 0.800 [0.700, 0.900] |  |' in text


def test_ranks_are_correlated():
    assert rank_correlation([(1, .1), (2, .2), (3, .3), (10, .35)]) == 1
    assert rank_correlation([(1, .3), (2, .2), (3, .1), (4, None)]) == -1
    assert rank_correlation([(1, 1), (2, 2), (None, 3)]) is None


@pytest.fixture(scope='module')
def shipped():
    return json.loads((DOCS / 'ablation.json').read_text())


def test_the_page_that_ships_is_that_of_its_figures(shipped):
    assert (DOCS / 'ablation.md').read_text() == page(shipped)


def test_the_readme_has_the_figures_of_the_page(shipped):
    rows = {row['row']: row for row in shipped['rows']}
    readme = README.read_text()
    for name in SHOWN:
        row = rows[name]
        told = [row['title'], *(figure_text(row['map'][area]['to_true'])
                                for area in ('map', 'small', 'contrast')),
                f"{row['order']['value']:.3f}", f"{row['real_rank']['value']:.3f}",
                f"{row['real_coarse']['value']:.3f}"]
        assert f"| {' | '.join(told)} |" in readme
