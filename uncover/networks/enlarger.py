"""The enlarger: the generator's answer at twice its resolution, with the detail of the photo.

Where more photo pixels make up a face than the generator paints, its answer has to be enlarged, and
mouth and chin are softer than the eyes above them. A small residual U-Net sees the photo around the
hole at twice the resolution, the answer enlarged in it, and adds what was too fine to be painted:
pores, lashes, the edges of lips and teeth. It is given noise to make texture of (StyleGAN, Karras
et al. 2019, arXiv:1812.04948): without any it could only weave patterns. Built as the generator's
fine stage: pixel-unshuffle in, pixel-shuffle out (Shi et al. 2016, arXiv:1609.05158). It never says
what a face looks like; a network of a few layers cannot, and need not, for that is painted already.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from uncover.networks.blocks import ConvNorm, UNet, binomial, silence
from uncover.networks.generator import check_crops, to_network, to_pixels
from uncover.strict import added_later

ENLARGED = 2  # its resolution over the generator's
PATCH = 4  # pixel-unshuffle factor between the crop and the body
DETAIL_IN = 8  # channels that the body hands to the half-resolution stage
TILE = 64  # side of the kept noise, at half the crop's resolution


@dataclass(frozen=True)
class EnlargerConfig:
    """Shape of the enlarger; the defaults have 1.4 GFLOP and 64,000 parameters.

    resolution: side of the square crop in pixels, twice the generator's and a multiple of
      4 * 2 ** (len(widths) - 1).
    widths, blocks: channels and residual blocks per level, from a quarter of the crop's resolution
      on; see `uncover.networks.blocks.UNet`.
    detail_width: channels of the half-resolution stage.
    smoothing: binomial filter passes over the last pixel shuffle, whose checkerboard they remove.
    detail_smoothing: the same for every shuffle before the last.
    noise: channels of noise that the half-resolution stage sees, 0 for none.
    """

    resolution: int = 512
    widths: tuple[int, ...] = (16, 32)
    blocks: tuple[int, ...] = (1, 1)
    detail_width: int = 12
    smoothing: int = 1
    detail_smoothing: int = added_later(0)
    noise: int = added_later(0)

    def __post_init__(self) -> None:
        if len(self.widths) != len(self.blocks) or not self.widths:
            raise ValueError("widths and blocks must have the same length, at least 1")
        if min(*self.widths, *self.blocks, self.detail_width) < 1 or self.noise < 0:
            raise ValueError("widths, blocks, detail_width must be positive, noise not negative")
        multiple = PATCH * 2 ** (len(self.widths) - 1)
        if self.resolution < multiple or self.resolution % multiple:
            raise ValueError(f"resolution must be a multiple of {multiple}, not {self.resolution}")
        for name in ("smoothing", "detail_smoothing"):
            if not 0 <= getattr(self, name) <= 4:
                raise ValueError(f"{name} must lie in 0..4, not {getattr(self, name)}")


class Enlarger(nn.Module):
    """Adds fine detail to a generator's answer at twice its resolution."""

    noise: Tensor

    def __init__(self, config: EnlargerConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or EnlargerConfig()
        widths, detail = config.widths, config.detail_width
        self.stem = ConvNorm(4 * PATCH**2, widths[0], 1)
        self.body = UNet(widths, config.blocks, smoothing=config.detail_smoothing)
        self.to_detail = nn.Conv2d(widths[0], 4 * DETAIL_IN, 1)
        seen = DETAIL_IN + 4 * (PATCH // 2) ** 2 + config.noise
        if config.noise:  # the same each time, so that a photo's fill is
            self.register_buffer("noise", torch.randn(1, config.noise, TILE, TILE))
        self.detail = nn.Sequential(ConvNorm(seen, detail, 3), ConvNorm(detail, detail, 3))
        self.to_rgb = nn.Conv2d(detail, 3 * 4, 3, padding=1)
        silence(self.to_rgb)  # untrained it changes nothing

    def start(self, answer: Tensor, image: Tensor, mask: Tensor) -> Tensor:
        """The crop (B, 3, S, S) with the answer in its hole, enlarged and no more.

        answer: (B, 3, S/2, S/2), the generator's. image: (B, 3, S, S), of which the known pixels
        count. mask: (B, 1, S, S), 1 = hole. All in -1..1, a pixel's area on four pixels' areas.
        """
        grown = F.interpolate(answer, scale_factor=ENLARGED, mode="bicubic", align_corners=False)
        return image * (1 - mask) + mask * grown.clamp(-1, 1)

    def forward(self, base: Tensor, mask: Tensor) -> Tensor:
        """The crop with its detail: (B, 3, S, S), about -1..1 and not clamped.

        base: (B, 3, S, S), what `start` gave, or a window of it, a multiple of what `resolution` is
        a multiple of. mask: (B, 1, S, S), 1 = hole.
        """
        x = torch.cat([base, mask], dim=1)
        h = self.body(self.stem(F.pixel_unshuffle(x, PATCH)))
        h = binomial(F.pixel_shuffle(self.to_detail(h), 2), self.config.detail_smoothing)
        seen = [h, F.pixel_unshuffle(x, PATCH // 2)]
        if self.config.noise:
            seen.append(self._drawn(h))
        h = self.detail(torch.cat(seen, dim=1))
        added = F.pixel_shuffle(self.to_rgb(h), 2)
        return base + binomial(added, self.config.smoothing)

    def _drawn(self, like: Tensor) -> Tensor:
        """Noise for maps (B, C, H, W): the kept tile, repeated; in training it is drawn anew."""
        batch, _, height, width = (int(size) for size in like.shape)
        if self.training:
            return torch.randn(batch, self.config.noise, height, width).to(like)
        down, across = -(-height // TILE), -(-width // TILE)
        whole = self.noise.repeat(1, 1, down, across)[..., :height, :width].to(like.dtype)
        return whole.expand(like.shape[0], -1, -1, -1)

    def enlarge(self, answers: np.ndarray, crops: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """The answers at twice their resolution: uint8 (B, S, S, 3).

        answers: uint8 (B, S/2, S/2, 3), whole crops from a generator. crops: uint8 (B, S, S, 3),
        the photo. masks: bool (B, S, S), the holes. The caller composites. Raises ValueError when
        the shapes are not those of the configured resolution.
        """
        side = self.config.resolution
        check_crops(crops, masks, side)
        if answers.shape != (len(crops), side // ENLARGED, side // ENLARGED, 3):
            raise ValueError(f"expected answers of half the crops' side, got {answers.shape}")
        device = next(self.parameters()).device
        with torch.inference_mode():
            known, hole = to_network(crops, masks, device)
            small, _ = to_network(answers, np.zeros(answers.shape[:3], bool), device)
            return to_pixels(self(self.start(small, known, hole), hole))
