"""From a request to a translator that fits it, and what is refused."""

from pathlib import Path

import pytest
import torch
import yaml

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.training.command import Request, build_translator, make_training
from rgb2swir_ros.lab.training.parallel import ProcessGroup
from rgb2swir_ros.lab.training.preset import read_preset
from rgb2swir_ros.model_presets import PRESETS


def request_for(what: str, preset: str = 'nano', **entries) -> Request:
    return Request(what, [Path('data')], Path('out'), Path('work'), preset, start=Path('start'),
                   **entries)


def built(what: str, preset: str = 'nano', before=None, **entries):
    return build_translator(request_for(what, preset, **entries), read_preset(preset), before)


def same(ours: torch.nn.Module, theirs: torch.nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters(),
                                                 strict=True))


def test_a_training_begins_with_what_the_one_before_it_learned():
    autoencoder = built('autoencoder', seed=1)
    teacher = built('teacher', before=autoencoder, seed=2)
    for part in ('encoder', 'decoder', 'source'):
        assert same(getattr(teacher, part), getattr(autoencoder, part))
    assert not same(teacher.denoiser, autoencoder.denoiser)
    student = built('student', before=teacher, steps=2, seed=3)
    assert same(student, teacher)
    assert [net.config.stage for net in (autoencoder, teacher, student)] == [
        'autoencoder', 'teacher', 'student']
    assert student.config.steps == 2
    again = built('student', before=student, steps=1)
    assert same(again, student)
    assert again.config.steps == 1


def test_one_autoencoder_serves_both_denoisers():
    autoencoder = built('autoencoder')
    teacher = built('teacher', 'nano_dit', autoencoder)
    assert same(teacher.encoder, autoencoder.encoder)
    assert teacher.config.name == 'nano_dit'


@pytest.mark.parametrize(('what', 'before'), [('teacher', 'teacher'), ('teacher', 'student'),
                                              ('student', 'autoencoder')])
def test_a_start_of_the_wrong_stage_is_refused(what, before, make_translator):
    with pytest.raises(UserError, match=f'start holds .* as far as its {before}'):
        built(what, before=make_translator(stage=before))


@pytest.mark.parametrize(('what', 'before', 'entry'), [
    ('teacher', 'autoencoder', 'autoencoder: widths'), ('student', 'teacher', 'autoencoder')])
def test_a_start_of_another_shape_is_refused_by_entry_and_values(what, before, entry,
                                                                 make_translator):
    with pytest.raises(UserError, match=entry) as caught:
        built(what, before=make_translator(stage=before))
    assert '(8, 8, 8)' in str(caught.value)
    assert '(32, 48, 64)' in str(caught.value)


def test_a_start_with_another_denoiser_is_refused():
    teacher = built('teacher', before=built('autoencoder'))
    with pytest.raises(UserError, match=r'kind unet.*nano_dit.*kind dit'):
        built('student', 'nano_dit', teacher)


@pytest.fixture
def endpoints(tmp_path) -> str:
    entries = yaml.safe_load((PRESETS / 'nano.yaml').read_text())
    entries['student']['endpoints'] = 2
    (tmp_path / 'endpoints.yaml').write_text(yaml.safe_dump(entries))
    return str(tmp_path / 'endpoints.yaml')


def test_endpoints_come_from_the_teacher_and_from_no_student(endpoints):
    teacher = built('teacher', before=built('autoencoder'))
    student = built('student', endpoints, teacher)
    request, preset = request_for('student', endpoints), read_preset(endpoints)
    training = make_training(request, preset, student, teacher, ProcessGroup())
    assert training.teacher is teacher
    assert not any(p.requires_grad for p in teacher.parameters())
    with pytest.raises(UserError, match='endpoints 2, which needs a teacher'):
        built('student', endpoints, student)
    plain = make_training(request, read_preset('nano'), student, teacher, ProcessGroup())
    assert plain.teacher is None


@pytest.mark.parametrize(('entries', 'text'), [
    ({'share': 0}, '--share 0'), ({'share': 1.5}, '--share 1.5'), ({'seed': -1}, '--seed -1'),
    ({'minutes': 0}, '--minutes 0'), ({'minutes': float('nan')}, '--minutes nan')])
def test_numbers_that_make_no_training_are_refused(entries, text):
    with pytest.raises(UserError, match=text):
        request_for('teacher', **entries)


def test_trainings_share_pairs_and_nothing_else():
    folders = {request_for(what, steps=steps).folder
               for what, steps in (('autoencoder', 1), ('teacher', 1), ('student', 1),
                                   ('student', 4))}
    assert len(folders) == 4
    assert {folder.parent for folder in folders} == {Path('work')}


HEADS = {'learned_guide': True}, {'residual_bound': .1}, {'filter_window': 3}


@pytest.mark.parametrize('switched', HEADS)
def test_a_head_may_be_loosened_on_the_way(tmp_path, switched):
    """A student of one that was trained without it begins where that is."""
    teacher = built('teacher', before=built('autoencoder', seed=1), seed=2)
    preset = tmp_path / 'loose.yaml'
    shape = yaml.safe_load((PRESETS / 'nano.yaml').read_text())['model']
    shape['autoencoder'] |= switched
    preset.write_text(yaml.safe_dump({'like': 'nano', 'model': shape}))
    student = built('student', str(preset), teacher, seed=3)
    rgb, latent = torch.rand(1, 3, 32, 64), torch.rand(1, 4, 4, 8)
    with torch.no_grad():
        before, after = (net.decoder(latent, net.source(rgb), rgb) for net in (teacher, student))
    assert torch.equal(before, after) == ('filter_window' not in switched)
    if 'filter_window' not in switched:
        assert len(student.state_dict()) == len(teacher.state_dict()) + 2
        with pytest.raises(UserError, match='has other parts than the preset'):
            built('student', before=student)
