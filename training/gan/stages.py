"""The two stages as their runs train them.

The coarse stage also learns what look to expect where none is asked for. The fine stage starts from
the coarse stage's answers, or from true small crops.

Where it starts from an answer, the photo is not the truth any more: another face was begun, and the
fine stage has to finish that one. Critics judge the result, and an L1 on small pixels holds it to
what was begun. Where it starts from the true crop shrunk to the coarse stage's side, the photo is
the one right answer, and L1 and LPIPS may ask for it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.gan import losses
from uncover.networks import PATCH, CoarseStage, Generator, shrink


class LearningStage(nn.Module):
    """A coarse stage as its run trains it: unknown properties stay unknown, and are guessed beside.

    The guess learns from the deepest maps, and they do not learn from it.
    """

    def __init__(self, stage: CoarseStage) -> None:
        super().__init__()
        self.stage = stage

    def forward(
        self, known: Tensor, hole: Tensor, look: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """Small crops (B, 3, side, side) and guesses (B, 3) in 0..1, None without a look."""
        base, maps = self.stage.encode(known, hole)
        painted, _ = self.stage.decode(base, maps, look)
        return painted, None if self.stage.guess is None else self.stage.guess(maps[-1].detach())


QUANTILES = (0.5, 0.25, 0.35)
"""Of smile, open mouth and beard. Half open mouths and half beards look wrong on most faces, so
more has to speak for them before they are guessed: chosen on sheets of real masked photos."""


def guess_loss(guess: Tensor, properties: Tensor) -> Tensor:
    """Quantile loss (Koenker & Bassett 1978, doi:10.2307/1913643) of guesses (B, 3) against what
    the photos show, (B, 3) in 0..1; NaN does not count."""
    known = torch.isfinite(properties)
    error = (torch.where(known, properties, 0) - guess.float()) * known
    quantile = error.new_tensor(QUANTILES)
    return 2 * torch.maximum(quantile * error, (quantile - 1) * error).sum() / known.sum().clamp(1)


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


class BothStages(nn.Module):
    """A generator whose stages learn together: unknown properties of the look stay unknown, and are
    guessed beside."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, known: Tensor, hole: Tensor, look: Tensor) -> tuple[Tensor, Tensor]:
        """The painted crops (B, 3, S, S), and guesses (B, 3) in 0..1.

        known, hole: what the generator takes. look: (B, look_size), see `look_vector`.
        """
        g = self.generator
        assert g.coarse is not None
        assert g.coarse.guess is not None
        base, maps = g.coarse.encode(*shrink(known, hole, PATCH))
        small, guide = g.coarse.decode(base, maps, look)
        grown = F.interpolate(small, scale_factor=PATCH, mode="bilinear", align_corners=False)
        painted = g.refine(known + hole * grown, guide, hole)
        return painted, g.coarse.guess(maps[-1].detach())


def faithful(painted: Tensor, base: Tensor, hole: Tensor) -> Tensor:
    """L1 between two crops on means of `PATCH` x `PATCH` pixels that lie in the hole altogether."""
    return _on_means(painted, base, hole, PATCH)


def same_layout(painted: Tensor, taught: Tensor, hole: Tensor) -> Tensor:
    """The same on means of twice that side, which overlap by half: where things lie, not what they
    look like."""
    return _on_means(painted, taught, hole, 2 * PATCH)


def _on_means(a: Tensor, b: Tensor, hole: Tensor, side: int) -> Tensor:
    inside = -F.max_pool2d(-hole, side, stride=PATCH)
    a, b = (F.avg_pool2d(each, side, stride=PATCH) for each in (a, b))
    return losses.masked_l1(a, b, inside)
