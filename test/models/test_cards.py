"""What ships: small enough for git, trained to the end, its card says what its record says."""

import pytest
import yaml

from rgb2swir_ros.bench.models import shipped_models
from rgb2swir_ros.imaging.novelty import Novelty
from rgb2swir_ros.lab.training.record import RECORD_FILE
from rgb2swir_ros.resources import share_directory
from rgb2swir_ros.translator import Translator, load_model

LARGEST = 16_000_000  # bytes
FOLDERS = sorted((share_directory() / 'models').iterdir())
TRANSLATORS = [folder for folder in shipped_models() if isinstance(load_model(folder), Translator)]


def record(folder):
    return yaml.safe_load((folder / RECORD_FILE).read_text())


@pytest.mark.parametrize('folder', FOLDERS, ids=lambda f: f.name)
def test_a_model_has_a_card_and_weights_of_a_few_megabytes(folder):
    assert (folder / 'MODEL_CARD.md').read_text().startswith(f'# {folder.name}\n')
    assert 1000 < (folder / 'weights.safetensors').stat().st_size < LARGEST
    assert {path.suffix for path in folder.iterdir()} <= {'.md', '.yaml', '.safetensors', '.jpg'}


@pytest.mark.parametrize('folder', TRANSLATORS, ids=lambda f: f.name)
def test_a_translators_card_has_the_figures_of_its_record(folder):
    card, held_out = (folder / 'MODEL_CARD.md').read_text(), record(folder)['held_out']
    for name in ('model', 'grey', 'lookup', 'autoencoder', 'zero_latent', 'foreign_latent'):
        assert f'{held_out[name]:.2f}' in card, f'{name} is missing, or of other weights'


@pytest.mark.parametrize('folder', TRANSLATORS, ids=lambda f: f.name)
def test_a_translator_uses_its_latent(folder):
    held_out = record(folder)['held_out']
    assert held_out['autoencoder'] > held_out['zero_latent'] + 3  # dB
    assert held_out['autoencoder'] > held_out['foreign_latent'] + 3


@pytest.mark.parametrize('folder', TRANSLATORS, ids=lambda f: f.name)
def test_a_translator_is_a_student_with_the_record_of_all_three_trainings(folder):
    assert load_model(folder).config.stage == 'student'
    about = record(folder)
    trainings = []
    while about:
        trainings.append(about['training'])
        assert {stage['stage'] for stage in about['stages']}
        assert all('autoencoder' in stage for stage in about['stages'])  # the guard, each time
        about = about.get('start', {}).get('training')
    assert trainings[-1] == 'autoencoder'
    assert trainings[0] == 'student'
    assert 'teacher' in trainings


@pytest.mark.parametrize('folder', TRANSLATORS, ids=lambda f: f.name)
def test_what_a_model_knows_was_fitted_to_its_weights_and_is_on_its_card(folder):
    measure = Novelty(folder)  # refuses a file of other weights
    card = (folder / 'MODEL_CARD.md').read_text()
    assert measure.facts['command'] in card
    assert f"{float(measure.facts['AUROC on held-out views']):.3f}" in card
