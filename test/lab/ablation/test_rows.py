"""The rows, and the trainings that they share."""

from dataclasses import replace

import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.ablation.presets import VariantPresets, small_batch
from rgb2swir_ros.lab.ablation.rows import (
    CANARY,
    DIT,
    GREY,
    LOOKUP,
    ROWS,
    TREES,
    UNET,
    Row,
    Task,
    chosen_rows,
    trainings,
)
from rgb2swir_ros.lab.training.preset import read_preset


def row(name: str) -> Row:
    return next(one for one in ROWS if one.name == name)


def test_the_core_comes_first_and_has_both_corners_and_two_seeds():
    core = [one.name for one in ROWS if one.core]
    assert [one.name for one in ROWS[:len(core)]] == core
    corners = [f'unet_{name}' for name in ('ldm', 'scae', 'lge', 'scae_lge')]
    assert set(core) == {*corners, *(f'{name}_seed1' for name in corners), 'canary', 'dit_ldm',
                         'dit_scae_lge'}
    assert [row(f'{name}_seed1').seed for name in corners] == [1] * 4
    assert [row(f'{name}_seed1').variant for name in corners] == [
        row(name).variant for name in corners]


def test_names_are_unique_and_every_baseline_is_there():
    names = [one.name for one in ROWS]
    assert len(set(names)) == len(names)
    assert {GREY, LOOKUP, TREES, CANARY} <= set(names)
    titles = [one.title for one in ROWS]
    assert len(set(titles)) == len(titles)
    tasks = trainings(ROWS)
    assert len({task.name for task in tasks}) == len(tasks)


def test_autoencoders_are_shared_where_their_switches_agree():
    autoencoders = {name: row(name).task.chain()[0] for name in (
        'unet_ldm', 'unet_lge', 'dit_ldm', 'unet_scae', 'dit_scae_lge', 'unet_scae_lge_no_lpl',
        'teacher_4', 'unet_skips', 'unet_skips_lge', 'unet_skips_gain', 'unet_ldm_seed1')}
    assert len(set(autoencoders.values())) == 5
    assert autoencoders['unet_ldm'] == autoencoders['unet_lge'] == autoencoders['dit_ldm']
    assert (autoencoders['unet_scae'] == autoencoders['dit_scae_lge'] == autoencoders['teacher_4']
            == autoencoders['unet_scae_lge_no_lpl'])
    assert autoencoders['unet_skips'] == autoencoders['unet_skips_lge']


def test_teachers_and_students_of_the_full_method_share_one_teacher():
    teacher = row('teacher_50').task
    assert teacher.what == 'teacher'
    assert teacher == row('teacher_4').task == row('student_2').task.start
    assert teacher == row('unet_scae_lge').task.start
    assert [row(name).task.steps for name in ('unet_scae_lge', 'student_2', 'student_4')] == [
        1, 2, 4]


def test_a_training_comes_after_the_one_that_it_starts_from():
    tasks = trainings(ROWS)
    for number, task in enumerate(tasks):
        assert task.start is None or tasks.index(task.start) < number


def test_rows_are_chosen_by_name_in_their_own_order():
    assert [one.name for one in chosen_rows(['grey', 'unet_ldm'])] == ['unet_ldm', 'grey']
    assert chosen_rows([]) == list(ROWS)
    with pytest.raises(UserError, match=r'--only unet_lmd: .*unet_ldm, '):
        chosen_rows(['unet_lmd'])


@pytest.mark.parametrize('one', [r for r in ROWS if r.variant and not r.seed],
                         ids=lambda r: r.name)
def test_a_preset_differs_from_its_base_in_the_switches_alone(one, tmp_path):
    presets = VariantPresets(tmp_path, {UNET: 'nano', DIT: 'nano_dit'})
    made = read_preset(str(presets.write(one.task)))
    base = read_preset('nano_dit' if one.variant.denoiser == DIT else 'nano')
    switches = made.model.autoencoder
    assert (switches.source_skips, switches.fine_gain, switches.guided_filter) == (
        one.variant.skips, one.variant.gain, one.variant.filtered)
    assert made.model.guidance.learned == one.variant.learned
    assert made.model.denoiser == base.model.denoiser
    assert (switches.widths, switches.source_widths) == (
        base.model.autoencoder.widths, base.model.autoencoder.source_widths)
    for part in ('autoencoder', 'teacher', 'student'):
        assert getattr(made, part).stages == getattr(base, part).stages
    shares = {made.teacher.lpl_share, made.student.lpl_share}
    assert shares == ({.2} if one.variant.lpl else {0})
    assert presets.write(one.task).read_text() == presets.write(one.task).read_text()


def test_the_full_method_is_the_preset_that_ships(tmp_path):
    presets = VariantPresets(tmp_path, {UNET: 'nano', DIT: 'nano_dit'})
    made = read_preset(str(presets.write(row('unet_scae_lge').task)))
    nano = read_preset('nano')
    assert made.model.autoencoder == nano.model.autoencoder
    assert made.model.guidance == nano.model.guidance
    assert (made.autoencoder, made.teacher, made.student) == (
        nano.autoencoder, nano.teacher, nano.student)


def test_small_batches_have_smaller_rates_and_all_else_stays(tmp_path):
    bases = {UNET: 'nano', DIT: 'nano_dit'}
    usual, small = VariantPresets(tmp_path, bases), VariantPresets(tmp_path, bases, .25)
    made = read_preset(str(small.write(row('dit_scae_lge').task)))
    assert made.student == small.base.student
    for part in ('autoencoder', 'teacher', 'student'):
        before, after = getattr(usual.base, part), getattr(small.base, part)
        assert replace(after, stages=before.stages) == before
        for one, other in zip(before.stages, after.stages, strict=True):
            assert (other.batch, other.rate) == (one.batch / 4, one.rate / 2)
            assert replace(other, batch=one.batch, rate=one.rate) == one


def test_a_batch_has_one_pair_at_least():
    assert small_batch(8, 1e-3, .01) == (1, pytest.approx(1e-3 / 8 ** .5))


def test_what_loosens_the_filter_goes_with_it(tmp_path):
    base = tmp_path / 'base.yaml'
    base.write_text('like: nano\nmodel:\n  autoencoder: {learned_guide: true, filter_window: 3}\n'
                    '  guidance: {channels: 64}\n')
    presets = VariantPresets(tmp_path / 'made', {UNET: str(base), DIT: 'nano_dit'})
    full, plain = (read_preset(str(presets.write(row(name).task))).model.autoencoder
                   for name in ('unet_scae_lge', 'unet_ldm'))
    assert (full.learned_guide, full.filter_window) == (True, 3)
    assert not plain.learned_guide


def test_the_canary_has_no_preset(tmp_path):
    presets = VariantPresets(tmp_path, {UNET: 'nano', DIT: 'nano_dit'})
    with pytest.raises(ValueError, match='canary'):
        presets.write(Task('canary', None, 0))
