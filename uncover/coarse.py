"""The generator's first stage: a small crop with a hole in, the crop's plain structure out.

At a quarter of the resolution a network sees a hundred thousand faces in the time the fine stage
sees a few thousand, and where the mouth lies, how light falls and which colour the skin has are all
there already (coarse-to-fine inpainting: Yu et al. 2018, arXiv:1801.07892). A residual U-Net over a
pixel-unshuffled crop (Shi et al. 2016, arXiv:1609.05158) that adds to the smooth fill.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from uncover.blocks import Attention, Place, ResidualBlock, smooth_fill

UNSHUFFLE = 2  # between the small crop and the stage's finest level


class CoarseStage(nn.Module):
    """Completes a crop of `side` pixels; its features, at side / 2, guide the fine stage.

    widths, blocks: channels and residual blocks per level, finest first. heads: of the attention
    at the two coarsest levels, 0 for none.
    """

    def __init__(
        self,
        side: int,
        widths: Sequence[int],
        blocks: Sequence[int],
        groups: int,
        heads: int,
    ) -> None:
        super().__init__()
        inner = side // UNSHUFFLE
        self.stem = nn.Conv2d(4 * UNSHUFFLE**2, widths[0], 3, padding=1)
        self.place, self.encoder, self.down = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        self.decoder, self.up = nn.ModuleList(), nn.ModuleList()
        for level, (width, count) in enumerate(zip(widths, blocks, strict=True)):
            self.place.append(Place(width, inner >> level))
            looks = heads > 0 and level >= max(1, len(widths) - 2)
            steps: list[nn.Module] = []
            for _ in range(count):
                steps.append(ResidualBlock(width, width, groups))
            if looks:
                steps.append(Attention(width, heads))
            self.encoder.append(nn.ModuleList(steps))
            if level + 1 < len(widths):
                self.down.append(nn.Conv2d(width, widths[level + 1], 4, stride=2, padding=1))
                self.up.append(nn.Conv2d(widths[level + 1], 4 * width, 1))
            inside = 2 * width if level + 1 < len(widths) else width
            self.decoder.append(
                nn.ModuleList(
                    ResidualBlock(inside if i == 0 else width, width, groups) for i in range(count)
                )
            )
        self.to_rgb = nn.Conv2d(widths[0], 3 * UNSHUFFLE**2, 3, padding=1)
        nn.init.zeros_(self.to_rgb.weight)
        nn.init.zeros_(self.to_rgb.bias)

    def forward(self, image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The small crop (B, 3, side, side), not composited, and features for the fine stage.

        image: (B, 3, side, side) in -1..1 with the hole's pixels zeroed. mask: (B, 1, side, side),
        1 where a pixel is missing. The features are (B, widths[0], side / 2, side / 2).
        """
        base = smooth_fill(image, mask, UNSHUFFLE)
        h = self.stem(F.pixel_unshuffle(torch.cat([base, mask], dim=1), UNSHUFFLE))
        features = []
        for level, steps in enumerate(self.encoder):
            h = self.place[level](h)
            for step in steps:
                h = step(h)
            features.append(h)
            if level < len(self.down):
                h = self.down[level](h)
        for level in reversed(range(len(self.decoder))):
            if level < len(self.up):
                h = F.pixel_shuffle(self.up[level](h), 2)
                h = torch.cat([h, features[level]], dim=1)
            for block in self.decoder[level]:
                h = block(h)
        h = F.silu(h)
        return base + F.pixel_shuffle(self.to_rgb(h), UNSHUFFLE), h


def shrink(image: Tensor, mask: Tensor, factor: int) -> tuple[Tensor, Tensor]:
    """The small crop and hole of a large one, averaged over what is known.

    A small pixel counts as missing where any of it is. image is zero inside the hole.
    """
    hole = F.max_pool2d(mask, factor)
    return F.avg_pool2d(image, factor) * (1 - hole), hole
