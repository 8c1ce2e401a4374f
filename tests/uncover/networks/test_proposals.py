"""The detector's short cuts give what torchvision gives, to the bit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.models.detection.image_list import ImageList
from torchvision.ops import batched_nms

from uncover.faces.drawn import draw_face
from uncover.networks.backbones import SqueezeNetBody
from uncover.networks.detector import (
    _NORMALISED,
    IMAGE_MEAN,
    IMAGE_STD,
    DetectorConfig,
    MaskDetector,
)
from uncover.networks.proposals import best_apart, propose


@pytest.mark.parametrize("proposals", [5, 60, 2000])
@pytest.mark.parametrize("objectness", [0.0, 0.5])
@torch.inference_mode()
def test_the_same_proposals_as_torchvision(proposals: int, objectness: float) -> None:
    torch.manual_seed(0)
    config = DetectorConfig(
        pyramid_channels=16, head_channels=16, proposals=proposals, objectness=objectness
    )
    net = MaskDetector(config).eval().net
    net.rpn.head.cls_logits.weight.mul_(40)  # so that scores differ
    net.rpn.head.bbox_pred.weight.mul_(40)  # so that boxes move and some shrink to nothing
    picture = torch.from_numpy(draw_face(3, 192).image).permute(2, 0, 1)[None] / 255
    size = (180, 192)  # the last rows are padding
    features = net.backbone(picture)
    expected = net.rpn(ImageList(picture, [size]), features)[0][0]
    found = propose(net.rpn, features, picture, size)
    assert 0 < len(found) <= proposals
    # Scores that differ in the last bit, which depends on the CPU, change places.
    assert torch.equal(in_order(found), in_order(expected))
    assert (found == expected).all(1).float().mean() > 0.98


def in_order(boxes: torch.Tensor) -> torch.Tensor:
    """The boxes (N, 4), sorted by their coordinates."""
    return torch.tensor(sorted(boxes.tolist()))


@pytest.mark.parametrize("most", [1, 7, 40, 500])
def test_the_best_boxes_apart_are_those_of_plain_suppression(most: int) -> None:
    rng = np.random.default_rng(0)
    corners = torch.from_numpy(rng.uniform(0, 60, (400, 2)).astype(np.float32))
    boxes = torch.cat([corners, corners + 25], dim=1)
    scores = torch.from_numpy(rng.uniform(0, 1, 400).astype(np.float32).round(decimals=2))
    groups = torch.from_numpy(rng.integers(0, 3, 400))
    found = best_apart(boxes, scores, groups, 0.5, most, 3)
    expected = torch.cat([best_of(boxes, scores, groups == k) for k in range(3)])
    assert set(found.tolist()) <= set(expected.tolist())
    assert len(found) == min(most, len(expected))
    assert (scores[found].diff() <= 0).all()
    assert torch.equal(scores[found], scores[expected].sort(descending=True).values[:most])


def best_of(boxes: torch.Tensor, scores: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
    at = torch.where(own)[0]
    return at[batched_nms(boxes[at], scores[at], torch.zeros_like(at), 0.5)]


@torch.inference_mode()
def test_pooling_before_rectifying_changes_nothing() -> None:
    torch.manual_seed(1)
    body = SqueezeNetBody(None).eval()
    picture = torch.randn(2, 3, 96, 128).contiguous(memory_format=torch.channels_last)
    quick = body(picture)
    plain = body.train()(picture)
    assert list(quick) == list(plain)
    assert all(torch.equal(quick[name], plain[name]) for name in plain)
    assert all(maps.std() > 0 for maps in plain.values())


def test_the_table_of_normalised_levels_is_exact() -> None:
    levels = torch.arange(256).repeat(3, 1).T.to(torch.uint8)
    mean, std = 255 * torch.tensor(IMAGE_MEAN), 255 * torch.tensor(IMAGE_STD)
    assert np.array_equal(_NORMALISED[0], ((levels.float() - mean) / std).numpy())
