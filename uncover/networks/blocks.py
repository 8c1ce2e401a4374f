"""What the generator's two stages are built of: residual blocks, attention, a place's own bias.

The two stages are convolutions with batch norm and ReLU (He et al. 2016, arXiv:1512.03385), whose
norms `fold` merges into the convolutions: once a network is trained they cost nothing. Attention is
multi-head self-attention over positions (SAGAN, Zhang et al. 2019, arXiv:1805.08318).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

Modulation = list[tuple[Tensor, Tensor]]
"""For each place of a network, what its maps are scaled by and shifted by: (B, width, 1, 1)."""


def silence(layer: nn.Conv2d) -> None:
    """Has a convolution, one with a bias, begin with zeros: what it adds is nothing at first."""
    assert layer.bias is not None
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)


class ConvNorm(nn.Sequential):
    """Convolution, batch norm, and ReLU unless told otherwise; an odd kernel keeps the size."""

    FOLDS = (("0", "1"),)

    def __init__(
        self, width_in: int, width: int, kernel: int, stride: int = 1, rectify: bool = True
    ) -> None:
        padding = (kernel - 1) // 2
        super().__init__(
            nn.Conv2d(width_in, width, kernel, stride, padding, bias=False), nn.BatchNorm2d(width)
        )
        if rectify:
            self.append(nn.ReLU(inplace=True))


class BasicBlock(nn.Module):
    """Two convolutions with batch norm, added to the input, rectified; begins as the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = ConvNorm(width, width, 3)
        self.conv2 = ConvNorm(width, width, 3, rectify=False)
        norm = self.conv2[1]
        assert isinstance(norm, nn.BatchNorm2d)
        nn.init.zeros_(norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.conv2(self.conv1(x)))


def fold(module: nn.Module) -> nn.Module:
    """Merge every batch norm of `module`, in place, into the convolution before it; for inference.

    Parts of it say in `FOLDS`, as pairs of names, which of their convolutions a norm follows.

    Raises ValueError when the module is in training mode.
    """
    if module.training:
        raise ValueError("only a network in eval mode can be folded")
    for part in list(module.modules()):
        for first, second in getattr(part, "FOLDS", ()):
            conv, norm = getattr(part, first), getattr(part, second)
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(part, first, fuse_conv_bn_eval(conv, norm))
                setattr(part, second, nn.Identity())
    return module


class Attention(nn.Module):
    """Residual multi-head self-attention over all positions of a feature map."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(1, width)
        self.qkv = nn.Conv2d(width, 3 * width, 1)
        self.out = nn.Conv2d(width, width, 1)
        silence(self.out)

    def forward(self, x: Tensor) -> Tensor:
        b, c, height, width = x.shape
        qkv = self.qkv(self.norm(x)).reshape(b, 3, self.heads, c // self.heads, height * width)
        q, k, v = qkv.transpose(-1, -2).unbind(1)
        h = F.scaled_dot_product_attention(q, k, v).transpose(-1, -2)
        return x + self.out(h.reshape(b, c, height, width))


class UNet(nn.Module):
    """A residual U-Net from and to features (Ronneberger et al. 2015, arXiv:1505.04597).

    widths, blocks: channels and residual blocks per level, finest first; the decoder has half as
    many blocks, rounded up. What comes up is added to the encoder's features. sides: of each
    level's maps, for a learned map per level, or None for none. heads: of the attention at the
    coarsest level, 0 for none. smoothing: binomial filter passes over each pixel shuffle.
    """

    def __init__(
        self,
        widths: Sequence[int],
        blocks: Sequence[int],
        sides: Sequence[int] | None = None,
        heads: int = 0,
        smoothing: int = 0,
    ) -> None:
        super().__init__()
        self.smoothing = smoothing
        pairs = list(itertools.pairwise(widths))
        self.place = nn.ModuleList(Place(w, s) for w, s in zip(widths, sides or (), strict=False))
        self.encoder = nn.ModuleList(_blocks(w, n) for w, n in zip(widths, blocks, strict=True))
        self.down = nn.ModuleList(ConvNorm(fine, coarse, 4, stride=2) for fine, coarse in pairs)
        self.up = nn.ModuleList(nn.Conv2d(coarse, 4 * fine, 1) for fine, coarse in pairs)
        self.decoder = nn.ModuleList(
            _blocks(w, (n + 1) // 2) for w, n in zip(widths, blocks, strict=True)
        )
        if heads:
            coarsest = self.encoder[-1]
            assert isinstance(coarsest, nn.Sequential)
            coarsest.append(Attention(widths[-1], heads))

    def forward(
        self, h: Tensor, guide: Tensor | None = None, look: Modulation | None = None
    ) -> Tensor:
        """(B, widths[0], S, S), rectified, to the same: `decode` of what `encode` gives."""
        return self.decode(self.encode(h, guide), look)

    def encode(self, h: Tensor, guide: Tensor | None = None) -> list[Tensor]:
        """The maps of each level, finest first. guide: (B, widths[1], S/2, S/2), added."""
        maps = []
        for level, blocks in enumerate(self.encoder):
            if level == 1 and guide is not None:
                h = h + guide
            if len(self.place):
                h = self.place[level](h)
            h = blocks(h)
            maps.append(h)
            if level < len(self.down):
                h = self.down[level](h)
        return maps

    def decode(self, maps: list[Tensor], look: Modulation | None = None) -> Tensor:
        """(B, widths[0], S, S) from the encoder's maps.

        look: modulates what each level's decoder sees, coarsest first.
        """
        h = maps[-1]
        for level in reversed(range(len(self.decoder))):
            if level < len(self.up):
                grown = F.pixel_shuffle(self.up[level](h), 2)
                h = binomial(grown, self.smoothing) + maps[level]
            if look is not None:
                h = modulated(h, look[len(self.decoder) - 1 - level])
            h = self.decoder[level](h)
        return h


def _blocks(width: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(BasicBlock(width) for _ in range(count)))


class Place(nn.Module):
    """Adds a learned map: crops are aligned, so where a feature lies says what it should be."""

    def __init__(self, width: int, side: int) -> None:
        super().__init__()
        self.map = nn.Parameter(torch.zeros(1, width, side, side))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.map


def binomial(x: Tensor, passes: int) -> Tensor:
    """x (B, C, H, W) filtered with [1, 2, 1] / 4 both ways, `passes` times; edges are repeated.

    Zero at the highest frequency, where a pixel shuffle leaves its checkerboard (Odena et al. 2016,
    doi:10.23915/distill.00003).
    """
    rows = [[1 / 16, 1 / 8, 1 / 16], [1 / 8, 1 / 4, 1 / 8], [1 / 16, 1 / 8, 1 / 16]]
    channels = x.shape[1]
    kernel = x.new_tensor([[rows]] * channels)  # a constant, also in a traced graph
    for _ in range(passes):
        x = F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), kernel, groups=channels)
    return x


def smooth_fill(image: Tensor, mask: Tensor, start: int = 4) -> Tensor:
    """Known pixels as they are, missing ones interpolated smoothly from all around.

    Pull-push (Gortler et al. 1996, "The Lumigraph"), its finest level at 1/`start` of the crop.
    image: (B, 3, S, S) with the hole's pixels zeroed. mask: (B, 1, S, S), 1 = hole. A crop without
    any known pixel gives zeros in the hole.
    """
    known = 1 - mask
    pyramid = [(F.avg_pool2d(image, start), F.avg_pool2d(known, start))]
    while pyramid[-1][0].shape[-1] % 2 == 0:
        colour, weight = pyramid[-1]
        pyramid.append((F.avg_pool2d(colour, 2), F.avg_pool2d(weight, 2)))
    colour, weight = pyramid.pop()
    filled = colour / weight.clamp(min=1e-3)
    while pyramid:
        colour, weight = pyramid.pop()
        coarse = F.interpolate(filled, scale_factor=2, mode="bilinear", align_corners=False)
        filled = colour + (1 - weight) * coarse
    smooth = F.interpolate(filled, scale_factor=start, mode="bilinear", align_corners=False)
    return image + mask * smooth


def modulated(h: Tensor, place: tuple[Tensor, Tensor] | None) -> Tensor:
    """h (B, C, H, W), scaled and shifted; as it is for None."""
    if place is None:
        return h
    return h * (1 + place[0]) + place[1]
