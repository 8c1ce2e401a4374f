"""The coarse stage taught by what many views of a crop gave before.

The stage's answers to a crop, to its mirror image and to the crop moved by a few pixels differ, and
their mean is nearer to the truth than any of them. So the stage that a run begins with, kept as it
was, answers to such views, and the stage that learns is told their mean beside the truth: one pass
then comes closer to what many gave ("data distillation", Radosavovic et al. 2018,
arXiv:1712.04440). A teacher that is the learning stage's own running average soon agrees with
itself from all views, and has nothing left to teach.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from uncover.networks import CoarseStage

MOVED = 3 / 64  # of the crop's side, along a diagonal and back
BETA = 0.05  # up to this difference the teacher's pull grows with it


@torch.no_grad()
def teach(teacher: CoarseStage, known: Tensor, hole: Tensor) -> Tensor:
    """Mean of the teacher's answers to a crop and to it moved along a random diagonal and back.

    Each view is mirrored or not; the draws are torch's global ones. known: (B, 3, S, S) in -1..1,
    zero inside the hole. hole: (B, 1, S, S), 1 = missing. Returns (B, 3, S, S).
    """
    side = known.shape[-1]
    step = max(1, round(side * MOVED))
    falling, *mirrored = (bool(bit) for bit in torch.randint(2, (4,)).tolist())
    across = step if falling else -step
    total, count = torch.zeros_like(known), torch.zeros_like(hole)
    views = zip(((0, 0), (across, step), (-across, -step)), mirrored, strict=True)
    for (right, down), flip in views:
        answer, inside = moved_answer(teacher, known, hole, right, down, flip)
        total, count = total + answer, count + inside
    return total / count


def moved_answer(
    stage: CoarseStage, known: Tensor, hole: Tensor, right: int, down: int, flip: bool
) -> tuple[Tensor, Tensor]:
    """The stage's answer to a crop whose content is moved, moved back; and where it has one.

    right, down: in pixels; what comes in over the border repeats it. flip: it sees the mirror
    image. Returns (B, 3, S, S), zero where there is no answer, and (B, 1, S, S) of 0 and 1.
    """
    side, pad = known.shape[-1], max(abs(right), abs(down))

    def window(x: Tensor, right: int, down: int) -> Tensor:
        return x[..., pad - down : pad - down + side, pad - right : pad - right + side]

    frame = (pad,) * 4
    seen = [window(F.pad(x, frame, mode="replicate"), right, down) for x in (known, hole)]
    if flip:
        seen = [x.flip(-1) for x in seen]
    small = stage(*seen)[0].float()
    if flip:
        small = small.flip(-1)
    back = [window(F.pad(x, frame), -right, -down) for x in (small, torch.ones_like(hole))]
    return back[0], back[1]


def agreement(painted: Tensor, taught: Tensor, hole: Tensor) -> Tensor:
    """Mean Huber distance of an answer to the teacher's over the hole, about |x| - BETA / 2.

    painted, taught: (B, 3, S, S). hole: (B, 1, S, S).
    """
    each = F.smooth_l1_loss(painted, taught, reduction="none", beta=BETA)
    return (each * hole).sum() / (hole.sum() * painted.shape[1]).clamp_min(1)
