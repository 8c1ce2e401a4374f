"""Other answers to the same face: a latent vector that moves the coarse stage's last features.

The decoder of a conditional variational autoencoder (Sohn, Lee & Yan 2015, "Learning structured
output representation using deep conditional generative models"): what the known pixels leave open,
a mouth open or shut, a beard, a longer chin, is a few standard normal numbers. `training.variety`
trains it beside an encoder that sees the true face and is thrown away afterwards.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from uncover.networks.blocks import Place, ResidualBlock

GRID = 8  # side of the map that the latent vector is spread over first


class Variety(nn.Module):
    """From a latent vector and what the coarse stage found to a shift of its last features.

    side: of the coarse stage's features, GRID times a power of two. features: their width.
    latent: length of the vector. width: channels inside. groups: of the normalisation.
    """

    def __init__(self, side: int, features: int, latent: int, width: int, groups: int) -> None:
        super().__init__()
        start = min(GRID, side)
        if side % start or (side // start) & (side // start - 1):
            raise ValueError(f"side must be {start} times a power of two, not {side}")
        self.start, self.width = start, width
        self.spread = nn.Linear(latent, width * start**2)
        doublings = (side // start).bit_length() - 1
        self.grow = nn.ModuleList(ResidualBlock(width, width, groups) for _ in range(doublings + 1))
        self.see = nn.Conv2d(features + 4, width, 1)
        self.place = Place(width, side)
        self.join = ResidualBlock(2 * width, width, groups)
        self.last = ResidualBlock(width, width, groups)
        self.shift = nn.Conv2d(width, features, 3, padding=1)
        # Small, but not zero: where the latent changes nothing, it learns to say nothing.
        nn.init.normal_(self.shift.weight, std=0.03)
        assert self.shift.bias is not None
        nn.init.zeros_(self.shift.bias)

    def forward(self, features: Tensor, small: Tensor, hole: Tensor, z: Tensor) -> Tensor:
        """The shift, shaped as `features`.

        features: (B, features, side, side). small: (B, 3, 2 side, 2 side), the coarse completion.
        hole: (B, 1, 2 side, 2 side), 1 = missing. z: (B, latent).
        """
        h = self.spread(z).unflatten(1, (self.width, self.start, self.start))
        for i, block in enumerate(self.grow):
            if i:
                h = F.interpolate(h, scale_factor=2, mode="bilinear", align_corners=False)
            h = block(h)
        seen = torch.cat([features, F.avg_pool2d(small, 2), F.avg_pool2d(hole, 2)], dim=1)
        h = torch.cat([h, self.place(self.see(seen))], dim=1)
        return self.shift(F.silu(self.last(self.join(h))))
