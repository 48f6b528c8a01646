"""Presets: those that come along, and what is refused, with file, key and value."""

from dataclasses import replace

import pytest
import yaml

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.training.preset import Stage, TeacherTrainingConfig, read_preset
from rgb2swir_ros.model_presets import PRESETS
from rgb2swir_ros.nets.dit import DiTConfig
from rgb2swir_ros.nets.unet import UNetConfig
from rgb2swir_ros.translator import TranslatorConfig

KNOWN = sorted(path.stem for path in PRESETS.glob('*.yaml'))
OTHER_STEPS = {'nano_gpu': 'nano'}  # presets that differ in their steps, and the model they train
# presets of further rounds: the model whose students they train on, and their only stage
FURTHER = {'nano_tune': ('nano', 'pixels'), 'nano_finish': ('nano', 'finish')}


@pytest.mark.parametrize('name', KNOWN)
def test_presets_that_come_along_are_whole(name):
    preset = read_preset(name)
    assert preset.name == name
    model, *stages = FURTHER.get(name, (OTHER_STEPS.get(name, name), 'latent', 'pixels', 'finish'))
    assert preset.model.name == model
    assert [stage.name for stage in preset.student.stages] == stages


@pytest.mark.parametrize('name', FURTHER)
def test_a_further_round_differs_in_the_students_stages_alone_and_is_gentler(name):
    before, after = read_preset(FURTHER[name][0]), read_preset(name)
    assert after.model == before.model
    assert (after.autoencoder, after.teacher) == (before.autoencoder, before.teacher)
    assert replace(after.student, stages=before.student.stages) == before.student
    stages = {stage.name: stage for stage in before.student.stages}
    assert all(stage.rate < stages[stage.name].rate and stage.steps < stages[stage.name].steps
               for stage in after.student.stages)


def test_nano_gpu_is_nano_with_larger_batches_and_more_steps():
    small, large = (read_preset(name) for name in ('nano', 'nano_gpu'))
    assert small.model == large.model
    for part in ('autoencoder', 'teacher', 'student'):
        before, after = getattr(small, part), getattr(large, part)
        assert replace(before, stages=()) == replace(after, stages=())
        for one, other in zip(before.stages, after.stages, strict=True):
            assert replace(one, steps=0, batch=0) == replace(other, steps=0, batch=0)
            assert (other.batch, other.steps > one.steps) == (2 * one.batch, True)


def test_nano_has_the_shape_of_the_shipped_model_and_nano_dit_differs_in_the_denoiser_alone():
    nano, dit = read_preset('nano'), read_preset('nano_dit')
    assert nano.model == TranslatorConfig()
    assert isinstance(nano.model.denoiser, UNetConfig)
    assert isinstance(dit.model.denoiser, DiTConfig)
    assert dit.model.denoiser == DiTConfig()
    assert dit.model.autoencoder == nano.model.autoencoder
    assert (dit.autoencoder, dit.teacher, dit.student) == (
        nano.autoencoder, nano.teacher, nano.student)


@pytest.fixture
def write(tmp_path):
    """Write the preset nano with one entry changed; ``None`` removes it."""
    def write(*keys, value) -> str:
        entries = yaml.safe_load((PRESETS / 'nano.yaml').read_text())
        place = entries
        for key in keys[:-1]:
            place = place[key]
        if value is None:
            del place[keys[-1]]
        else:
            place[keys[-1]] = value
        (tmp_path / 'mine.yaml').write_text(yaml.safe_dump(entries))
        return str(tmp_path / 'mine.yaml')
    return write


def test_a_file_is_read_and_what_it_leaves_out_has_its_default(write):
    assert read_preset(write('teacher', 'at_noise', value=.4)).teacher.at_noise == .4
    assert read_preset(write('teacher', 'at_noise', value=None)).teacher.at_noise == .2
    assert read_preset(write('model', 'name', value='mine')).name == 'mine'
    assert read_preset(write('student', 'region_weight', value=2)).student.region_weight == 2.0


@pytest.mark.parametrize(('keys', 'value', 'texts'), [
    (('teachr',), {}, ["unknown key 'teachr'"]),
    (('student',), None, ["has no 'student'"]),
    (('teacher',), [1], ['teacher must be a mapping', '[1]']),
    (('teacher', 'lpl_shar'), .2, ["teacher: unknown key 'lpl_shar' (its value is 0.2)"]),
    (('teacher', 'lpl_share'), 1.5, ['teacher: lpl_share is 1.5', '[0, 0.9]']),
    (('teacher', 'lpl_share'), 'much', ["lpl_share is 'much'", 'number']),
    (('teacher', 'lpl_share'), '1e-1', ['write 1.0e-3']),
    (('teacher', 'lpl_share'), float('nan'), ['lpl_share is nan']),
    (('teacher', 'lpl_every'), 1.5, ['lpl_every is 1.5', 'whole number']),
    (('teacher', 'lpl_every'), True, ['lpl_every is True']),
    (('teacher', 'stages'), [], ['teacher: stages must be a list']),
    (('teacher', 'stages', 0, 'steps'), 0, ['teacher: stage 1: steps is 0']),
    (('teacher', 'stages', 0, 'rate'), None, ["teacher: stage 1: has no 'rate'"]),
    (('teacher', 'stages', 1, 'name'), 'pixels', ["stage 2: name is 'pixels'", 'denoise']),
    (('teacher', 'stages', 1, 'name'), 'denoise', ['denoise, denoise', 'at most once']),
    (('teacher', 'stages', 0, 'large'), 'yes please', ["large is 'yes please'"]),
    (('teacher', 'stages', 0, 'batches'), 3, ["unknown key 'batches'"]),
    (('model', 'steps'), 2, ['model: steps 2 cannot be preset']),
    (('model', 'stage'), 'teacher', ["model: stage 'teacher' cannot be preset"]),
    (('model',), 'nano', ["model must be a mapping, not 'nano'"]),
    (('model', 'autoencoder', 'width'), 3, ['model: autoencoder', "'width'"]),
    (('model', 'guidance', 'channels'), 32, ['model', '64 guidance channels'])])
def test_mistakes_are_refused_with_file_key_and_value(write, keys, value, texts):
    path = write(*keys, value=value)
    with pytest.raises(UserError) as caught:
        read_preset(path)
    for text in (path, *texts):
        assert text in str(caught.value)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(UserError, match=r"no preset 'huge': give one of .*nano"):
        read_preset('huge')
    with pytest.raises(UserError, match=r'cannot read the preset .*gone'):
        read_preset(str(tmp_path / 'gone.yaml'))
    (tmp_path / 'bad.yaml').write_text('a: [')
    with pytest.raises(UserError, match='no valid YAML'):
        read_preset(str(tmp_path / 'bad.yaml'))
    (tmp_path / 'twice.yaml').write_text('model: {}\nmodel: {}\n')
    with pytest.raises(UserError, match='given twice: model'):
        read_preset(str(tmp_path / 'twice.yaml'))


def test_a_file_like_a_preset_says_only_what_differs(tmp_path):
    mine, nano = tmp_path / 'mine.yaml', read_preset('nano')
    mine.write_text('like: nano\nmodel: {name: mine}\nteacher: {at_noise: .4}\n')
    preset = read_preset(str(mine))
    assert preset.model == replace(nano.model, name='mine')
    assert preset.teacher == replace(nano.teacher, at_noise=.4)
    assert (preset.autoencoder, preset.student) == (nano.autoencoder, nano.student)
    assert preset.entries['student'] == nano.entries['student']


@pytest.mark.parametrize(('text', 'words'), [
    ('like: huge\n', ["like: no preset 'huge'", 'nano']),
    ('like: [nano]\n', ["no preset '['nano']'"]),
    ('like: nano_dit\n', ["unknown key 'like'", "'nano'"]),
    ('like: nano\nteacher: [1]\n', ['teacher must be a mapping', '[1]']),
    ('like: nano\nteacher: {lpl_shar: .2}\n', ["teacher: unknown key 'lpl_shar'"]),
    ('like: nano\nteachr: {}\n', ["unknown key 'teachr'"])])
def test_a_file_like_a_preset_is_checked_as_any_other(tmp_path, text, words):
    (tmp_path / 'mine.yaml').write_text(text)
    with pytest.raises(UserError) as caught:
        read_preset(str(tmp_path / 'mine.yaml'))
    for word in (str(tmp_path / 'mine.yaml'), *words):
        assert word in str(caught.value)


def test_scaled_keeps_every_stage():
    config = TeacherTrainingConfig(
        (Stage('denoise', 1000, 4, 1e-3), Stage('finish', 3, 4, 1e-3, True)), at_noise=.7)
    scaled = config.scaled(.01)
    assert [(stage.name, stage.steps, stage.large) for stage in scaled.stages] == [
        ('denoise', 10, False), ('finish', 1, True)]
    assert scaled.at_noise == .7


def test_small_stages_take_turns_between_frames_and_crops():
    small, large = Stage('denoise', 5, 1, 1e-3), Stage('finish', 5, 1, 1e-3, large=True)
    assert [small.kind(step) for step in range(3)] == ['whole', 'crop', 'whole']
    assert [large.kind(step) for step in range(5)] == ['whole', 'whole', 'large', 'large', 'whole']
