"""The generator of the original project, kept for comparison: a context encoder.

Five stride-2 convolutions, a bottleneck of 4,000 channels and five transposed convolutions, the
first of which holds 32.8 of the 40.5 million parameters (Pathak et al. 2016, arXiv:1604.07379).
It is not told where the mask is and repaints the whole photo.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from uncover.networks.generator import fill_plainly


@dataclass(frozen=True)
class ContextEncoderConfig:
    """resolution: side of the crop in pixels, a multiple of 32. bottleneck: its channels."""

    resolution: int = 256
    bottleneck: int = 4000

    def __post_init__(self) -> None:
        if self.resolution < 32 or self.resolution % 32 or self.bottleneck < 1:
            raise ValueError("resolution must be a multiple of 32 and bottleneck positive")


class ContextEncoder(nn.Module):
    """Crop in, crop out; the mask argument is accepted and ignored, as in the original."""

    def __init__(self, config: ContextEncoderConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ContextEncoderConfig()
        encoder: list[nn.Module] = []
        channels = 3
        for index, width in enumerate((64, 64, 128, 256, 512)):
            encoder.append(nn.Conv2d(channels, width, 4, stride=2, padding=1, bias=False))
            encoder += [nn.BatchNorm2d(width)] if index else []
            encoder.append(nn.LeakyReLU(0.2, inplace=True))
            channels = width
        encoder.append(nn.Conv2d(channels, config.bottleneck, 1, bias=False))
        decoder: list[nn.Module] = [nn.BatchNorm2d(config.bottleneck), nn.ReLU(inplace=True)]
        channels = config.bottleneck
        for width in (512, 256, 128, 64):
            decoder.append(nn.ConvTranspose2d(channels, width, 4, 2, 1, bias=False))
            decoder += [nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
            channels = width
        decoder += [nn.ConvTranspose2d(channels, 3, 4, 2, 1), nn.Tanh()]
        self.encoder, self.decoder = nn.Sequential(*encoder), nn.Sequential(*decoder)

    def forward(self, image: Tensor, mask: Tensor | None = None, z: Tensor | None = None) -> Tensor:
        """(B, 3, S, S) in -1..1 in and out."""
        return self.decoder(self.encoder(image))

    def fill(self, crops: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """As `uncover.networks.Generator.fill`, which is told no look."""
        return fill_plainly(self, crops, masks)
