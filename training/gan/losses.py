"""Every loss term as a small pure function, one paragraph each.

Images are (B, 3, S, S) in -1..1; masks are (B, 1, S, S), 1 = counts. Scalars come back.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def masked_l1(prediction: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute error over the pixels of `mask`; zero when the mask is empty."""
    error = (prediction - target).abs().mean(1, keepdim=True) * mask
    return error.sum() / mask.sum().clamp(min=1)


def masked_l2(prediction: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Mean squared error over the pixels of `mask`; zero when the mask is empty."""
    error = (prediction - target).square().mean(1, keepdim=True) * mask
    return error.sum() / mask.sum().clamp(min=1)


def perceptual(lpips: nn.Module, prediction: Tensor, target: Tensor) -> Tensor:
    """LPIPS distance (Zhang et al. 2018, arXiv:1801.03924), mean over the batch."""
    return lpips(prediction, target).mean()


def heard_less(painted: Tensor, where: Tensor, share: float) -> Tensor:
    """The same crops (B, 3, S, S), whose gradient is scaled: by `share` where `where` is 1, by
    nothing where it is 0. where: (B, 1, S, S) in 0..1."""
    kept = 1 - (1 - share) * where
    return painted.detach() + kept * (painted - painted.detach())


def patch_labels(hole: Tensor, logits: Tensor) -> Tensor:
    """1 where a patch of the discriminator's map touches the hole, else 0, shaped like logits.

    Known patches of a composited crop are real pixels and are labelled so (LaMa, Suvorov et al.
    2021, arXiv:2109.07161, section 2.2.2).
    """
    return F.adaptive_max_pool2d(hole, logits.shape[-2:])


def d_logistic(real: Tensor, fake: Tensor, labels: Tensor) -> Tensor:
    """Non-saturating logistic loss of a patch discriminator (Goodfellow et al. 2014).

    real, fake: logits; labels: 1 where a patch of the fake is painted, 0 where it is known.
    """
    on_fake = F.softplus(fake) * labels + F.softplus(-fake) * (1 - labels)
    return F.softplus(-real).mean() + on_fake.mean()


def g_logistic(fake: Tensor, labels: Tensor) -> Tensor:
    """The generator's side of `d_logistic`, over painted patches only."""
    return (F.softplus(-fake) * labels).sum() / labels.sum().clamp(min=1)


def feature_matching(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """Mean L1 between the discriminator's features (pix2pixHD, Wang et al. 2018, 1711.11585)."""
    return torch.stack([F.l1_loss(f, r.detach()) for r, f in zip(real, fake, strict=True)]).mean()


def r1_penalty(real_logits: Tensor, real: Tensor) -> Tensor:
    """Squared gradient norm on real data (Mescheder et al. 2018, arXiv:1801.04406)."""
    (gradient,) = torch.autograd.grad(real_logits.sum(), real, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3)).mean()
