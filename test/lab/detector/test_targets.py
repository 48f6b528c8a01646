"""Every object finds cells that answer for it, and the loss rewards right answers."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rgb2swir_ros.lab.detector.data import Sample
from rgb2swir_ros.lab.detector.network import BOX_UNIT, cells
from rgb2swir_ros.lab.detector.targets import RANGES, assign, box_overlap, detector_loss

PLACES = cells(256, 320)


def sample(boxes, labels=None, ignored=()):
    """Return a sample of boxes alone."""
    boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
    labels = np.arange(len(boxes)) % 6 if labels is None else np.asarray(labels)
    return Sample(np.zeros((256, 320), np.float32), boxes, labels.astype(np.int64),
                  np.asarray(ignored, np.float32).reshape(-1, 4))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.floats(0, 300), st.floats(0, 240), st.floats(1.5, 250), st.floats(1.5, 250))
def test_every_object_has_cells_near_its_centre(left, top, width, height):
    box = [left, top, min(left + width, 320), min(top + height, 256)]
    labels, boxes = assign([sample([box], [3])], PLACES)
    mine = labels[0] >= 0
    assert mine.any()
    assert (labels[0][mine] == 3).all()
    assert torch.equal(boxes[0][mine], torch.tensor([box]).expand(int(mine.sum()), 4))
    strides = set(PLACES[mine][:, 2].tolist())
    side = ((box[2] - box[0]) * (box[3] - box[1])) ** .5
    assert strides == {s for s, (low, high) in RANGES.items() if low <= side < high}
    centre = torch.tensor([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
    away = (PLACES[mine][:, :2] - centre).abs().amax(dim=1) / PLACES[mine][:, 2]
    assert away.max() <= 1.5


def test_the_smaller_of_two_owns_the_shared_cells():
    labels, _ = assign([sample([[100, 100, 130, 130], [110, 110, 120, 120]], [0, 1])], PLACES)
    assert (labels[0] == 1).sum() > 0
    centre = (PLACES[:, :2] - 115).abs().amax(dim=1)
    nearest = centre[PLACES[:, 2] == 4].argmin()
    assert labels[0][PLACES[:, 2] == 4][nearest] == 1


def test_ignored_regions_are_not_judged_and_empty_frames_are():
    labels, _ = assign([sample([], ignored=[[0, 0, 40, 40]]), sample([])], PLACES)
    inside = (PLACES[:, :2] < 40).all(dim=1)
    assert (labels[0][inside] == -2).all()
    assert (labels[0][~inside] == -1).all()
    assert (labels[1] == -1).all()


def test_an_ignored_object_of_a_few_pixels_has_no_loss_where_it_would_answer():
    thin = [101.2, 101.2, 102.8, 104.8]  # no cell has its centre inside
    labels, _ = assign([sample([], ignored=[thin])], PLACES)
    wanted, _ = assign([sample([thin])], PLACES)
    finest = PLACES[:, 2] == 4
    assert (wanted[0][finest] >= 0).any()
    assert (labels[0][finest & (wanted[0] >= 0)] == -2).all()
    assert (labels[0] == -2).sum() < 10


def test_overlap_of_known_boxes():
    a = torch.tensor([[0., 0., 2., 2.]]).repeat(3, 1)
    b = torch.tensor([[0., 0., 2., 2.], [1., 0., 3., 2.], [4., 0., 6., 2.]])
    overlap, generalised = box_overlap(a, b)
    assert overlap.tolist() == pytest.approx([1, 1 / 3, 0])
    assert generalised.tolist() == pytest.approx([1, 1 / 3, -1 / 3])


def right_answer(labels, boxes):
    """Return offsets and logits that decode to the objects."""
    mine = labels >= 0
    middle, sides = (boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]
    stride = PLACES[:, 2:]
    offsets = torch.cat([(middle - PLACES[:, :2]) / stride,
                         (sides.clamp(min=1) / stride / BOX_UNIT).log()], dim=-1)
    logits = torch.full((*labels.shape, 6), -9.)
    logits[mine] = torch.where(torch.arange(6) == labels[mine][:, None], 9., -9.)
    return offsets, logits


def test_right_answers_cost_nothing_and_wrong_ones_do():
    labels, boxes = assign([sample([[40, 40, 52, 60], [100, 90, 190, 150]]), sample([])], PLACES)
    offsets, logits = right_answer(labels, boxes)

    def cost(offsets, logits, labels=labels):
        return float(detector_loss(offsets, logits, PLACES, labels, boxes))

    assert cost(offsets, logits) < 1e-4
    assert cost(offsets + .3, logits) > .1
    assert cost(offsets, logits.roll(1, dims=-1)) > 1
    false = logits.clone()
    false[1, 7] = 9.
    assert cost(offsets, false) > .1
    ignored = labels.clone()
    ignored[1, 7] = -2
    assert cost(offsets, false, ignored) < 1e-4


def test_frames_without_objects_still_have_a_gradient():
    labels, boxes = assign([sample([])], PLACES)
    offsets = torch.zeros(1, len(PLACES), 4, requires_grad=True)
    logits = torch.zeros(1, len(PLACES), 6, requires_grad=True)
    detector_loss(offsets, logits, PLACES, labels, boxes).backward()
    assert logits.grad.abs().min() > 0
    assert torch.equal(offsets.grad, torch.zeros_like(offsets))
