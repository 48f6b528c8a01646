"""Inception comes from a file of the user's."""

import numpy as np
import pytest
import torch

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.evaluation.inception import inception_features


class Inception(torch.nn.Module):
    """Takes what NVIDIA's TorchScript file takes."""

    def __init__(self, count: int):
        super().__init__()
        self.count = count

    def forward(self, img: torch.Tensor, return_features: bool = False) -> torch.Tensor:
        assert img.dtype == torch.uint8
        assert return_features
        return img.float().mean() * torch.ones(img.shape[0], self.count)


def test_features_are_those_of_the_file(tmp_path):
    file = tmp_path / 'inception.pt'
    torch.jit.script(Inception(2048)).save(str(file))
    vector = inception_features(file)(np.full((20, 30), .5, np.float32))
    assert vector.shape == (1, 2048)
    assert vector[0, 0] == 128


def test_other_files_are_refused(tmp_path):
    file = tmp_path / 'inception.pt'
    torch.jit.script(Inception(10)).save(str(file))
    with pytest.raises(UserError, match=r'\(1, 10\) in place of'):
        inception_features(file)(np.zeros((20, 30), np.float32))
    file.write_text('weights')
    with pytest.raises(UserError, match='no TorchScript file'):
        inception_features(file)
