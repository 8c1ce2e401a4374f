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

from uncover.faces import look_size
from uncover.networks.blocks import ConvNorm, Modulation, UNet, binomial, silence, smooth_fill

UNSHUFFLE = 2  # between the small crop and the stage's finest level


class Look(nn.Module):
    """From a look vector, (B, look_size), to the modulation of maps of these widths.

    The vector says what is asked of a face (`uncover.faces.asked_look`) and holds a latent for the
    rest. It scales and shifts feature maps (FiLM: Perez et al. 2018, arXiv:1709.07871). Its last
    layer begins at zero: a network that never heard of a look computes what it did before.
    """

    def __init__(self, latent: int, widths: Sequence[int], hidden: int = 128) -> None:
        super().__init__()
        self.latent, self.widths = latent, list(widths)
        self.embed = nn.Sequential(
            nn.Linear(look_size(latent), hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU()
        )
        self.out = nn.Linear(hidden, 2 * sum(widths))
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, look: Tensor) -> Modulation:
        """look: (B, look_size)."""
        parts = self.out(self.embed(look))[..., None, None].split(
            [w for width in self.widths for w in (width, width)], dim=1
        )
        return list(zip(parts[::2], parts[1::2], strict=True))


class CoarseStage(nn.Module):
    """Completes a crop of `side` pixels; its features, at side / 2, guide the fine stage.

    widths, blocks, heads: of its `UNet` (`uncover.networks.blocks`), which gets a learned map per
      level. latent: length of the latent vector of its `Look`, None for no look at all.
    smoothing: binomial filter passes over the last pixel shuffle.
    """

    def __init__(
        self,
        side: int,
        widths: Sequence[int],
        blocks: Sequence[int],
        heads: int,
        latent: int | None = None,
        smoothing: int = 0,
    ) -> None:
        super().__init__()
        self.smoothing = smoothing
        self.look = None if latent is None else Look(latent, tuple(reversed(widths)))
        sides = [side // UNSHUFFLE >> level for level in range(len(widths))]
        self.stem = ConvNorm(4 * UNSHUFFLE**2, widths[0], 3)
        self.body = UNet(widths, blocks, sides, heads)
        self.to_rgb = nn.Conv2d(widths[0], 3 * UNSHUFFLE**2, 3, padding=1)
        silence(self.to_rgb)

    def forward(
        self, image: Tensor, mask: Tensor, look: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """The small crop (B, 3, side, side), not composited, and features for the fine stage.

        image: (B, 3, side, side) in -1..1 with the hole's pixels zeroed. mask: (B, 1, side, side),
        1 where a pixel is missing. look: (B, look_size), as `uncover.faces.asked_look` makes it;
        None leaves every property unknown and the latent at zero. The features are
        (B, widths[0], side / 2, side / 2).
        """
        return self.finish(*self.begin(image, mask, look))

    def begin(
        self, image: Tensor, mask: Tensor, look: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """The smooth fill (B, 3, side, side) and the last features, which `finish` takes."""
        base = smooth_fill(image, mask, UNSHUFFLE)
        x = F.pixel_unshuffle(torch.cat([base, mask], dim=1), UNSHUFFLE)
        modulation = None
        if self.look is not None:
            if look is None:
                look = image.new_zeros(len(image), look_size(self.look.latent))
            modulation = self.look(look)
        return base, self.body(self.stem(x), look=modulation)

    def finish(self, base: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """What `forward` gives, from what `begin` gave."""
        h = F.relu(h)
        added = F.pixel_shuffle(self.to_rgb(h), UNSHUFFLE)
        return base + binomial(added, self.smoothing), h


def shrink(image: Tensor, mask: Tensor, factor: int) -> tuple[Tensor, Tensor]:
    """The small crop and hole of a large one, averaged over what is known.

    A small pixel counts as missing where any of it is. image is zero inside the hole.
    """
    hole = F.max_pool2d(mask, factor)
    return F.avg_pool2d(image, factor) * (1 - hole), hole


def look_vector(properties: Tensor, latent: Tensor) -> Tensor:
    """(B, look_size): from properties (B, 3) in 0..1, NaN = unknown, and a latent (B, L)."""
    known = torch.isfinite(properties)
    values = torch.where(known, 2 * properties - 1, 0)
    return torch.cat([values, known.to(latent.dtype), latent], dim=1)
