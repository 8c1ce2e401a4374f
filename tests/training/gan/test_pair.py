"""The two discriminators in a run: each learns to tell a fill; the generator learns to please."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from accelerate import Accelerator
from torch import nn

from training.gan.discriminators import DiscriminatorConfig, PatchDiscriminator, looked_at
from training.gan.pair import DiscriminatorPair, Seen
from training.gan.settings import GanSettings

CONFIGS = {
    "global": DiscriminatorConfig(widths=(8, 16)),
    "local": DiscriminatorConfig(widths=(8, 16), window=32),
}


def pair_of(*names: str, in_turn: bool = False) -> DiscriminatorPair:
    torch.manual_seed(0)
    critics = nn.ModuleDict({name: PatchDiscriminator(CONFIGS[name]) for name in names})
    settings = GanSettings(batch=2, adversarial_from=0.0, critics_in_turn=in_turn)
    weights = replace(settings.losses, adversarial_global=1.0, adversarial_local=1.0, matching=0.0)
    settings = replace(settings, losses=weights)
    optimizer = torch.optim.Adam(critics.parameters(), lr=3e-3)
    return DiscriminatorPair(critics, optimizer, settings, Accelerator(cpu=True))


def shown() -> Seen:
    torch.manual_seed(1)
    hole = torch.zeros(2, 1, 64, 64)
    hole[..., 24:56, 16:48] = 1
    real = torch.rand(2, 3, 64, 64)
    return Seen(real, real * (1 - hole) - 0.4 * hole, hole, torch.ones_like(hole))


def logit(pair: DiscriminatorPair, name: str, image: torch.Tensor, seen: Seen) -> float:
    """Mean logit in the hole."""
    views, hole, valid = looked_at(CONFIGS[name], [image], seen.hole, seen.valid)
    with torch.no_grad():
        said = pair.critics[name](views[0], hole, valid)[0]
    inside = torch.nn.functional.adaptive_avg_pool2d(hole, said.shape[-2:])
    return float((said * inside).sum() / inside.sum())


@pytest.mark.parametrize("name", ["global", "local"])
def test_each_calls_photos_real_and_the_generator_is_drawn_towards_that(name: str) -> None:
    pair, seen = pair_of(name), shown()
    for step in range(40):
        said = pair.learn(seen, 2 * step)
        assert f"d_{name}" in said
    fake = logit(pair, name, seen.pasted, seen)
    assert logit(pair, name, seen.real, seen) > fake + 0.3
    pasted = seen.pasted.clone().requires_grad_()
    loss, terms = pair.judge(replace(seen, pasted=pasted), 0)
    assert set(terms) == {f"g_{name}"}
    (slope,) = torch.autograd.grad(loss, pasted)
    better = seen.pasted - 0.3 * slope / slope.std() * seen.hole
    assert logit(pair, name, better, seen) > fake + 0.05


def test_judging_teaches_the_discriminators_nothing() -> None:
    pair, seen = pair_of("global", "local"), shown()
    pasted = seen.pasted.clone().requires_grad_()
    pair.judge(replace(seen, pasted=pasted), 0)[0].backward()
    assert all(p.grad is None for p in pair.critics.parameters())
    assert all(p.requires_grad for p in pair.critics.parameters())


def test_in_turn_each_acts_alone_and_weighs_twice() -> None:
    both, one = pair_of("global", "local"), pair_of("global", "local", in_turn=True)
    turns = [one.active(2 * step) for step in range(64)]
    assert {len(turn) for turn in turns} == {1}
    assert 24 <= turns.count(["global"]) <= 40
    seen = shown()
    together = both.judge(seen, 0)[1]
    for step in (turns.index(["global"]), turns.index(["local"])):
        loss, terms = one.judge(seen, 2 * step)
        ((name, term),) = terms.items()
        torch.testing.assert_close(loss, 2 * term)
        torch.testing.assert_close(term, together[name])
