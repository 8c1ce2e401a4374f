"""What the fine stage starts from while it learns: the coarse stage's answers or true small crops.

Where it starts from an answer, the photo is not the truth any more: another face was begun, and the
fine stage has to finish that one. Critics judge the result, and an L1 on small pixels holds it to
what was begun. Where it starts from the true crop shrunk to the coarse stage's side, the photo is
the one right answer, and L1 and LPIPS may ask for it.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from training.gan import losses
from uncover.networks import PATCH, Generator


class Painting(nn.Module):
    """A generator as a run trains it: `forward` also gives what its fine stage started from."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator

    def forward(
        self, known: Tensor, hole: Tensor, look: Tensor | None, real: Tensor, true: int
    ) -> tuple[Tensor, Tensor]:
        """The painted crops (B, 3, S, S), and what each was started from.

        known, hole: what the generator takes. look: how faces shall look, or None. real: the true
        crops; the first `true` start from them, shrunk.
        """
        g = self.generator
        base, guide = g.start(known, hole, look=look)
        if true:
            grown = F.interpolate(
                F.avg_pool2d(real[:true], PATCH),
                scale_factor=PATCH,
                mode="bilinear",
                align_corners=False,
            )
            base = base.clone()
            base[:true] = known[:true] + hole[:true] * grown.to(base.dtype)
        return g.refine(base, guide, hole), base


def faithful(painted: Tensor, base: Tensor, hole: Tensor) -> Tensor:
    """L1 between two crops on means of `PATCH` x `PATCH` pixels that lie in the hole altogether."""
    inside = -F.max_pool2d(-hole, PATCH)
    return losses.masked_l1(F.avg_pool2d(painted, PATCH), F.avg_pool2d(base, PATCH), inside)
