"""The generator: a face crop with a hole, and where the hole is, in; the whole crop, out.

A residual U-Net whose body runs at a quarter of the crop's resolution: pixel-unshuffle in,
pixel-shuffle out (Shi et al. 2016, arXiv:1609.05158), so that a 256 px crop costs what a plain
64 px U-Net costs. Blocks are group norm, SiLU, convolution, twice (He et al. 2016,
arXiv:1603.05027; Wu & He 2018, arXiv:1803.08494). One self-attention layer at the coarsest level
but one lets a cheek look at the other (SAGAN, Zhang et al. 2019, arXiv:1805.08318). The network
does not paint from nothing: the hole is first filled smoothly from its surroundings (pull-push,
Gortler et al. 1996, "The Lumigraph"), and the network adds to that, so that light and skin tone
carry over. An optional latent vector shifts and scales the decoder's features (FiLM, Perez et al.
2018, arXiv:1709.07871); the zero vector is the best guess.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

PATCH = 4  # pixel-unshuffle factor between the crop and the body


@dataclass(frozen=True)
class GeneratorConfig:
    """Shape of the generator.

    resolution: side of the square crop in pixels, a multiple of 4 * 2 ** (len(widths) - 1).
    widths: channels per level, from the finest (a quarter of the crop) to the coarsest.
    groups: groups of the normalisation, or their greatest common divisor with a layer's width.
    blocks: residual blocks per level, in the encoder and again in the decoder.
    detail_width: channels of the half-resolution stage that draws fine texture.
    heads: attention heads at the level before the coarsest; 0 switches attention off.
    latent: length of the latent vector; 0 switches it off.
    """

    resolution: int = 256
    widths: tuple[int, ...] = (48, 96, 192, 256)
    blocks: tuple[int, ...] = (1, 2, 2, 2)
    groups: int = 8
    detail_width: int = 24
    heads: int = 4
    latent: int = 32

    def __post_init__(self) -> None:
        if len(self.widths) != len(self.blocks) or len(self.widths) < 2:
            raise ValueError("widths and blocks must have the same length, at least 2")
        if min(self.widths) < 1 or min(self.blocks) < 1 or self.detail_width < 1:
            raise ValueError("widths, blocks and detail_width must be positive")
        multiple = PATCH * 2 ** (len(self.widths) - 1)
        if self.resolution < multiple or self.resolution % multiple:
            raise ValueError(f"resolution must be a multiple of {multiple}, not {self.resolution}")
        if self.groups < 1:
            raise ValueError(f"groups must be positive, not {self.groups}")
        if self.heads and self.widths[-2] % self.heads:
            raise ValueError(f"heads must divide {self.widths[-2]}, the width it attends at")


class ResidualBlock(nn.Module):
    """(norm - SiLU - conv) twice, added to the input; FiLM after the second norm."""

    def __init__(self, width_in: int, width: int, groups: int, latent: int = 0) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(math.gcd(groups, width_in), width_in)
        self.norm2 = nn.GroupNorm(math.gcd(groups, width), width)
        self.conv1 = nn.Conv2d(width_in, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.skip = nn.Conv2d(width_in, width, 1) if width_in != width else nn.Identity()
        nn.init.zeros_(self.conv2.weight)
        self.film = nn.Linear(latent, 2 * width, bias=False) if latent else None
        if self.film is not None:
            nn.init.zeros_(self.film.weight)

    def forward(self, x: Tensor, z: Tensor | None = None) -> Tensor:
        h = self.norm2(self.conv1(F.silu(self.norm1(x))))
        if self.film is not None and z is not None:
            gain, shift = self.film(z)[:, :, None, None].chunk(2, dim=1)
            h = h * (1 + gain) + shift
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


class Generator(nn.Module):
    """Paints a whole face crop from its known pixels and the mask of the missing ones."""

    def __init__(self, config: GeneratorConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or GeneratorConfig()
        widths, latent, groups = config.widths, config.latent, config.groups
        self.stem = nn.Conv2d(4 * PATCH**2, widths[0], 3, padding=1)
        self.encoder, self.down = nn.ModuleList(), nn.ModuleList()
        self.decoder, self.up = nn.ModuleList(), nn.ModuleList()
        for level, (width, count) in enumerate(zip(widths, config.blocks, strict=True)):
            self.encoder.append(
                nn.ModuleList(ResidualBlock(width, width, groups) for _ in range(count))
            )
            if level + 1 < len(widths):
                self.down.append(nn.Conv2d(width, widths[level + 1], 4, stride=2, padding=1))
                self.up.append(nn.Conv2d(widths[level + 1], 4 * width, 1))
            inside = 2 * width if level + 1 < len(widths) else width
            self.decoder.append(
                nn.ModuleList(
                    ResidualBlock(inside if i == 0 else width, width, groups, latent)
                    for i in range(count)
                )
            )
        self.attention = Attention(widths[-2], config.heads) if config.heads else nn.Identity()
        detail = config.detail_width
        self.to_detail = nn.Conv2d(widths[0], 4 * detail, 1)
        self.detail = ResidualBlock(detail + 16, detail, groups)
        self.to_rgb = nn.Conv2d(detail, 3 * 4, 3, padding=1)
        with torch.no_grad():  # start close to the smooth fill
            self.to_rgb.weight.mul_(0.1)
            self.to_rgb.bias.zero_()

    def encode(self, image: Tensor, mask: Tensor) -> list[Tensor]:
        """Smooth fill and features, finest first; independent of the latent vector.

        image: (B, 3, S, S) in -1..1, zero inside the hole. mask: (B, 1, S, S), 1 in the hole.
        """
        base = smooth_fill(image, mask)
        x = torch.cat([base, mask], dim=1)
        h = self.stem(F.pixel_unshuffle(x, PATCH))
        features = [base, F.pixel_unshuffle(x, PATCH // 2)]
        for level, blocks in enumerate(self.encoder):
            for block in blocks:
                h = block(h)
            if level == len(self.encoder) - 2:
                h = self.attention(h)
            features.append(h)
            if level < len(self.down):
                h = self.down[level](h)
        return features

    def decode(self, features: list[Tensor], z: Tensor | None = None) -> Tensor:
        """The crop (B, 3, S, S) that `features` and the latent z (B, latent) give."""
        h = features[-1]
        for level in reversed(range(len(self.decoder))):
            if level < len(self.up):
                h = F.pixel_shuffle(self.up[level](h), 2)
                h = torch.cat([h, features[level + 2]], dim=1)
            for block in self.decoder[level]:
                h = block(h, z)
        h = F.pixel_shuffle(self.to_detail(F.silu(h)), 2)
        h = self.detail(torch.cat([h, features[1]], dim=1))
        return features[0] + F.pixel_shuffle(self.to_rgb(F.silu(h)), 2)

    def forward(self, image: Tensor, mask: Tensor, z: Tensor | None = None) -> Tensor:
        """The whole crop, not composited: (B, 3, S, S), about -1..1 and not clamped.

        image: (B, 3, S, S) in -1..1 with the hole's pixels zeroed. mask: (B, 1, S, S), 1 = hole.
        z: (B, latent) or None, which is the zero vector.
        """
        return self.decode(self.encode(image, mask), z)

    @torch.inference_mode()
    def fill(self, crops: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """Raw output for uint8 RGB crops (B, S, S, 3) and bool holes (B, S, S): uint8, as crops.

        The caller composites: pixels outside the hole are the network's own, not the photo's.
        Raises ValueError when the shapes are not those of the configured resolution.
        """
        side = self.config.resolution
        if crops.shape[1:] != (side, side, 3) or masks.shape != crops.shape[:3]:
            raise ValueError(
                f"expected crops (B, {side}, {side}, 3) and masks (B, {side}, {side}), "
                f"got {crops.shape} and {masks.shape}"
            )
        known, hole = to_network(crops, masks, next(self.parameters()).device)
        out = self(known, hole)
        out = (out.float() + 1).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)
        return np.ascontiguousarray(out.permute(0, 2, 3, 1).cpu().numpy())


def smooth_fill(image: Tensor, mask: Tensor) -> Tensor:
    """Known pixels as they are, missing ones interpolated smoothly from all around (pull-push).

    image: (B, 3, S, S) with the hole's pixels zeroed. mask: (B, 1, S, S), 1 = hole. A crop without
    any known pixel gives zeros in the hole.
    """
    known = 1 - mask
    pyramid = [(F.avg_pool2d(image, PATCH), F.avg_pool2d(known, PATCH))]
    while pyramid[-1][0].shape[-1] % 2 == 0:
        colour, weight = pyramid[-1]
        pyramid.append((F.avg_pool2d(colour, 2), F.avg_pool2d(weight, 2)))
    colour, weight = pyramid.pop()
    filled = colour / weight.clamp(min=1e-3)
    while pyramid:
        colour, weight = pyramid.pop()
        coarse = F.interpolate(filled, scale_factor=2, mode="bilinear", align_corners=False)
        filled = colour + (1 - weight) * coarse
    smooth = F.interpolate(filled, scale_factor=PATCH, mode="bilinear", align_corners=False)
    return image + mask * smooth


def to_network(
    crops: np.ndarray, masks: np.ndarray, device: torch.device | str = "cpu"
) -> tuple[Tensor, Tensor]:
    """uint8 crops (B, S, S, 3) and bool holes (B, S, S) as the generator's two inputs."""
    image = torch.from_numpy(np.ascontiguousarray(crops)).to(device).permute(0, 3, 1, 2)
    hole = torch.from_numpy(np.ascontiguousarray(masks)).to(device)[:, None].float()
    known = (image.float() / 127.5 - 1) * (1 - hole)
    return known.contiguous(), hole
