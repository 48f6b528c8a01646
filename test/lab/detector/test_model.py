"""A model folder comes back as it was written; damage is named."""

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.detector.model import load_detector, save_detector
from rgb2swir_ros.lab.detector.network import Detector

from ..toy import CLASSES


def test_round_trip(lively, tmp_path):
    detector = load_detector(lively)
    assert detector.classes == CLASSES
    assert not detector.network.training
    save_detector(detector.network, tmp_path)
    again = load_detector(tmp_path)
    for name, tensor in detector.network.state_dict().items():
        assert torch.equal(again.network.state_dict()[name], tensor)  # float16 once is for good
    display_value = np.random.default_rng(0).random((50, 70), np.float32)
    a, b = (d.detect([display_value])[0] for d in (detector, again))
    assert len(a.scores) > 10
    assert np.array_equal(a.boxes, b.boxes)
    assert not list(tmp_path.glob('*.part'))


def test_shipped_size_is_small(tmp_path):
    save_detector(Detector(), tmp_path)
    assert (tmp_path / 'weights.safetensors').stat().st_size < 8e6


@pytest.mark.parametrize(('change', 'text'), [
    (lambda y: y.update(kind='translator'), 'kind: detector'),
    (lambda y: y.update(colour=3), "'colour'"),
    (lambda y: y.update(widths=[8, 8]), 'widths is .* but must be a list of 4'),
    (lambda y: y.update(neck=16), 'does not fit')])
def test_wrong_configuration_is_named(lively, tmp_path, change, text):
    content = yaml.safe_load((lively / 'model.yaml').read_text())
    change(content)
    (tmp_path / 'model.yaml').write_text(yaml.safe_dump(content))
    (tmp_path / 'weights.safetensors').write_bytes((lively / 'weights.safetensors').read_bytes())
    with pytest.raises(UserError, match=text):
        load_detector(tmp_path)


def test_damaged_weights_are_named(lively, tmp_path):
    (tmp_path / 'model.yaml').write_bytes((lively / 'model.yaml').read_bytes())
    with pytest.raises(UserError, match='cannot read the weights'):
        load_detector(tmp_path)
    tensors = load_file(lively / 'weights.safetensors')
    tensors['stem.0.weight'][0, 0, 0, 0] = torch.nan
    save_file(tensors, tmp_path / 'weights.safetensors')
    with pytest.raises(UserError, match='not finite'):
        load_detector(tmp_path)
    (tmp_path / 'weights.safetensors').write_bytes(b'nothing')
    with pytest.raises(UserError, match='damaged'):
        load_detector(tmp_path)
