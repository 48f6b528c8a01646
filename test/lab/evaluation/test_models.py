"""What is judged: the engine's own call, teachers from seeded noise, grey-scale."""

import argparse
import time

import numpy as np
import pytest
import torch

from rgb2swir_ros.cli.evaluate_shared import add_model_arguments, candidates
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.evaluation.models import (
    Candidate,
    open_candidate,
)
from rgb2swir_ros.replay.offline import OfflineTranslator, Options
from rgb2swir_ros.translator import load_model

from .tiny import save_tiny

FRAME = np.random.default_rng(5).integers(0, 256, (40, 72, 3), dtype=np.uint8)


def opened(*words):
    parser = argparse.ArgumentParser()
    add_model_arguments(parser, required=True)
    parser.set_defaults(seed=0)
    arguments = parser.parse_args([str(w) for w in words])
    return candidates(arguments, 1)


def test_a_student_is_called_as_translate_calls_it(tmp_path):
    folder = save_tiny(tmp_path / 'tiny', steps=2)
    grey, student = opened('--model', 'grey', '--model', folder)
    expected = OfflineTranslator(Options(model=str(folder)))
    np.testing.assert_array_equal(student.radiance(FRAME), expected.radiance(FRAME))
    assert (grey.calls, student.calls) == (0, 2)
    assert (grey.name, student.name) == ('grey', str(folder))


def test_grey_is_linear_light_of_the_luma():
    level = np.full((2, 2, 3), 128, np.uint8)
    np.testing.assert_allclose(open_candidate('grey').radiance(level), (128 / 255) ** 2.2,
                               rtol=1e-5)


def test_a_teacher_starts_every_frame_from_the_same_seeded_noise(tmp_path):
    folder = save_tiny(tmp_path / 'teacher', stage='teacher')
    teacher = open_candidate(str(folder), steps=3, seed=7)
    assert teacher.calls == 3
    first, other = teacher.radiance(FRAME), teacher.radiance(FRAME[::-1])
    np.testing.assert_array_equal(first, teacher.radiance(FRAME))  # whatever came before
    assert np.abs(first - other).max() > 0
    model = load_model(folder, unfinished=True)
    with torch.inference_mode():
        expected = model.sample(torch.from_numpy(FRAME[None].copy()), 3,
                                torch.Generator().manual_seed(7))[0].numpy()
    np.testing.assert_allclose(first, expected, atol=1e-5)
    for changed in ({'seed': 8, 'steps': 3}, {'seed': 7, 'steps': 2}):
        assert np.abs(open_candidate(str(folder), **changed).radiance(FRAME) - first).max() > 1e-4


def test_an_autoencoder_cannot_be_judged(tmp_path):
    with pytest.raises(UserError, match='train teacher'):
        open_candidate(str(save_tiny(tmp_path / 'half', stage='autoencoder')))


def test_the_first_call_of_a_size_is_not_timed(monkeypatch):
    """It takes 100 s here, later ones 1, 2 and 3 s."""
    clock = {'now': 0., 'cost': iter([100., 1., 3., 2.])}
    monkeypatch.setattr(time, 'perf_counter', lambda: clock['now'])

    def translate(rgb):
        clock['now'] += next(clock['cost'])
        return np.zeros(rgb.shape[:2], np.float32)

    candidate = Candidate('slow', 1, translate)
    assert np.isnan(candidate.milliseconds)
    for _ in range(3):
        candidate.radiance(FRAME)
    assert candidate.milliseconds == 2000


@pytest.mark.parametrize(('words', 'text'), [
    (('--model', 'grey', '--model', 'grey'), '--model grey is given twice'),
    (('--model', 'nothing'), "no model 'nothing'"),
    (('--model', 'grey', '--teacher-steps', '0'), '--teacher-steps 0')])
def test_wrong_arguments_are_named(words, text):
    with pytest.raises(UserError, match=text):
        opened(*words)
