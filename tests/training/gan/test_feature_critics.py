"""Critics on features and pixels: who is real, which way the generator is pushed, what is seen."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from training.gan.against import Against
from training.gan.feature_critics import FeatureCritic, d_hinge, g_hinge, shifted, touched
from uncover.faces import look_size

pytestmark = pytest.mark.usefixtures("random_classifier")

SIDE = 32


def middle_hole(count: int) -> Tensor:
    hole = torch.zeros(count, 1, SIDE, SIDE)
    hole[..., 8:24, 8:24] = 1
    return hole


def critics(r1: float = 2.0, r1_every: int = 8, batch: int = 16) -> Against:
    told, device = look_size(0), torch.device("cpu")
    return Against(
        device, seen_at=SIDE, told=told, rate=4e-4, r1=r1, r1_every=r1_every, batch=batch
    )


def logit_map(value: float) -> Tensor:
    return torch.full((1, 1, 4, 4), value)


def test_hinge_of_the_critics_wants_real_above_fake() -> None:
    hole = torch.ones(1, 1, 16, 16)
    right = [torch.cat([logit_map(1.0), logit_map(-1.0)])]
    wrong = [torch.cat([logit_map(-1.0), logit_map(1.0)])]
    assert float(d_hinge(right, hole)) == 0
    assert float(d_hinge(wrong, hole)) == pytest.approx(4.0)
    assert float(d_hinge([logit_map(0.0).expand(2, -1, -1, -1)], hole)) == pytest.approx(2.0)


def test_the_generator_wants_high_logits() -> None:
    hole = torch.ones(1, 1, 16, 16)
    assert float(g_hinge([logit_map(3.0)], hole)) == pytest.approx(-3.0)
    assert float(g_hinge([logit_map(3.0), logit_map(1.0)], hole)) == pytest.approx(-2.0)


def test_only_patches_that_touch_the_hole_count() -> None:
    hole = torch.zeros(1, 1, 16, 16)
    hole[..., 0, 0] = 1
    logits = logit_map(0.0).clone()
    logits[..., 0, 0] = 2
    assert touched(hole, logits).sum() == 1
    assert float(g_hinge([logits], hole)) == pytest.approx(-2.0)
    both = torch.cat([logits, -logits])
    both[..., 3, 3] = 100  # away from the hole: nobody is asked
    assert float(d_hinge([both], hole)) == 0


def test_painted_pixels_are_pushed_towards_real_ones() -> None:
    """Real crops are bright, painted ones dark. Swapping real and fake in what the critics learn,
    or turning the sign of what the generator hears, makes the paint darker instead."""
    hole = middle_hole(4)
    against = critics(r1=0.0)
    generator = torch.Generator().manual_seed(3)
    noise = 0.1 * torch.randn(4, 3, SIDE, SIDE, generator=generator)
    real = noise + 0.5
    fake = real * (1 - hole) + (noise - 0.5) * hole
    told = torch.zeros(4, look_size(0))
    first = float(against.learn(real, fake, hole, told, 0, 1.0))
    losses = [float(against.learn(real, fake, hole, told, 16 * n, 1.0)) for n in range(1, 30)]
    assert losses[-1] < first / 2
    painted = fake.clone().requires_grad_(True)
    against.judge(painted * hole + real * (1 - hole), hole, told).backward()
    assert painted.grad is not None
    step = -painted.grad
    assert float((step * hole).sum()) > 0
    assert float((step * (1 - hole)).abs().sum()) == 0


def test_the_generator_s_loss_teaches_the_critics_nothing() -> None:
    hole = middle_hole(2)
    against = critics()
    fake = torch.zeros(2, 3, SIDE, SIDE, requires_grad=True)
    against.judge(fake, hole, torch.zeros(2, look_size(0))).backward()
    assert all(p.grad is None for p in against.critic.parameters())
    assert all(p.requires_grad for p in against.critic.heads.parameters())


def test_critics_hear_which_look_was_asked_for() -> None:
    torch.manual_seed(0)
    critic = FeatureCritic(SIDE, told=look_size(0)).eval()
    image, hole = torch.rand(1, 3, SIDE, SIDE), middle_hole(1)
    with torch.no_grad():
        one = critic(image, hole, torch.zeros(1, look_size(0)))
        two = critic(image, hole, torch.ones(1, look_size(0)))
    heads = len(critic.heads)
    assert all(not torch.equal(a, b) for a, b in zip(one[:heads], two[:heads], strict=True))


def test_the_gradient_penalty_counts_in_its_step_only() -> None:
    hole, told = middle_hole(2), torch.zeros(2, look_size(0))
    torch.manual_seed(4)
    real, fake = torch.rand(2, 3, SIDE, SIDE), torch.rand(2, 3, SIDE, SIDE)

    def weights_after(r1: float, seen: int) -> Tensor:
        torch.manual_seed(5)
        against = critics(batch=2, r1=r1, r1_every=4)
        against.learn(real, fake, hole, told, seen, 1.0)
        return torch.cat([p.detach().flatten() for p in against.critic.pixels.parameters()])

    assert not torch.equal(weights_after(0.0, 0), weights_after(50.0, 0))
    assert torch.equal(weights_after(0.0, 2), weights_after(50.0, 2))


def test_views_move_alike_and_by_no_more_than_the_reach() -> None:
    ramp = torch.arange(16.0).expand(1, 1, 16, 16)
    seen = set()
    for number in range(40):
        one, two = shifted([ramp, 2 * ramp], 2, torch.Generator().manual_seed(number))
        assert torch.equal(2 * one, two)
        seen.add(float(one[0, 0, 8, 8]) - 8)
    assert seen == {-2, -1, 0, 1, 2}
