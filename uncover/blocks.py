"""What the generator's two stages are built of: residual blocks, attention, a place's own bias.

Blocks are group norm, SiLU, convolution, twice (He et al. 2016, arXiv:1603.05027; Wu & He 2018,
arXiv:1803.08494). Attention is multi-head self-attention over positions (SAGAN, Zhang et al. 2019,
arXiv:1805.08318).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """(norm - SiLU - conv) twice, added to the input."""

    def __init__(self, width_in: int, width: int, groups: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(math.gcd(groups, width_in), width_in)
        self.norm2 = nn.GroupNorm(math.gcd(groups, width), width)
        self.conv1 = nn.Conv2d(width_in, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.skip = nn.Conv2d(width_in, width, 1) if width_in != width else nn.Identity()
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm2(self.conv1(F.silu(self.norm1(x))))
        return self.skip(x) + self.conv2(F.silu(h))


class Attention(nn.Module):
    """Residual multi-head self-attention over all positions of a feature map."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(1, width)
        self.qkv = nn.Conv2d(width, 3 * width, 1)
        self.out = nn.Conv2d(width, width, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor) -> Tensor:
        b, c, height, width = x.shape
        qkv = self.qkv(self.norm(x)).reshape(b, 3, self.heads, c // self.heads, height * width)
        q, k, v = qkv.transpose(-1, -2).unbind(1)
        h = F.scaled_dot_product_attention(q, k, v).transpose(-1, -2)
        return x + self.out(h.reshape(b, c, height, width))


@dataclass(frozen=True, eq=False)
class Level:
    """One resolution of a U-Net. down, up: to and from the next coarser one; None at the last."""

    encoder: nn.ModuleList
    down: nn.Conv2d | None
    up: nn.Conv2d | None
    decoder: nn.ModuleList


def unet_levels(widths: Sequence[int], blocks: Sequence[int], groups: int) -> list[Level]:
    """The levels of a residual U-Net, finest first (Ronneberger et al. 2015, arXiv:1505.04597).

    widths, blocks: channels and residual blocks per level, in the encoder and again in the decoder.
    down halves the side; up gives four times the finer level's channels, for a pixel shuffle. The
    decoder takes what came up beside the encoder's features.
    """
    levels = []
    for i, (width, count) in enumerate(zip(widths, blocks, strict=True)):
        last = i + 1 == len(widths)
        encoder = nn.ModuleList(ResidualBlock(width, width, groups) for _ in range(count))
        down = None if last else nn.Conv2d(width, widths[i + 1], 4, stride=2, padding=1)
        up = None if last else nn.Conv2d(widths[i + 1], 4 * width, 1)
        inside = [width if last else 2 * width] + [width] * (count - 1)
        decoder = nn.ModuleList(ResidualBlock(w, width, groups) for w in inside)
        levels.append(Level(encoder, down, up, decoder))
    return levels


class Place(nn.Module):
    """Adds a learned map: crops are aligned, so where a feature lies says what it should be."""

    def __init__(self, width: int, side: int) -> None:
        super().__init__()
        self.map = nn.Parameter(torch.zeros(1, width, side, side))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.map


def binomial(x: Tensor, passes: int) -> Tensor:
    """x (B, C, H, W) filtered with [1, 2, 1] / 4 both ways, `passes` times; edges are repeated.

    Zero at the highest frequency, where a pixel shuffle leaves its checkerboard (Odena et al. 2016,
    doi:10.23915/distill.00003).
    """
    for _ in range(passes):
        x = F.pad(x, (1, 1, 1, 1), mode="replicate")
        x = F.avg_pool2d(F.avg_pool2d(x, 2, stride=1), 2, stride=1)
    return x


def smooth_fill(image: Tensor, mask: Tensor, start: int = 4) -> Tensor:
    """Known pixels as they are, missing ones interpolated smoothly from all around.

    Pull-push (Gortler et al. 1996, "The Lumigraph"), its finest level at 1/`start` of the crop.
    image: (B, 3, S, S) with the hole's pixels zeroed. mask: (B, 1, S, S), 1 = hole. A crop without
    any known pixel gives zeros in the hole.
    """
    known = 1 - mask
    pyramid = [(F.avg_pool2d(image, start), F.avg_pool2d(known, start))]
    while pyramid[-1][0].shape[-1] % 2 == 0:
        colour, weight = pyramid[-1]
        pyramid.append((F.avg_pool2d(colour, 2), F.avg_pool2d(weight, 2)))
    colour, weight = pyramid.pop()
    filled = colour / weight.clamp(min=1e-3)
    while pyramid:
        colour, weight = pyramid.pop()
        coarse = F.interpolate(filled, scale_factor=2, mode="bilinear", align_corners=False)
        filled = colour + (1 - weight) * coarse
    smooth = F.interpolate(filled, scale_factor=start, mode="bilinear", align_corners=False)
    return image + mask * smooth
