"""The generator: a face crop with a hole, and where the hole is, in; the whole crop, out.

Two stages. The coarse one (`uncover.networks.coarse`) completes the crop at a quarter of its
resolution. The fine one is a residual U-Net whose body also runs at a quarter of the resolution:
pixel-unshuffle in, pixel-shuffle out (Shi et al. 2016, arXiv:1609.05158), so that a 256 px crop
costs what a plain 64 px U-Net costs. It starts from the coarse completion, sees the coarse stage's
features, and adds what a quarter of the resolution cannot hold. The coarse stage may be told how
the face shall look; a latent vector is for what that leaves open: other faces that fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from uncover.faces import asked_look
from uncover.networks.blocks import ConvNorm, UNet, binomial, smooth_fill
from uncover.networks.coarse import UNSHUFFLE, CoarseStage, shrink
from uncover.networks.other_looks import other_looks
from uncover.strict import added_later

PATCH = 4  # pixel-unshuffle factor between the crop and the body
AT_ONCE = 4  # other answers in one pass: memory grows with them
DETAIL_IN = 16  # channels that the body hands to the half-resolution stage


@dataclass(frozen=True)
class GeneratorConfig:
    """Shape of the generator.

    resolution: side of the square crop in pixels, a multiple of 4 * 2 ** (len(widths) - 1).
    widths: channels per level of the fine stage, from a quarter of the crop's resolution on.
    blocks: residual blocks per level of the encoder; the decoder has half as many, rounded up.
    detail_width: channels of the half-resolution stage that draws fine texture.
    smoothing: binomial filter passes over the last pixel shuffle, whose checkerboard they remove.
    coarse_widths, coarse_blocks: the same for the coarse stage, from an eighth of the crop's
      resolution on; empty leaves it out, and the fine stage starts from a smooth fill.
    coarse_heads: attention heads at the coarse stage's last level; 0 switches them off.
    look: the coarse stage is told how the face shall look (`uncover.faces.asked_look`).
    latent: length of the latent in that vector, 0 for none; only with `look`.
    coarse_smoothing: as `smoothing`, for the coarse stage.
    guided: the fine stage sees the coarse stage's features, beside what it starts from.
    detail_smoothing: as `smoothing`, for the shuffle from the body to the half-resolution stage,
      whose checkerboard has a period of four pixels of the crop.
    """

    resolution: int = 256
    widths: tuple[int, ...] = (32, 96)
    blocks: tuple[int, ...] = (1, 2)
    detail_width: int = 24
    smoothing: int = 1
    latent: int = 0
    coarse_widths: tuple[int, ...] = (64, 128, 256)
    coarse_blocks: tuple[int, ...] = (1, 2, 3)
    coarse_heads: int = 4
    look: bool = added_later(False)
    coarse_smoothing: int = added_later(0)
    guided: bool = added_later(True)
    detail_smoothing: int = added_later(0)

    def __post_init__(self) -> None:
        if len(self.widths) != len(self.blocks) or len(self.widths) < 2:
            raise ValueError("widths and blocks must have the same length, at least 2")
        if len(self.coarse_widths) != len(self.coarse_blocks):
            raise ValueError("coarse_widths and coarse_blocks must have the same length")
        every = (*self.widths, *self.coarse_widths, *self.blocks, *self.coarse_blocks)
        if min(every) < 1 or self.detail_width < 1:
            raise ValueError("widths, blocks and detail_width must be positive")
        multiple = PATCH * 2 ** (len(self.widths) - 1)
        if self.coarse_widths:
            multiple = max(multiple, PATCH * UNSHUFFLE * 2 ** (len(self.coarse_widths) - 1))
        if self.resolution < multiple or self.resolution % multiple:
            raise ValueError(f"resolution must be a multiple of {multiple}, not {self.resolution}")
        for name in ("smoothing", "coarse_smoothing", "detail_smoothing"):
            if not 0 <= getattr(self, name) <= 4:
                raise ValueError(f"{name} must lie in 0..4, not {getattr(self, name)}")
        if self.latent < 0 or (self.latent and not (self.look and self.coarse_widths)):
            raise ValueError("latent must not be negative and needs look and coarse_widths")
        heads, seen = self.coarse_heads, self.coarse_widths[-1:]
        if heads < 0 or (heads and any(width % heads for width in seen)):
            raise ValueError(f"coarse_heads must divide {seen[0]}, the width it attends at")


class Generator(nn.Module):
    """Paints a whole face crop from its known pixels and the mask of the missing ones."""

    def __init__(self, config: GeneratorConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or GeneratorConfig()
        widths = config.widths
        self.coarse: CoarseStage | None = None
        if config.coarse_widths:
            self.coarse = CoarseStage(
                config.resolution // PATCH,
                config.coarse_widths,
                config.coarse_blocks,
                config.coarse_heads,
                config.latent if config.look else None,
                config.coarse_smoothing,
            )
            if config.guided:
                self.guide = nn.Conv2d(config.coarse_widths[0], widths[1], 1)
        self.stem = ConvNorm(4 * PATCH**2, widths[0], 3)
        self.body = UNet(widths, config.blocks)
        detail = config.detail_width
        self.to_detail = nn.Conv2d(widths[0], 4 * DETAIL_IN, 1)
        seen = DETAIL_IN + 4 * (PATCH // 2) ** 2
        self.detail = nn.Sequential(ConvNorm(seen, detail, 3), ConvNorm(detail, detail, 3))
        self.to_rgb = nn.Conv2d(detail, 3 * 4, 3, padding=1)
        assert self.to_rgb.bias is not None
        with torch.no_grad():  # start close to the coarse completion
            self.to_rgb.weight.mul_(0.1)
            self.to_rgb.bias.zero_()

    def start(
        self,
        image: Tensor,
        mask: Tensor,
        look: Tensor | None = None,
        z: Tensor | None = None,
        first: int = 1,
    ) -> tuple[Tensor, Tensor | None]:
        """What the fine stage starts from, (B, 3, S, S), and the coarse stage's features.

        With z (K, B, latent) it is K answers to each crop, one after the other, (K * B, ...); they
        share the encoder. first: see `other_looks`.
        """
        if self.coarse is None:
            return smooth_fill(image, mask, PATCH), None
        known, hole = shrink(image, mask, PATCH)
        if z is None:
            small, features = self.coarse(known, hole, look)
        else:
            assert self.coarse.guess is not None
            base, maps = self.coarse.encode(known, hole)
            looks = other_looks(z, look, self.coarse.guess(maps[-1]), first)
            base, image, mask = (each.repeat(len(z), 1, 1, 1) for each in (base, image, mask))
            maps = [each.repeat(len(z), 1, 1, 1) for each in maps]
            small, features = self.coarse.finish(base, maps, looks)
        grown = F.interpolate(small, scale_factor=PATCH, mode="bilinear", align_corners=False)
        return image + mask * grown, features

    def refine(self, base: Tensor, guide: Tensor | None, mask: Tensor) -> Tensor:
        """The fine stage: the crop (B, 3, S, S) from what `start` gave."""
        x = torch.cat([base, mask], dim=1)
        guide = self.guide(guide) if guide is not None and self.config.guided else None
        h = self.body(self.stem(F.pixel_unshuffle(x, PATCH)), guide)
        h = binomial(F.pixel_shuffle(self.to_detail(h), 2), self.config.detail_smoothing)
        h = self.detail(torch.cat([h, F.pixel_unshuffle(x, PATCH // 2)], dim=1))
        added = F.pixel_shuffle(self.to_rgb(h), 2)
        return base + binomial(added, self.config.smoothing)

    def forward(
        self,
        image: Tensor,
        mask: Tensor,
        z: Tensor | None = None,
        look: Tensor | None = None,
        first: int = 1,
    ) -> Tensor:
        """The whole crop, not composited: (B, 3, S, S), about -1..1 and not clamped.

        image: (B, 3, S, S) in -1..1 with the hole's pixels zeroed. mask: (B, 1, S, S), 1 = hole.
        z: None for the best guess, or (K, B, latent) for K other answers, (K, B, 3, S, S). look:
        how the faces shall look, (B, look_size) as `uncover.faces.asked_look` makes it; None leaves
        that to the network. first: number of the first of the other answers.
        """
        start = self.start(image, mask, look, z, first)
        if z is None:
            return self.refine(*start, mask)
        return self.refine(*start, mask.repeat(len(z), 1, 1, 1)).unflatten(0, (len(z), -1))

    def fill(
        self,
        crops: np.ndarray,
        masks: np.ndarray,
        look: Mapping[str, float | None] | None = None,
    ) -> np.ndarray:
        """Raw output for uint8 RGB crops (B, S, S, 3) and bool holes (B, S, S): uint8, as crops.

        look: smile, open and beard, 0..1 each, of all faces; what is None or missing is the
        network's own best guess. The caller composites: pixels outside the hole are the network's
        own, not the photo's. Raises ValueError when the shapes are not those of the configured
        resolution, and for a look when the network cannot be `told`.
        """
        check_crops(crops, masks, self.config.resolution)
        with torch.inference_mode():
            image, hole = to_network(crops, masks, next(self.parameters()).device)
            return to_pixels(self(image, hole, look=self._asked(look, image)))

    @property
    def varied(self) -> bool:
        """Whether there is a latent vector, and so more than one answer."""
        return self.config.latent > 0

    @property
    def told(self) -> bool:
        """Whether it can be told how a face shall look."""
        return self.coarse is not None and self.coarse.look is not None

    def _asked(self, look: Mapping[str, float | None] | None, image: Tensor) -> Tensor | None:
        wanted = {name: value for name, value in (look or {}).items() if value is not None}
        if not wanted:
            return None
        if not self.told:
            raise ValueError("this generator cannot be told how a face shall look")
        return torch.from_numpy(asked_look(wanted, len(image), self.config.latent)).to(image)

    def sample(
        self,
        crops: np.ndarray,
        masks: np.ndarray,
        count: int,
        seed: int = 0,
        look: Mapping[str, float | None] | None = None,
    ) -> np.ndarray:
        """`count` answers to each crop: uint8 (count, B, S, S, 3), the first as `fill` gives it.

        The others come from standard normal latent vectors fixed by `seed`, the same for every
        crop. Raises ValueError as `fill` does, and when the network is not `varied`.
        """
        if count > 1 and not self.varied:
            raise ValueError("this generator has one answer to a face: it has no latent vector")
        answers = [self.fill(crops, masks, look)[None]]
        if count == 1:
            return answers[0]
        drawn = torch.Generator().manual_seed(seed)
        image, hole = to_network(crops, masks, next(self.parameters()).device)
        z = torch.randn(count - 1, 1, self.config.latent, generator=drawn).to(image.device)
        with torch.inference_mode():
            for at in range(0, len(z), AT_ONCE):
                latents = z[at : at + AT_ONCE].expand(-1, len(crops), -1)
                out = self(image, hole, latents, self._asked(look, image), first=1 + at)
                answers.append(to_pixels(out))
        return np.concatenate(answers)


def check_crops(crops: np.ndarray, masks: np.ndarray, side: int) -> None:
    """Raises ValueError unless crops are (B, side, side, 3) and masks (B, side, side)."""
    if crops.shape[1:] != (side, side, 3) or masks.shape != crops.shape[:3]:
        raise ValueError(
            f"expected crops (B, {side}, {side}, 3) and masks (B, {side}, {side}), "
            f"got {crops.shape} and {masks.shape}"
        )


def fill_plainly(network: Any, crops: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """What a network (image, hole) -> image of another kind makes of crops: as `Generator.fill`
    without a look. network: a module that has `config.resolution`.
    """
    check_crops(crops, masks, network.config.resolution)
    with torch.inference_mode():
        return to_pixels(network(*to_network(crops, masks, next(network.parameters()).device)))


def to_pixels(out: Tensor) -> np.ndarray:
    """(..., 3, S, S) in -1..1 as uint8 (..., S, S, 3)."""
    levels = (out.float() + 1).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)
    return np.ascontiguousarray(levels.movedim(-3, -1).cpu().numpy())


def to_network(
    crops: np.ndarray, masks: np.ndarray, device: torch.device | str = "cpu"
) -> tuple[Tensor, Tensor]:
    """uint8 crops (B, S, S, 3) and bool holes (B, S, S) as the generator's two inputs."""
    image = torch.from_numpy(np.ascontiguousarray(crops)).to(device).permute(0, 3, 1, 2)
    hole = torch.from_numpy(np.ascontiguousarray(masks)).to(device)[:, None].float()
    known = (image.float() / 127.5 - 1) * (1 - hole)
    return known.contiguous(), hole
