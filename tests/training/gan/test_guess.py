"""The look that is expected where none is asked for: a median, used, and never forced."""

from __future__ import annotations

import pytest
import torch

from training.gan.stages import QUANTILES, LearningStage, guess_loss
from uncover.faces import look_size
from uncover.networks import CoarseStage, look_vector
from uncover.networks.coarse import decided, guessed

SIDE = 32


def stage(latent: int | None = 2) -> CoarseStage:
    torch.manual_seed(0)
    made = CoarseStage(SIDE, (8, 12), (1, 1), 2, latent)
    for each in (made.to_rgb, *(() if made.look is None else (made.look.out,))):
        torch.nn.init.normal_(each.weight, std=0.2)
    return made.eval()


def crops(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    hole = torch.zeros(count, 1, SIDE, SIDE)
    hole[..., 16:28, 8:24] = 1
    return torch.rand(count, 3, SIDE, SIDE) * (1 - hole), hole


def test_unknown_properties_are_those_of_the_guess_and_told_ones_are_kept() -> None:
    told = torch.tensor([[torch.nan, 0.25, torch.nan]])
    look = look_vector(told, torch.tensor([[0.5, -1.0]]))
    full = guessed(look, torch.tensor([[0.8, 0.9, 0.1]]))
    expected = look_vector(torch.tensor([[0.8, 0.25, 0.1]]), torch.tensor([[0.5, -1.0]]))
    assert torch.equal(full, expected)


@pytest.mark.parametrize(
    ("guess", "painted"),
    [
        ((0.4, 0.1, 0.3), (0.4, 0.0, 0.3)),
        ((0.7, 0.15, 0.0), (0.5, 0.0, 0.0)),
        ((0.5, 0.3, 0.9), (0.75, 0.5, 0.9)),
        ((0.9, 0.8, 0.0), (0.9, 0.8, 0.0)),
    ],
    ids=["closed", "closed smile", "half open", "wide open"],
)
def test_a_guessed_mouth_is_closed_or_open_and_never_between(
    guess: tuple[float, ...], painted: tuple[float, ...]
) -> None:
    assert decided(torch.tensor([guess]))[0].tolist() == pytest.approx(painted)


def test_the_stage_paints_what_it_guesses_and_training_leaves_the_unknown_open() -> None:
    network, (known, hole) = stage(), crops(2)
    with torch.no_grad():
        guess = network.guess(network.encode(known, hole)[1][-1])
        painted, _ = network(known, hole)
        asked, _ = network(known, hole, look_vector(decided(guess), torch.zeros(2, 2)))
        zeros = torch.zeros(2, look_size(2))
        open_, beside = LearningStage(network)(known, hole, zeros)
    torch.testing.assert_close(painted, asked)
    assert torch.equal(beside, guess)
    assert not torch.allclose(open_, painted)


def test_the_guess_learns_a_quantile_and_the_maps_do_not_learn_from_it() -> None:
    network, (known, hole) = stage(), crops(1)
    learning = LearningStage(network)
    level = torch.linspace(0, 1, 101)[:, None].expand(-1, 3)
    optimizer = torch.optim.Adam(network.guess.parameters(), lr=1e-2)
    for _ in range(400):
        _, guess = learning(known, hole, None)
        optimizer.zero_grad()
        guess_loss(guess.expand(101, -1), level).backward()
        optimizer.step()
    assert guess[0].tolist() == pytest.approx(QUANTILES, abs=0.05)
    assert all(p.grad is None for p in network.body.parameters())


def test_unmeasured_properties_teach_nothing() -> None:
    guess = torch.tensor([[0.5, 0.5, 0.5]], requires_grad=True)
    guess_loss(guess, torch.full((1, 3), torch.nan)).backward()
    assert float(guess.grad.abs().sum()) == 0


def test_a_stage_without_a_look_guesses_nothing() -> None:
    network, (known, hole) = stage(None), crops(1)
    painted, guess = LearningStage(network)(known, hole, None)
    assert guess is None
    torch.testing.assert_close(painted, network(known, hole)[0])
