"""The coarse stage's teacher: views are undone exactly, and their mean is taken."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from training.gan.teacher import BETA, agreement, moved_answer, teach
from uncover.networks.coarse import CoarseStage

SIDE = 32


class Same(nn.Module):
    """Answers what it is shown, and keeps it."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[Tensor] = []

    def forward(self, image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        self.shown.append(image)
        return image + 0 * mask, mask


def crops() -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    hole = torch.zeros(2, 1, SIDE, SIDE)
    hole[..., 16:28, 8:24] = 1
    return (torch.rand(2, 3, SIDE, SIDE) * 2 - 1) * (1 - hole), hole


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize(("right", "down"), [(0, 0), (3, 2), (-3, 2), (1, -4)])
def test_a_moved_view_is_moved_back(right: int, down: int, flip: bool) -> None:
    known, hole = crops()
    stage = Same()
    answer, inside = moved_answer(stage, known, hole, right, down, flip)
    assert torch.equal(answer, known * inside)
    lost = SIDE * SIDE - (SIDE - abs(right)) * (SIDE - abs(down))
    assert int((inside[0] == 0).sum()) == lost
    seen = stage.shown[0].flip(-1) if flip else stage.shown[0]
    x, y = 12 + right, 10 + down
    assert torch.equal(seen[..., y, x], known[..., 10, 12])


def test_the_teacher_s_answer_is_the_mean_of_its_views() -> None:
    known, hole = crops()
    stage = Same()
    torch.testing.assert_close(teach(stage, known, hole), known)
    assert len(stage.shown) == 3
    torch.manual_seed(1)
    network = CoarseStage(SIDE, (8, 12), (1, 1), 2).eval()
    nn.init.normal_(network.to_rgb.weight, std=0.3)
    torch.manual_seed(7)
    first, second = teach(network, known, hole), teach(network, known, hole)
    assert not torch.equal(first, second)  # other views
    torch.manual_seed(7)
    assert torch.equal(teach(network, known, hole), first)
    assert not first.requires_grad


def test_agreement_is_a_huber_distance_over_the_hole() -> None:
    _, hole = crops()
    taught = torch.zeros(2, 3, SIDE, SIDE)
    outside = (1 - hole).expand_as(taught)
    assert float(agreement(outside, taught, hole)) == 0
    far, near = torch.full_like(taught, 0.5), torch.full_like(taught, 0.01)
    assert float(agreement(far, taught, hole)) == pytest.approx(0.5 - BETA / 2)
    assert float(agreement(near, taught, hole)) == pytest.approx(0.01**2 / (2 * BETA))
    assert float(agreement(far, taught, torch.zeros_like(hole))) == 0
