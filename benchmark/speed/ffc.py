"""An inpainter of fast Fourier convolutions, with random weights: a yardstick for speed only.

Written from the papers: Suvorov et al., "Resolution-robust Large Mask Inpainting with Fourier
Convolutions" (2021, arXiv:2109.07161), and Chi, Jiang & Mu, "Fast Fourier Convolution" (2020). With
the defaults, the paper's "LaMa-Fourier" of 27 million parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from uncover.networks import fill_plainly


@dataclass(frozen=True)
class FfcConfig:
    """resolution: side of the crop in pixels, a multiple of 2 ** downs. width: channels at full
    resolution, doubled by each of `downs` halvings. blocks: residual blocks at the bottom.
    share: part of the bottom's channels that lives in the frequency domain.
    """

    resolution: int = 256
    width: int = 64
    downs: int = 3
    blocks: int = 9
    share: float = 0.75

    def __post_init__(self) -> None:
        if self.resolution % 2**self.downs or min(self.width, self.downs, self.blocks) < 1:
            raise ValueError("resolution must be a multiple of 2 ** downs, the rest positive")
        if not 0 < self.share < 1:
            raise ValueError(f"share must lie within 0..1, not {self.share}")


class Spectral(nn.Module):
    """A 1x1 convolution over the real 2-D spectrum: every output pixel sees the whole picture."""

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = width // 2
        self.enter = _unit(width, inner, 1)
        self.mix = _unit(2 * inner, 2 * inner, 1)
        self.leave = nn.Conv2d(inner, width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.enter(x)
        spectrum = torch.fft.rfft2(x.float(), norm="ortho")
        planes = self.mix(torch.cat([spectrum.real, spectrum.imag], dim=1))
        real, imaginary = planes.chunk(2, dim=1)
        back = torch.fft.irfft2(torch.complex(real, imaginary), s=x.shape[2:], norm="ortho")
        return self.leave(x + back)


class FourierConv(nn.Module):
    """A 3x3 convolution split into a local part and a global one that exchange what they see."""

    def __init__(self, local: int, wide: int) -> None:
        super().__init__()
        self.local_to_local = _conv(local, local)
        self.wide_to_local = _conv(wide, local)
        self.local_to_wide = _conv(local, wide)
        self.wide_to_wide = Spectral(wide)
        self.norm_local, self.norm_wide = nn.BatchNorm2d(local), nn.BatchNorm2d(wide)

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """x: (B, local, H, W). y: (B, wide, H, W)."""
        near = self.local_to_local(x) + self.wide_to_local(y)
        far = self.local_to_wide(x) + self.wide_to_wide(y)
        return F.relu(self.norm_local(near)), F.relu(self.norm_wide(far))


class FourierBlock(nn.Module):
    """Two Fourier convolutions, added to what went in."""

    def __init__(self, local: int, wide: int) -> None:
        super().__init__()
        self.first, self.second = FourierConv(local, wide), FourierConv(local, wide)

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        near, far = self.second(*self.first(x, y))
        return x + near, y + far


class FfcInpainter(nn.Module):
    """Crop and mask in, crop out: (B, 3, S, S) in -1..1 and (B, 1, S, S) -> (B, 3, S, S)."""

    def __init__(self, config: FfcConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or FfcConfig()
        widths = [config.width * 2**level for level in range(config.downs + 1)]
        wide = round(config.share * widths[-1])
        local = widths[-1] - wide
        self.enter = nn.Sequential(nn.ReflectionPad2d(3), _unit(4, widths[0], 7, padding=0))
        self.down = nn.Sequential(
            *(_unit(widths[i], widths[i + 1], 3, 2) for i in range(config.downs - 1))
        )
        self.to_local = _unit(widths[-2], local, 3, 2)
        self.to_wide = _unit(widths[-2], wide, 3, 2)
        self.blocks = nn.ModuleList(FourierBlock(local, wide) for _ in range(config.blocks))
        up: list[nn.Module] = []
        for width, below in zip(widths[-2::-1], widths[:0:-1], strict=True):
            up += [
                nn.ConvTranspose2d(below, width, 3, 2, padding=1, output_padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(inplace=True),
            ]
        self.up = nn.Sequential(*up)
        self.to_rgb = nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(widths[0], 3, 7), nn.Tanh())

    def forward(self, image: Tensor, mask: Tensor, z: Tensor | None = None) -> Tensor:
        h = self.down(self.enter(torch.cat([image, mask], dim=1)))
        x, y = self.to_local(h), self.to_wide(h)
        for block in self.blocks:
            x, y = block(x, y)
        return self.to_rgb(self.up(torch.cat([x, y], dim=1)))

    def fill(self, crops: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """As `uncover.networks.Generator.fill`, which is told no look."""
        return fill_plainly(self, crops, masks)


def _conv(width_in: int, width: int) -> nn.Conv2d:
    return nn.Conv2d(width_in, width, 3, padding=1, padding_mode="reflect", bias=False)


def _unit(
    width_in: int, width: int, kernel: int, stride: int = 1, padding: int | None = None
) -> nn.Sequential:
    """Convolution, batch normalisation, ReLU."""
    pad = kernel // 2 if padding is None else padding
    mode = "reflect" if pad else "zeros"
    return nn.Sequential(
        nn.Conv2d(width_in, width, kernel, stride, pad, padding_mode=mode, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    )
