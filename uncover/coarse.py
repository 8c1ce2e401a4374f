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

from uncover.blocks import Attention, Place, smooth_fill, unet_levels

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
        levels = unet_levels(widths, blocks, groups)
        self.place = nn.ModuleList(Place(w, inner >> i) for i, w in enumerate(widths))
        self.encoder = nn.ModuleList(level.encoder for level in levels)
        self.down = nn.ModuleList(level.down for level in levels if level.down is not None)
        self.decoder = nn.ModuleList(level.decoder for level in levels)
        self.up = nn.ModuleList(level.up for level in levels if level.up is not None)
        if heads > 0:
            for level in range(max(1, len(widths) - 2), len(widths)):
                levels[level].encoder.append(Attention(widths[level], heads))
        self.to_rgb = nn.Conv2d(widths[0], 3 * UNSHUFFLE**2, 3, padding=1)
        nn.init.zeros_(self.to_rgb.weight)
        nn.init.zeros_(self.to_rgb.bias)

    def forward(self, image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The small crop (B, 3, side, side), not composited, and features for the fine stage.

        image: (B, 3, side, side) in -1..1 with the hole's pixels zeroed. mask: (B, 1, side, side),
        1 where a pixel is missing. The features are (B, widths[0], side / 2, side / 2).
        """
        return self.finish(*self.begin(image, mask))

    def begin(self, image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The smooth fill (B, 3, side, side) and the last features, which `finish` takes."""
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
        return base, h

    def finish(self, base: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """What `forward` gives, from what `begin` gave."""
        h = F.silu(h)
        return base + F.pixel_shuffle(self.to_rgb(h), UNSHUFFLE), h


def shrink(image: Tensor, mask: Tensor, factor: int) -> tuple[Tensor, Tensor]:
    """The small crop and hole of a large one, averaged over what is known.

    A small pixel counts as missing where any of it is. image is zero inside the hole.
    """
    hole = F.max_pool2d(mask, factor)
    return F.avg_pool2d(image, factor) * (1 - hole), hole
