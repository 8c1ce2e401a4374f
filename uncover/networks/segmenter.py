"""Says which pixels of a face crop are mask, where eyes, nose and mouth are, and whether there is
a face at all: a small U-Net.

The body follows Ronneberger et al., "U-Net" (2015), with residual blocks, and runs at a quarter of
the crop's side: pixels go in by pixel-unshuffle and come out by pixel-shuffle (Shi et al., 2016).
A thin branch at half resolution keeps edges and straps sharp. The five points are read off heat
maps by soft-argmax ("integral regression", Sun et al., 2018).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from uncover.networks.blocks import ConvNorm
from uncover.networks.segmentation import GRID, CropSegmenter, SegmenterConfig


class MaskSegmenter(CropSegmenter, nn.Module):
    """float (B, 3, R, R) in -1..1 -> (mask logits (B, 1, R, R), points (B, 5, 2) in 0..1) and,
    where ``config.presence`` is not 0, a face's logit (B,).

    :meth:`segment` is for uint8 crops of any size.
    """

    def __init__(self, config: SegmenterConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or SegmenterConfig()
        widths = config.widths
        self.detail = ConvNorm(3, config.detail_width, 3, stride=2)
        self.enter = nn.Sequential(nn.PixelUnshuffle(4), ConvNorm(48, widths[0], 3))
        self.down = nn.ModuleList()
        for i, width in enumerate(widths):
            before = widths[max(0, i - 1)]
            first = ConvNorm(before, width, 3, stride=2) if i else nn.Identity()
            self.down.append(nn.Sequential(first, Residual(width)))
        self.bottom = Residual(widths[-1])
        self.narrow = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for fine, coarse in pairwise(widths))
        self.up = nn.ModuleList(Residual(width) for width in widths[:-1])
        self.heat = nn.Conv2d(widths[1], 5, 1)
        self.shuffle = nn.PixelShuffle(2)
        self.finish = nn.Sequential(
            ConvNorm(widths[0] // 4 + config.detail_width, 16, 3), nn.Conv2d(16, 4, 3, padding=1)
        )
        self.presence = nn.Linear(GRID**2 * widths[-1], 1) if config.presence else None
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        images = images.contiguous(memory_format=torch.channels_last)
        detail = self.detail(images)
        x = self.enter(images)
        skips = []
        for stage in self.down:
            x = stage(x)
            skips.append(x)
        x = self.bottom(x)
        heat = bottom = x
        for level in reversed(range(len(self.up))):
            x = F.interpolate(self.narrow[level](x), scale_factor=2.0, mode="nearest")
            x = self.up[level](x + skips[level])
            if level == 1:
                heat = self.heat(x)
        if len(self.up) == 1:
            heat = self.heat(heat)
        fine = torch.cat([self.shuffle(x), detail], dim=1)
        found = self.shuffle(self.finish(fine)), soft_argmax(heat)
        if self.presence is None:
            return found
        return *found, self.presence(whereabouts(bottom))[:, 0]

    @torch.inference_mode()
    def _run(self, crops: np.ndarray) -> tuple[np.ndarray, ...]:
        parameter = next(self.parameters())
        images = torch.from_numpy(crops).to(parameter.device).permute(0, 3, 1, 2)
        was_training = self.training
        self.eval()
        logits, unit, *face = self(images.to(parameter.dtype) / 127.5 - 1)
        self.train(was_training)
        found = torch.sigmoid(logits)[:, 0], unit, *(torch.sigmoid(x) for x in face)
        return tuple(x.float().cpu().numpy() for x in found)


class Residual(nn.Module):
    """x + two 3x3 convolutions with batch normalisation (He et al., 2016)."""

    FOLDS = (("second", "norm"),)

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = ConvNorm(width, width, 3)
        self.second = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.norm(self.second(self.first(x))))


def whereabouts(features: Tensor) -> Tensor:
    """Mean features of `GRID` x `GRID` parts of the crop: (B, C, S, S) -> (B, GRID^2 * C)."""
    return F.avg_pool2d(features, int(features.shape[-1]) // GRID).flatten(1)


def soft_argmax(heat: Tensor) -> Tensor:
    """Expected position under each map's softmax: (B, K, H, W) -> (B, K, 2), x and y in 0..1.

    0 and 1 are the outer edges of the first and the last pixel.
    """
    height, width = heat.shape[2:]
    odds = heat.flatten(2).float().softmax(dim=2).view(heat.shape)
    x = (torch.arange(width, device=heat.device) + 0.5) / width
    y = (torch.arange(height, device=heat.device) + 0.5) / height
    return torch.stack([(odds.sum(2) * x).sum(2), (odds.sum(3) * y).sum(2)], dim=2)


__all__ = ["MaskSegmenter", "Residual", "SegmenterConfig", "soft_argmax"]
