"""Where a detector looks: its region proposal network's answer for one picture, without detours.

The same boxes as torchvision's `RegionProposalNetwork` gives, to the bit, but only those that can
be kept are decoded and compared, and the graph that ONNX makes of it has no branches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.rpn import RegionProposalNetwork
from torchvision.ops import clip_boxes_to_image, nms

_AHEAD = 2  # so many times as many boxes as are wanted usually hold enough that do not overlap


def propose(
    rpn: RegionProposalNetwork, features: Mapping[str, Tensor], batch: Tensor, size: tuple[int, int]
) -> Tensor:
    """Boxes (N, 4) in network pixels, best first.

    Args:
        rpn: of a detector that is not being trained.
        features: one picture's maps, finest first.
        batch: (1, 3, H, W), what they were made from.
        size: height and width of the picture in it; the rest is padding.
    """
    maps = list(features.values())
    objectness, deltas = rpn.head(maps)
    anchors = rpn.anchor_generator(ImageList(batch, [size]), maps)[0]
    places = anchors.split([level[0].numel() for level in objectness])
    boxes, scores, levels = [], [], []
    for level, (odds, moves, spots) in enumerate(zip(objectness, deltas, places, strict=True)):
        flat = odds.permute(0, 2, 3, 1).reshape(1, -1)
        moves = moves.unflatten(1, (-1, 4)).permute(0, 3, 4, 1, 2).reshape(-1, 4)
        best = flat.topk(_at_most(flat, rpn.pre_nms_top_n()), dim=1)
        at = best.indices[0]
        boxes.append(rpn.box_coder.decode_single(moves[at], spots[at]))
        scores.append(best.values[0])
        levels.append(torch.full_like(at, level))
    found, sure = clip_boxes_to_image(torch.cat(boxes), size), torch.sigmoid(torch.cat(scores))
    sides = found[:, 2:] - found[:, :2]
    usable = (sides >= rpn.min_size).all(1) & (sure >= rpn.score_thresh)
    chosen = torch.where(usable)[0]
    found, sure, level_of = found[chosen], sure[chosen], torch.cat(levels)[chosen]
    count = len(objectness)
    return found[best_apart(found, sure, level_of, rpn.nms_thresh, rpn.post_nms_top_n(), count)]


def best_apart(
    boxes: Tensor, scores: Tensor, groups: Tensor, iou: float, most: int, count: int
) -> Tensor:
    """The `most` best boxes that no better one of their own group overlaps by more than `iou`.

    Args:
        boxes: (N, 4). scores: (N,) in 0..1. groups: int64 (N,) in 0..count - 1.

    Returns:
        Their indices, best first.
    """
    if torch.onnx.is_in_onnx_export():
        kept = _Suppression.apply(boxes, scores, groups, iou, most, count).sort().values
        order = scores[kept].topk(_at_most(kept[None], most)).indices
        return kept[order]
    if len(scores) > _AHEAD * most:  # greedy from the best down: what comes later changes nothing
        least = scores.topk(_AHEAD * most).values[-1]
        ahead = torch.where(scores >= least)[0]
        kept = ahead[_apart(boxes[ahead], scores[ahead], groups[ahead], iou, count)]
        if len(kept) >= most:
            return kept[:most]
    return _apart(boxes, scores, groups, iou, count)[:most]


def _apart(boxes: Tensor, scores: Tensor, groups: Tensor, iou: float, count: int) -> Tensor:
    keep = torch.zeros_like(scores, dtype=torch.bool)
    for group in range(count):
        own = torch.where(groups == group)[0]
        keep[own[nms(boxes[own], scores[own], iou)]] = True
    kept = torch.where(keep)[0]
    return kept[scores[kept].sort(descending=True)[1]]


def _at_most(items: Tensor, limit: int) -> Any:
    """min(items.shape[1], limit), which stays a computation in a graph for any size."""
    if not torch.onnx.is_in_onnx_export():
        return min(items.shape[1], limit)
    length = torch._shape_as_tensor(items)[1:2]
    return torch.cat([length, torch.tensor([limit])]).min()


class _Suppression(torch.autograd.Function):
    """`_apart` as ONNX's own operator, which stops when enough boxes of a group are kept."""

    @staticmethod
    def forward(
        ctx: Any, boxes: Tensor, scores: Tensor, groups: Tensor, iou: float, most: int, count: int
    ) -> Tensor:
        return _apart(boxes, scores, groups, iou, count)

    @staticmethod
    def symbolic(
        g: Any, boxes: Any, scores: Any, groups: Any, iou: float, most: int, count: int
    ) -> Any:
        def constant(values: Any, kind: torch.dtype) -> Any:
            return g.op("Constant", value_t=torch.tensor(values, dtype=kind))

        def plus_axes(value: Any, axes: Sequence[int]) -> Any:
            return g.op("Unsqueeze", value, constant(list(axes), torch.int64))

        numbers = constant([[group] for group in range(count)], torch.int64)
        own = g.op("Equal", plus_axes(groups, [0]), numbers)
        apart = g.op("Where", own, plus_axes(scores, [0]), constant(-1.0, torch.float32))
        kept = g.op(
            "NonMaxSuppression",
            plus_axes(boxes, [0]),
            plus_axes(apart, [0]),
            constant([most], torch.int64),
            constant([iou], torch.float32),
            constant([0.0], torch.float32),
        )
        return g.op("Gather", kept, constant(2, torch.int64), axis_i=1)
