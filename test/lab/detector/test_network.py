"""The detector's network: shapes, geometry of its cells, any size."""

import pytest
import torch

from rgb2swir_ros.lab.detector.network import (
    BOX_UNIT,
    STRIDES,
    Detector,
    DetectorConfig,
    cells,
    decode_boxes,
    flatten,
)

TINY = DetectorConfig(classes=('a', 'b', 'c'), stem=4, widths=(4, 8, 8, 8), blocks=(1, 1, 1, 1),
                      neck=4, tower=1)


@pytest.fixture(scope='module')
def network() -> Detector:
    torch.manual_seed(0)
    return Detector(TINY).eval()


def test_default_is_small_enough_to_ship():
    assert 1e6 < sum(p.numel() for p in Detector().parameters()) < 2.5e6


def test_raw_outputs_have_the_strides(network):
    outputs = network.raw(torch.rand(2, 1, 64, 96))
    assert [tuple(o.shape) for o in outputs] == [(2, 7, 64 // s, 96 // s) for s in STRIDES]
    assert [tuple(f.shape[2:]) for f in network.features(torch.rand(1, 1, 64, 96))] == [
        (16, 24), (8, 12), (4, 6), (2, 3)]


def test_cells_lie_where_the_outputs_do(network):
    outputs = [o.detach() for o in network.raw(torch.rand(1, 1, 64, 96))]
    for level, stride in enumerate(STRIDES):
        outputs[level].zero_()
        outputs[level][0, 3, 2, 1] = stride  # marks the cell of row 2, column 1
    offsets, _ = flatten(outputs)
    places = cells(64, 96)
    marked = places[offsets[0, :, 0] > 0]
    assert marked.tolist() == [[1.5 * s, 2.5 * s, s] for s in STRIDES]


def test_decoding_of_known_offsets():
    places = torch.tensor([[10., 6., 4.], [24., 40., 16.]])
    offsets = torch.tensor([[0., 0., 0., 0.], [.5, -1., 1., -1.]])
    boxes = decode_boxes(offsets, places)
    half = 4 * BOX_UNIT / 2
    assert boxes[0].tolist() == pytest.approx([10 - half, 6 - half, 10 + half, 6 + half])
    width, height = 16 * BOX_UNIT * 2.718281828, 16 * BOX_UNIT / 2.718281828
    assert boxes[1].tolist() == pytest.approx(
        [32 - width / 2, 24 - height / 2, 32 + width / 2, 24 + height / 2], rel=1e-5)


@pytest.mark.parametrize('size', [(64, 96), (48, 80), (33, 70), (16, 16)])
def test_any_size_goes(network, size):
    boxes, scores = network(torch.rand(2, 1, *size))
    height, width = (-(-s // 32) * 32 for s in size)
    assert boxes.shape == (2, sum(height * width // s ** 2 for s in STRIDES), 4)
    assert scores.shape == (*boxes.shape[:2], 3)
    assert boxes.isfinite().all()
    assert (boxes[..., 2:] > boxes[..., :2]).all()
    assert ((scores > 0) & (scores < 1)).all()


def test_frames_of_a_batch_do_not_meet(network):
    display_values = torch.rand(3, 1, 64, 64)
    whole, alone = network(display_values), network(display_values[1:2])
    assert torch.allclose(whole[0][1], alone[0][0], atol=1e-4)
    assert torch.allclose(whole[1][1], alone[1][0], atol=1e-5)


def test_untrained_scores_are_low():
    torch.manual_seed(0)
    _, scores = Detector(TINY).eval()(torch.rand(1, 1, 64, 64))
    assert scores.max() < .05


@pytest.mark.parametrize('wrong', [{'classes': ()}, {'widths': (4, 4)}, {'neck': 0}])
def test_wrong_shapes_are_refused(wrong):
    with pytest.raises(ValueError, match=r'class|positive'):
        Detector(DetectorConfig(**wrong))
