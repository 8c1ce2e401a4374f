"""The generator's first stage: a small crop with a hole in, the crop's plain structure out.

At a quarter of the resolution a network sees a hundred thousand faces in the time the fine stage
sees a few thousand, and where the mouth lies, how light falls and which colour the skin has are all
there already (coarse-to-fine inpainting: Yu et al. 2018, arXiv:1801.07892). A residual U-Net over a
pixel-unshuffled crop (Shi et al. 2016, arXiv:1609.05158) that adds to the smooth fill.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from uncover.faces import PROPERTIES, look_size
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


class Guess(nn.Sequential):
    """From the deepest maps, (B, width, side, side), to the look one would expect, (B, 3) in 0..1.

    It learned a quantile of the faces that fit, so it is one of them and no mean: a mouth that is
    shut rather than half open, and no beard where most have none.
    """

    def __init__(self, width: int, side: int, hidden: int = 64) -> None:
        seen = 16
        super().__init__(
            nn.Conv2d(width, seen, 1),
            nn.ReLU(inplace=True),
            nn.Flatten(),
            nn.Linear(seen * side**2, hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, len(PROPERTIES)),
            nn.Sigmoid(),
        )


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
        sides = [side // UNSHUFFLE >> level for level in range(len(widths))]
        self.look: Look | None = None
        self.guess: Guess | None = None
        if latent is not None:
            self.look = Look(latent, tuple(reversed(widths)))
            self.guess = Guess(widths[-1], sides[-1])
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
        None leaves every property unknown and the latent at zero. What is unknown is guessed from
        the known pixels. The features are (B, widths[0], side / 2, side / 2).
        """
        return self.finish(*self.encode(image, mask), look)

    def encode(self, image: Tensor, mask: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The smooth fill (B, 3, side, side) and the encoder's maps, finest first."""
        base = smooth_fill(image, mask, UNSHUFFLE)
        x = F.pixel_unshuffle(torch.cat([base, mask], dim=1), UNSHUFFLE)
        return base, self.body.encode(self.stem(x))

    def finish(
        self, base: Tensor, maps: list[Tensor], look: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """What `forward` gives, from what `encode` gave."""
        if self.look is not None and self.guess is not None:
            if look is None:
                look = base.new_zeros(len(base), look_size(self.look.latent))
            look = guessed(look, self.guess(maps[-1]))
        return self.decode(base, maps, look)

    def decode(
        self, base: Tensor, maps: list[Tensor], look: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """As `finish`, but what is unknown in the look stays unknown: for training."""
        modulation = None
        if self.look is not None and look is not None:
            modulation = self.look(look)
        return self.paint(base, self.body.decode(maps, modulation))

    def paint(self, base: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """The small crop and the features from what the decoder gave."""
        h = F.relu(h)
        added = F.pixel_shuffle(self.to_rgb(h), UNSHUFFLE)
        return base + binomial(added, self.smoothing), h


def guessed(look: Tensor, guess: Tensor) -> Tensor:
    """Look vectors (B, look_size) whose unknown properties are those of `guess`, (B, 3) in 0..1."""
    count = guess.shape[1]
    values, known, latent = look[:, :count], look[:, count : 2 * count], look[:, 2 * count :]
    values = torch.where(known > 0, values, 2 * decided(guess) - 1)
    return torch.cat([values, torch.ones_like(known), latent], dim=1)


@dataclass(frozen=True)
class Mouths:
    """The two mouths that are painted where none was asked for: closed, and openly smiling.

    A mouth half open is the mean of both, and comes out torn. Chosen on sheets of real masked
    photos. All in 0..1, as `uncover.faces.look` measures them.

    opens_from: a guess that opens farther smiles openly. least_gap, least_smile: of an open mouth.
    most_smile: of a closed one, where it is guessed.
    """

    opens_from: float = 0.2
    least_gap: float = 0.5
    least_smile: float = 0.75
    most_smile: float = 0.5


MOUTHS = Mouths()


def decided(guess: Tensor) -> Tensor:
    """Guesses (B, 3) in 0..1 with one of the two `Mouths`, nothing between."""
    smile, gap, beard = guess.unbind(1)
    opens = gap > MOUTHS.opens_from
    gap = torch.where(opens, gap.clamp(min=MOUTHS.least_gap), torch.zeros_like(gap))
    wide, closed = smile.clamp(min=MOUTHS.least_smile), smile.clamp(max=MOUTHS.most_smile)
    return torch.stack([torch.where(opens, wide, closed), gap, beard], dim=1)


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
