"""What is exported: the networks as graphs of plain tensors, and the way from crop to face."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import clip_boxes_to_image, remove_small_boxes, roi_align
from torchvision.ops.poolers import LevelMapper

from uncover.networks import best_apart, propose


class SegmenterGraph(nn.Module):
    """Crops (B, 3, R, R) in -1..1 -> mask probability (B, 1, R, R), points (B, 5, 2) in 0..1 and,
    of a network that says so, the probability (B,) that there is a face."""

    def __init__(self, segmenter: nn.Module) -> None:
        super().__init__()
        self.segmenter = segmenter

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        logits, points, *face = self.segmenter(images)
        return torch.sigmoid(logits), points, *(torch.sigmoid(x) for x in face)


class DetectorGraph(nn.Module):
    """One photo (3, H, W) in 0..1 -> boxes (N, 4) in its pixels, labels (N,), scores (N,).

    What torchvision's Faster R-CNN does, in a graph without branches and without scattering: what
    is pooled goes through the heads level by level, and only their answers are put back in order.
    """

    def __init__(self, detector: Any) -> None:
        super().__init__()
        self.net = detector.net

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        height, width = image.shape[1:]
        batch = self.net.transform([image])[0].tensors
        features = self.net.backbone(batch)
        heads = self.net.roi_heads
        boxes = propose(self.net.rpn, features, batch, (height, width))
        pooled, back = self._pooled(features, boxes)
        logits, moves = (each[back] for each in heads.box_predictor(heads.box_head(pooled)))
        found = clip_boxes_to_image(heads.box_coder.decode(moves, [boxes]), (height, width))
        scores = logits.softmax(1)[:, 1:].flatten()
        classes = heads.box_predictor.cls_score.out_features
        labels = torch.arange(1, classes).expand(len(boxes), -1).flatten()
        at = torch.where(scores > heads.score_thresh)[0]
        found, scores, labels = found[:, 1:].reshape(-1, 4)[at], scores[at], labels[at]
        at = remove_small_boxes(found, 1e-2)
        found, scores, labels = found[at], scores[at], labels[at]
        most = heads.detections_per_img
        at = best_apart(found, scores, labels, heads.nms_thresh, most, classes)
        return found[at], labels[at], scores[at]

    def _pooled(self, features: dict[str, Tensor], boxes: Tensor) -> tuple[Tensor, Tensor]:
        """What is pooled for the boxes, level by level, and where in it each box's own lies."""
        pool = self.net.roi_heads.box_roi_pool
        coarseness = range(3, 3 + len(pool.featmap_names))
        mapper = LevelMapper(
            coarseness[0], coarseness[-1], pool.canonical_scale, pool.canonical_level
        )
        levels = mapper([boxes])
        order, pooled = [], []
        for level, (name, power) in enumerate(zip(pool.featmap_names, coarseness, strict=True)):
            order.append(torch.where(levels == level)[0])
            own, scale = [boxes[order[-1]]], 0.5**power
            pooled.append(
                roi_align(features[name], own, pool.output_size, scale, pool.sampling_ratio)
            )
        return torch.cat(pooled), torch.cat(order).argsort()


class ToldGraph(nn.Module):
    """A generator whose third input says how the faces shall look, (B, look_size); zeros leave it
    to the network."""

    def __init__(self, generator: Any) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, image: Tensor, mask: Tensor, look: Tensor) -> Tensor:
        painted: Tensor = self.generator(image, mask, look=look)
        return painted


class EnlargerGraph(nn.Module):
    """An enlarger with what it starts from: answers (B, 3, S/2, S/2), crops (B, 3, S, S) in -1..1,
    of which the known pixels count, and holes (B, 1, S, S) -> the crops with their detail."""

    def __init__(self, enlarger: Any) -> None:
        super().__init__()
        self.enlarger = enlarger

    def forward(self, answer: Tensor, image: Tensor, mask: Tensor) -> Tensor:
        fine: Tensor = self.enlarger(self.enlarger.start(answer, image, mask), mask)
        return fine


class CropToFace(nn.Module):
    """uint8 crops (B, S, S, 3) -> the crop with the mask painted over, and which pixels it was.

    The mask is the segmenter's, from its threshold on, widened by its dilation; pixels outside it
    are the crop's own. S is the generator's resolution.
    """

    def __init__(self, segmenter: Any, generator: Any) -> None:
        super().__init__()
        self.segmenter, self.generator = segmenter, generator
        self.inner = segmenter.config.resolution
        self.side = generator.config.resolution
        self.threshold = segmenter.config.threshold
        self.reach = round(segmenter.config.dilation * self.side)

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        known = crops.permute(0, 3, 1, 2).float() / 127.5 - 1
        seen = known
        if self.inner != self.side:
            seen = F.interpolate(known, size=(self.inner, self.inner), mode="bilinear")
        probability = torch.sigmoid(self.segmenter(seen)[0])
        if self.inner != self.side:
            probability = F.interpolate(probability, size=(self.side, self.side), mode="bilinear")
        hole = (probability >= self.threshold).float()
        if self.reach:
            hole = F.max_pool2d(hole, 2 * self.reach + 1, stride=1, padding=self.reach)
        painted = self.generator(known * (1 - hole), hole)
        face = painted * hole + known * (1 - hole)
        pixels = ((face + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        return pixels.permute(0, 2, 3, 1), hole[:, 0] > 0.5
