"""The assignment of objects to cells, and the loss of the detector."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from rgb2swir_ros.lab.detector.data import Sample
from rgb2swir_ros.lab.detector.network import decode_boxes

# Square roots of the object areas assigned to a stride, pixels. The ranges overlap: objects in the
# overlap are assigned to both strides, and suppression keeps the better detection.
RANGES = {4: (0.0, 32.0), 8: (24.0, 96.0), 16: (72.0, float('inf'))}
# Smallest and largest half side of the square around an object's centre whose cells it is
# assigned to, in strides.
RADIUS = (0.75, 1.5)
BOX_WEIGHT = 2.0


def assign(samples: Sequence[Sample], places: Tensor) -> tuple[Tensor, Tensor]:
    """Assign objects to cells.

    :param places: (N, 3) of `rgb2swir_ros.lab.detector.network.cells`.
    :return: labels (B, N) int64, -1 for background and -2 for cells without a loss;
        boxes (B, N, 4), left, top, right, bottom of the assigned object.
    """
    centre, stride = places[:, :2], places[:, 2]
    low = torch.tensor([RANGES[int(s)][0] for s in stride])
    high = torch.tensor([RANGES[int(s)][1] for s in stride])
    labels = torch.full((len(samples), len(places)), -1)
    boxes = torch.zeros((len(samples), len(places), 4))
    for k, sample in enumerate(samples):
        for ignored in torch.from_numpy(sample.ignored):
            # a region thinner than a cell still covers the one that would answer for it
            reach = ((ignored[2:] - ignored[:2]) / 2).clamp(min=RADIUS[0] * min(RANGES))
            inside = ((centre - (ignored[:2] + ignored[2:]) / 2).abs() < reach).all(dim=1)
            labels[k][inside] = -2
        if len(sample.labels) == 0:
            continue
        objects = torch.from_numpy(sample.boxes)
        sides = objects[:, 2:] - objects[:, :2]
        area = sides.prod(dim=1)
        middle = (objects[:, :2] + objects[:, 2:]) / 2
        radius = (sides[:, None] / 2).clamp(RADIUS[0] * stride[:, None],
                                            RADIUS[1] * stride[:, None])  # (G, N, 2)
        near = ((centre - middle[:, None]).abs() < radius).all(dim=2)
        size = area.sqrt()[:, None]
        mine = near & (size >= low) & (size < high)  # (G, N)
        # of overlapping objects the smaller one is assigned
        owner = torch.where(mine, area[:, None], torch.inf).min(dim=0)
        taken = owner.values < torch.inf
        labels[k][taken] = torch.from_numpy(sample.labels)[owner.indices[taken]]
        boxes[k][taken] = objects[owner.indices[taken]]
    return labels, boxes


def detector_loss(offsets: Tensor, logits: Tensor, places: Tensor, labels: Tensor,
                  boxes: Tensor) -> Tensor:
    """Return the loss of one batch: quality focal loss and generalised IoU.

    The class target of an assigned cell is the IoU of its predicted box with the object's
    (arXiv 2006.04388, equation 2, beta = 2); boxes learn by 1 - GIoU (arXiv 1902.09630).

    :param offsets: (B, N, 4) and ``logits`` (B, N, classes), as `flatten` gives them.
    :param labels: (B, N), ``boxes`` (B, N, 4), as `assign` gives them.
    """
    batch, cell = torch.nonzero(labels >= 0, as_tuple=True)
    kinds = labels[batch, cell]
    target = torch.zeros_like(logits)
    box_loss = offsets.sum() * 0
    if len(kinds):
        predicted = decode_boxes(offsets[batch, cell], places[cell])
        overlap, generalised = box_overlap(predicted, boxes[batch, cell])
        target[batch, cell, kinds] = overlap.detach().clamp(0, 1)
        box_loss = (1 - generalised).mean()
    score = logits.sigmoid()
    focal = F.binary_cross_entropy_with_logits(logits, target, reduction='none')
    focal = focal * (target - score).abs().square() * (labels > -2)[..., None]
    return focal.sum() / max(len(kinds), 1) + BOX_WEIGHT * box_loss


def box_overlap(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Return IoU and generalised IoU of (N, 4) boxes with (N, 4) others, pair by pair."""
    inner = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0)
    outer = torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])
    both = inner.prod(dim=1)
    union = (a[:, 2:] - a[:, :2]).prod(dim=1) + (b[:, 2:] - b[:, :2]).prod(dim=1) - both
    hull = outer.prod(dim=1).clamp(min=1e-6)
    overlap = both / union.clamp(min=1e-6)
    return overlap, overlap - (hull - union) / hull
