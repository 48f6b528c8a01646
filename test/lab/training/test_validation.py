"""Figures on held-out pairs, and the sheet."""

import cv2
import numpy as np
import pytest
import torch

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.training import validation
from rgb2swir_ros.lab.training.data.pairs import Pair
from rgb2swir_ros.nets.regression import RegressionConfig
from rgb2swir_ros.translator import Regressor, Translator


class Oracle(Regressor):
    """Knows the answer of one frame, and blurs it by as much as is asked."""

    def __init__(self, radiance: np.ndarray, blur: float = 0.0) -> None:
        super().__init__(RegressionConfig(widths=(4, 4, 4, 4, 4), dilations=()))
        sqrt_radiance = np.sqrt(radiance)
        self.answer = cv2.GaussianBlur(sqrt_radiance, (0, 0), blur) if blur else sqrt_radiance

    def forward(self, rgb):
        return torch.from_numpy(self.answer[None]).square()


def frame(seed: int = 0) -> Pair:
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)
    return Pair(rgb, rng.random((40, 60), dtype=np.float32), 'noise', 'noise')


def test_psnr_of_a_known_error():
    errors = validation.SquaredErrors()
    errors.add(np.full((4, 4), .6, np.float32), np.full((4, 4), .5, np.float32))
    assert errors.psnr == pytest.approx(20)
    errors.add(np.full((2, 24), 1.4, np.float32), np.ones((2, 24), np.float32))  # clipped: right
    assert errors.psnr == pytest.approx(20 + 10 * np.log10(4))


def test_a_perfect_model_is_told_from_a_blurred_one(pairs):
    lookup = validation.fit_lookup(pairs)
    perfect, blurred = (
        validation.validate(validation.predictor(Oracle(frame().radiance, blur)), [frame()],
                            lookup)
        for blur in (0, 1))
    assert perfect['model'] > 100
    assert perfect['detail'] == pytest.approx(1, abs=.001)
    assert blurred['model'] < 20
    assert blurred['detail'] < .3
    assert perfect['grey'] == blurred['grey'] < perfect['lookup']


def test_judged_frames_are_always_the_same_and_spread(pairs):
    chosen = validation.spread(pairs, 3)
    assert len(chosen) == 3
    assert [pair.name for pair in chosen] == ['0', '4', '7']
    assert len(validation.spread(pairs, 100)) == len(pairs)


def test_judge_tells_the_latents_apart(held_out):
    torch.manual_seed(0)
    translator = Translator().eval()
    with torch.no_grad():
        translator.decoder.inlet.weight.mul_(20)
    figures = validation.validate_latent(translator, validation.spread(held_out, 3))
    assert set(figures) == {'autoencoder', 'zero_latent', 'foreign_latent'}
    assert len(set(figures.values())) == 3


def test_the_sheet_shows_every_frame(tmp_path):
    torch.manual_seed(0)
    model = Regressor(RegressionConfig(widths=(4, 4, 4, 4, 4), dilations=(1,))).eval()
    wide = Pair(np.zeros((30, 80, 3), np.uint8), np.zeros((30, 80), np.float32), '', '')
    predict = validation.predictor(model)
    validation.contact_sheet(predict, [frame(), wide, frame(1)], tmp_path / 'sheet.png')
    sheet = cv2.imread(str(tmp_path / 'sheet.png'))
    assert sheet.shape == (213 + 120, 1920, 3)
    with pytest.raises(UserError, match=r"cannot be written: .*sheet\.png' is no folder"):
        validation.contact_sheet(predict, [frame()], tmp_path / 'sheet.png' / 'a.png')


def test_without_a_look_up_only_the_model_is_judged():
    figures = validation.validate(validation.predictor(Oracle(frame().radiance)), [frame()])
    assert set(figures) == {'model', 'detail'}


def test_the_sheet_has_the_colours_in_their_order():
    red = Pair(np.full((32, 64, 3), (200, 0, 0), np.uint8), np.zeros((32, 64), np.float32), '', '')
    picture = validation.sheet(lambda pair: np.sqrt(pair.radiance), [red])
    assert picture[10, 10].tolist() == [200, 0, 0]


def test_a_sampled_tone_is_the_same_each_time_and_not_the_students(held_out, make_translator):
    translator = make_translator().eval()
    first, again = (validation.sample_sqrt_radiance(translator, held_out[0].rgb, 2)
                    for _ in range(2))
    assert np.array_equal(first, again)
    assert first.shape == held_out[0].radiance.shape
    assert not np.allclose(first, validation.predict_sqrt_radiance(translator, held_out[0].rgb))


def test_a_reconstruction_needs_the_true_picture(held_out, make_translator):
    translator = make_translator().eval()
    pair = held_out[0]
    other = Pair(pair.rgb, 1 - pair.radiance, '', '')
    sqrt_radiance = validation.reconstruct_sqrt_radiance(translator, pair)
    assert sqrt_radiance.shape == pair.radiance.shape
    changed = validation.reconstruct_sqrt_radiance(translator, other)
    assert not np.array_equal(sqrt_radiance, changed)
