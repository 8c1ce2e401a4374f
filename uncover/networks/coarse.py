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

from uncover.networks.blocks import ConvNorm, UNet, smooth_fill

UNSHUFFLE = 2  # between the small crop and the stage's finest level


class CoarseStage(nn.Module):
    """Completes a crop of `side` pixels; its features, at side / 2, guide the fine stage.

    widths, blocks, heads: of its `UNet` (`uncover.networks.blocks`), which gets a learned map per
      level.
    """

    def __init__(
        self,
        side: int,
        widths: Sequence[int],
        blocks: Sequence[int],
        heads: int,
    ) -> None:
        super().__init__()
        sides = [side // UNSHUFFLE >> level for level in range(len(widths))]
        self.stem = ConvNorm(4 * UNSHUFFLE**2, widths[0], 3)
        self.body = UNet(widths, blocks, sides, heads)
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
        x = F.pixel_unshuffle(torch.cat([base, mask], dim=1), UNSHUFFLE)
        return base, self.body(self.stem(x))

    def finish(self, base: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """What `forward` gives, from what `begin` gave."""
        h = F.relu(h)
        return base + F.pixel_shuffle(self.to_rgb(h), UNSHUFFLE), h


def shrink(image: Tensor, mask: Tensor, factor: int) -> tuple[Tensor, Tensor]:
    """The small crop and hole of a large one, averaged over what is known.

    A small pixel counts as missing where any of it is. image is zero inside the hole.
    """
    hole = F.max_pool2d(mask, factor)
    return F.avg_pool2d(image, factor) * (1 - hole), hole
