"""Rows of an earlier page join those of another run that judged alike, and no others."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.ablation.joined import join, read_earlier
from rgb2swir_ros.lab.ablation.page import page
from rgb2swir_ros.lab.ablation.pictures import read_bands
from rgb2swir_ros.lab.ablation.rows import ROWS

from .test_page import figure, row, summary  # noqa: F401 - a fixture

FILE = Path('ablation.json')


def compared(name, to, kind='difference'):
    return {'kind': kind, 'row': name, 'to': to, 'map': figure(.1, .05, .15),
            'small': figure(.2, .1, .3)}


def detectors(first, seeds, of):
    return {'first_seed': first, 'seeds': seeds, 'of': of}


@pytest.fixture
def earlier(summary):  # noqa: F811
    return {**copy.deepcopy(summary), 'machine': 'old', 'batch_share': .25,
            'rows': [row('grey', 'grey', .85, .2), row('unet_ldm', 'plain', .1, 3),
                     row('unet_scae_lge', 'both', .8, .3)],
            'compared': [compared('unet_scae_lge', 'unet_ldm', 'ratio'),
                         compared('unet_scae_lge', 'grey')],
            'transfer': [detectors(0, 2, 'earlier'), detectors(3, 1, 'earlier')]}


@pytest.fixture
def here(summary):  # noqa: F811
    return {**copy.deepcopy(summary), 'batch_share': .25,
            'rows': [row('unet_skips', 'skips', .6, 1), row('unet_ldm', 'plain', .15, 2.5),
                     row('teacher_50', 'teacher', .7, .7)],
            'compared': [compared('unet_skips_lge', 'unet_ldm', 'ratio')]}


def test_rows_of_both_are_in_the_order_of_the_table_and_those_of_here_win(here, earlier):
    joined = join(here, earlier, ROWS, FILE)
    assert [one['row'] for one in joined['rows']] == [
        'unet_ldm', 'unet_scae_lge', 'grey', 'unet_skips', 'teacher_50']
    assert joined['rows'][0] == here['rows'][1]
    assert joined['joined'] == ['unet_scae_lge', 'grey']
    assert joined['machine'] == 'old; m'
    assert joined['transfer'] == earlier['transfer']
    # 2.5, .3, .2, 1 and .7 against .15, .8, .85, .6 and .7: one order
    assert joined['frechet_and_map'] == -1


def test_detectors_of_other_seeds_join_and_those_of_the_same_are_replaced(here, earlier):
    here['transfer'] = [detectors(1, 2, 'here')]
    assert join(here, earlier, ROWS, FILE)['transfer'] == [
        detectors(1, 2, 'here'), detectors(3, 1, 'earlier')]
    here['transfer'] = [detectors(2, 1, 'here')]
    assert join(here, earlier, ROWS, FILE)['transfer'] == [
        detectors(0, 2, 'earlier'), detectors(2, 1, 'here'), detectors(3, 1, 'earlier')]


def test_a_comparison_stands_where_both_rows_are_of_one_run(here, earlier):
    joined = join(here, earlier, ROWS, FILE)
    assert [(one['row'], one['to']) for one in joined['compared']] == [
        ('unet_skips_lge', 'unet_ldm'), ('unet_scae_lge', 'grey')]


def test_the_page_says_which_rows_are_of_another_run(here, earlier):
    here['compared'] = []
    del earlier['transfer']
    text = page(join(here, earlier, ROWS, FILE))
    assert '2 of the 5 rows were trained and judged by earlier runs of it' in text
    assert 'joined with `--join`: both; grey. Rows' in text
    assert 'earlier run' not in page(here)


@pytest.mark.parametrize(('change', 'told'), [
    ({'share': .5}, 'share 0.5 there, 0.25 here'), ({'frames': 100}, 'frames 100 there'),
    ({'detector': 'other'}, 'detector other there, judge here'),
    ({'command': 'rgb2swir ablate --data d --scenes 30'}, '--scenes 30 there, 100 here'),
    ({'command': 'rgb2swir ablate --pairs p --every 2'}, '--pairs is given there, is not given'),
    ({'true': {'objects': 1000, 'map': {'map': figure(.35, .33, .39)}}},
     'map map high of true SWIR 0.39 there, 0.37 here'),
    ({'true': {'objects': 999, 'map': {}}}, 'objects of true SWIR 999 there, 1000.0 here')])
def test_rows_that_were_judged_otherwise_are_refused(here, earlier, change, told):
    here['command'] = 'rgb2swir ablate --data scenes --output out --scenes 100 --resamples 20'
    with pytest.raises(UserError, match='would not compare') as error:
        join(here, {**earlier, **change}, ROWS, FILE)
    assert told in str(error.value)


def test_places_may_be_called_otherwise_and_rounding_is_none(here, earlier):
    here['command'] = 'rgb2swir ablate --data a --pairs b c --scenes 30 --resamples 20 --pages d'
    earlier['command'] = 'rgb2swir ablate --data b c --pairs three --output o --scenes 30'
    earlier['true']['map']['map']['value'] += 1e-5
    assert len(join(here, earlier, ROWS, FILE)['rows']) == 5


def test_what_ships_can_be_joined():
    shipped = Path(__file__).parents[3] / 'docs' / 'ablation.json'
    earlier = read_earlier(shipped)
    bands = read_bands(shipped.parent / 'images' / 'ablation.jpg',
                       [one['row'] for one in earlier['rows']], (278, 1280, 3))
    assert len(bands) == len(earlier['rows'])


def test_bands_are_those_of_their_rows(tmp_path):
    sheet = np.repeat(np.array([10, 60, 110, 160], np.uint8), 24)[:, None, None]
    cv2.imwrite(str(tmp_path / 'sheet.png'), np.broadcast_to(sheet, (96, 32, 3)))
    bands = read_bands(tmp_path / 'sheet.png', ['grey', 'canary'], (24, 32, 3))
    assert [(name, band.mean(), band.shape) for name, band in bands.items()] == [
        ('grey', 110, (24, 32, 3)), ('canary', 160, (24, 32, 3))]
    for names, shape in ((['grey'], (24, 32, 3)), (['grey', 'canary'], (24, 40, 3))):
        with pytest.raises(UserError, match='is no sheet of the'):
            read_bands(tmp_path / 'sheet.png', names, shape)


def test_figures_of_something_else_are_refused(tmp_path):
    for text in ('[]', 'null', '{"rows": []}', '{', json.dumps({'rows': [{'row': 'grey'}]})):
        (tmp_path / 'x.json').write_text(text)
        with pytest.raises(UserError, match=r'--join .*x\.json: give the ablation\.json'):
            read_earlier(tmp_path / 'x.json')
