"""The two discriminators: one sees the whole crop, one a window that follows the mask.

Both are patch discriminators (Isola et al. 2017, arXiv:1611.07004) with spectral normalisation
(Miyato et al. 2018, arXiv:1802.05957), both are told where the hole is and which pixels exist.
The pair follows Iizuka et al. 2017 (GLCIC, doi:10.1145/3072959.3073659).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm
from torchvision.ops import roi_align

from uncover.weights import registry


@dataclass(frozen=True)
class DiscriminatorConfig:
    """Shape of one discriminator.

    widths: channels after each stride-2 convolution.
    unshuffle: pixel-unshuffle factor at the input, for speed; 1 keeps the pixels as they are.
    window: side in pixels of the window that follows the mask; 0 = look at the whole crop.
    margin: the window's side over the longer side of the hole's box.
    spectral: spectral normalisation on every layer.
    """

    widths: tuple[int, ...] = (48, 96, 192)
    unshuffle: int = 2
    window: int = 0
    margin: float = 1.2
    spectral: bool = True


class PatchDiscriminator(nn.Module):
    """Logits per patch, and the features before them, for a crop given hole and validity."""

    def __init__(self, config: DiscriminatorConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or DiscriminatorConfig()
        norm = spectral_norm if config.spectral else (lambda layer: layer)
        channels = 5 * config.unshuffle**2
        self.layers = nn.ModuleList()
        for width in config.widths:
            self.layers.append(norm(nn.Conv2d(channels, width, 4, stride=2, padding=1)))
            channels = width
        self.layers.append(norm(nn.Conv2d(channels, channels, 3, padding=1)))
        self.head = norm(nn.Conv2d(channels, 1, 3, padding=1))

    def forward(self, image: Tensor, hole: Tensor, valid: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Logits (B, 1, h, w) and a list of feature maps.

        image: (B, 3, S, S) in -1..1. hole: (B, 1, S, S), 1 = painted. valid: (B, 1, S, S), 1 where
        the photo has pixels; everything else is blacked out for real and fake alike.
        """
        h = torch.cat([image * valid, hole, valid], dim=1)
        if self.config.unshuffle > 1:
            h = F.pixel_unshuffle(h, self.config.unshuffle)
        features = []
        for layer in self.layers:
            h = F.leaky_relu(layer(h), 0.2)
            features.append(h)
        return self.head(h), features


def hole_windows(hole: Tensor, margin: float) -> Tensor:
    """Square windows around each hole: (B, 4) as x0 y0 x1 y1 in pixels, kept inside the crop.

    hole: (B, 1, S, S). The side is `margin` times the longer side of the hole's box, between an
    eighth of the crop and the crop; an empty hole gives the centre.
    """
    size = hole.shape[-1]
    position = torch.arange(size, device=hole.device, dtype=torch.float32)

    def span(present: Tensor) -> tuple[Tensor, Tensor]:
        far = torch.tensor(float("inf"), device=hole.device)
        low = torch.where(present, position, far).amin(-1)
        high = torch.where(present, position, -far).amax(-1) + 1
        empty = ~present.any(-1)
        return low.masked_fill(empty, size / 2), high.masked_fill(empty, size / 2)

    present = hole[:, 0] > 0.5
    x0, x1 = span(present.any(1))
    y0, y1 = span(present.any(2))
    side = (torch.maximum(x1 - x0, y1 - y0) * margin).clamp(size / 8, size)
    left = ((x0 + x1 - side) / 2).clamp(min=0).minimum(size - side)
    top = ((y0 + y1 - side) / 2).clamp(min=0).minimum(size - side)
    return torch.stack([left, top, left + side, top + side], dim=1)


def cut_windows(tensor: Tensor, windows: Tensor, side: int) -> Tensor:
    """The windows (B, 4) of a (B, C, S, S) tensor, resampled to (B, C, side, side)."""
    index = torch.arange(len(windows), device=windows.device, dtype=windows.dtype)[:, None]
    boxes = torch.cat([index, windows], dim=1).to(tensor.dtype)
    return roi_align(tensor, boxes, side, sampling_ratio=2, aligned=True)


def native_windows(images: list[Tensor], hole: Tensor, side: int, seed: int) -> list[Tensor]:
    """Windows of `side` pixels, one a crop, at a random place in the hole's box; not resampled.

    images: (B, C, S, S) each, cut at the same places. hole: (B, 1, S, S). A box smaller than the
    window is in its middle, as far as the crop reaches.
    """
    size = hole.shape[-1]
    side = min(side, size)
    draw = torch.rand(len(hole), 2, generator=torch.Generator().manual_seed(seed))
    box = hole_windows(hole, margin=1.0).cpu()
    low, room = box[:, :2], (box[:, 2:] - box[:, :2] - side).clamp(min=0)
    middle = (box[:, :2] + box[:, 2:] - side) / 2
    corner = torch.where(room > 0, low + draw * room, middle).round().clamp(0, size - side)
    places = corner.long().tolist()
    return [
        torch.stack(
            [x[:, b : b + side, a : a + side] for x, (a, b) in zip(each, places, strict=True)]
        )
        for each in images
    ]


def looked_at(
    config: DiscriminatorConfig, images: list[Tensor], hole: Tensor, valid: Tensor
) -> tuple[list[Tensor], Tensor, Tensor]:
    """What a discriminator of this config sees of `images`, of the hole and of the validity."""
    if not config.window:
        return images, hole, valid
    windows = hole_windows(hole, config.margin)
    cut = [cut_windows(x, windows, config.window) for x in images]
    masks = [(cut_windows(m, windows, config.window) > 0.5).to(hole.dtype) for m in (hole, valid)]
    return cut, masks[0], masks[1]


for _part in ("global", "local"):
    registry.register(
        f"discriminator_{_part}",
        "training.gan.discriminators",
        "PatchDiscriminator",
        "DiscriminatorConfig",
    )
