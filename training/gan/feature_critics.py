"""Critics on the features of a frozen classifier, and one small critic on the pixels themselves.

Pretrained features make a critic that tells faces from averages within minutes (Projected GAN,
Sauer et al. 2021, arXiv:2111.01007; vision-aided GAN, Kumari et al. 2022, arXiv:2112.09130). The
classifier is SqueezeNet 1.1 (Iandola et al. 2016, arXiv:1602.07360) at four depths, each seen
through a fixed random 1x1 projection; the heads learn, with spectral norm (Miyato et al. 2018,
arXiv:1802.05957). A classifier that begins with a stride of two does not see hatching of one pixel,
so the pixel critic's first layer has a stride of one. All heads are told where the hole is and
which look was asked for, and are asked only about patches that touch the hole.
"""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from uncover.errors import UncoverError
from uncover.networks import IMAGE_MEAN, IMAGE_STD

TAPS = {2: 64, 4: 128, 7: 256, 12: 512}
"""After which layer of SqueezeNet's features a head looks, and how many channels it finds."""


def frozen_squeezenet() -> nn.Sequential:
    """The features of SqueezeNet 1.1, frozen. Raises UncoverError when they cannot be had."""
    from torchvision.models import squeezenet1_1

    try:
        network = squeezenet1_1(weights="DEFAULT").features
    except (OSError, RuntimeError) as error:
        raise UncoverError(
            "feature critics need torchvision's SqueezeNet 1.1 weights: go online once, or point "
            f"TORCH_HOME at a cache that has them ({type(error).__name__})"
        ) from None
    return network[: max(TAPS) + 1].eval().requires_grad_(False)


class FeatureHead(nn.Module):
    """Logits (B, 1, h, w) from features (B, width, h, w), the hole, and what was asked for."""

    def __init__(self, width: int, told: int, channels: int = 64) -> None:
        super().__init__()
        fixed = torch.Generator().manual_seed(width)
        projection = torch.randn(width, width, 1, 1, generator=fixed) / width**0.5
        self.register_buffer("projection", projection)
        self.see = spectral_norm(nn.Conv2d(width, channels, 1))
        self.join = spectral_norm(nn.Conv2d(channels + 1 + told, channels, 3, padding=1))
        self.judge = spectral_norm(nn.Conv2d(channels, 1, 3, padding=1))

    def forward(self, features: Tensor, hole: Tensor, told: Tensor) -> Tensor:
        h = F.leaky_relu(self.see(F.conv2d(features, self.projection)), 0.2)
        side = h.shape[-2:]
        where = F.adaptive_avg_pool2d(hole, side).to(h.dtype)
        what = told[..., None, None].expand(-1, -1, *side).to(h.dtype)
        h = F.leaky_relu(self.join(torch.cat([h, where, what], dim=1)), 0.2)
        return self.judge(h)


class PixelCritic(nn.Module):
    """Logits at half and at an eighth of the crop's resolution, from the pixels and the hole."""

    def __init__(self, widths: tuple[int, ...] = (32, 64, 128, 192)) -> None:
        super().__init__()
        self.first = spectral_norm(nn.Conv2d(4, widths[0], 3, padding=1))
        pairs = itertools.pairwise(widths)
        self.down = nn.ModuleList(spectral_norm(nn.Conv2d(a, b, 4, 2, 1)) for a, b in pairs)
        self.fine = spectral_norm(nn.Conv2d(widths[1], 1, 3, padding=1))
        self.wide = spectral_norm(nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, image: Tensor, hole: Tensor) -> list[Tensor]:
        h = F.leaky_relu(self.first(torch.cat([image, hole], dim=1)), 0.2)
        h = F.leaky_relu(self.down[0](h), 0.2)
        fine = self.fine(h)
        for layer in self.down[1:]:
            h = F.leaky_relu(layer(h), 0.2)
        return [fine, self.wide(h)]


class FeatureCritic(nn.Module):
    """All heads together. seen_at: side that crops are resized to for the classifier; told: length
    of the vector that says which look was asked for, 0 for none."""

    def __init__(self, seen_at: int, told: int = 0) -> None:
        super().__init__()
        self.seen_at, self.told = seen_at, told
        self.heads = nn.ModuleList(FeatureHead(width, told) for width in TAPS.values())
        self.pixels = PixelCritic()
        # Not registered: frozen weights that everybody has do not belong into a checkpoint.
        self._classifier = [frozen_squeezenet().to(memory_format=torch.channels_last)]
        self._mean = torch.tensor(IMAGE_MEAN)[:, None, None]
        self._std = torch.tensor(IMAGE_STD)[:, None, None]

    def features(self, image: Tensor) -> list[Tensor]:
        """The classifier's maps of crops (B, 3, S, S) in -1..1, one for each of `TAPS`."""
        (classifier,) = self._classifier
        if next(classifier.parameters()).device != image.device:
            classifier.to(image.device)
        h = (image + 1) / 2
        if h.shape[-1] != self.seen_at:
            h = F.interpolate(h, size=self.seen_at, mode="bilinear", align_corners=False)
        h = (h - self._mean.to(h)) / self._std.to(h)
        found = []
        for number, layer in enumerate(classifier):
            h = layer(h)
            if number in TAPS:
                found.append(h)
        return found

    def forward(self, image: Tensor, hole: Tensor, told: Tensor) -> list[Tensor]:
        """Logits of all heads, (B, 1, h, w) each.

        image: (B, 3, S, S) in -1..1. hole: (B, 1, S, S), 1 = painted. told: (B, `told`).
        """
        pairs = zip(self.heads, self.features(image), strict=True)
        return [head(found, hole, told) for head, found in pairs] + self.pixels(image, hole)


def touched(hole: Tensor, logits: Tensor) -> Tensor:
    """1 where a patch of the map touches the hole, shaped like `logits`."""
    return (F.adaptive_max_pool2d(hole, logits.shape[-2:]) > 0).to(torch.float32)


def d_hinge(logits: list[Tensor], hole: Tensor) -> Tensor:
    """The critics' hinge loss (Lim & Ye 2017, arXiv:1705.02894), mean over the heads.

    logits: of real and fake crops one after the other, (2 B, 1, h, w); hole: (B, 1, S, S).
    Only patches that touch the hole count, for real and fake alike.
    """
    total = hole.new_zeros(())
    for each in logits:
        real, fake = each.float().chunk(2)
        where = touched(hole, real)
        total = total + ((F.relu(1 - real) + F.relu(1 + fake)) * where).sum() / where.sum().clamp(1)
    return total / len(logits)


def g_hinge(logits: list[Tensor], hole: Tensor) -> Tensor:
    """The generator's side: minus the mean logit of painted patches, mean over the heads."""
    total = hole.new_zeros(())
    for each in logits:
        where = touched(hole, each)
        total = total - (each.float() * where).sum() / where.sum().clamp(1)
    return total / len(logits)


def shifted(images: list[Tensor], reach: int, generator: torch.Generator) -> list[Tensor]:
    """All images moved alike by up to `reach` pixels each way, edges repeated: what the critics see
    moves a little, so that they do not learn places by heart (Zhao et al. 2020, arXiv:2006.10738).
    """
    dx, dy = torch.randint(0, 2 * reach + 1, (2,), generator=generator).tolist()
    moved = []
    for image in images:
        padded = F.pad(image, (reach,) * 4, mode="replicate")
        height, width = image.shape[-2:]
        moved.append(padded[..., dy : dy + height, dx : dx + width])
    return moved
