"""The two discriminators in a run: what they learn from a batch, and what they say of it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from training.gan import losses
from training.gan.discriminators import looked_at
from training.gan.settings import GanSettings


@dataclass(frozen=True)
class Seen:
    """What discriminators see of a batch: real crops and those with the painted hole, (B, 3, S, S)
    in -1..1; where the hole is, and where the photo has pixels, (B, 1, S, S) in 0..1."""

    real: Tensor
    pasted: Tensor
    hole: Tensor
    valid: Tensor


class DiscriminatorPair:
    """Global and local discriminator with their optimiser; one of them, or none, is fine too.

    With `critics_in_turn` one of the two acts on each batch, with twice the weight: the same losses
    in expectation.
    """

    def __init__(
        self,
        critics: nn.ModuleDict,
        optimizer: torch.optim.Optimizer,
        settings: GanSettings,
        accelerator: Accelerator,
    ) -> None:
        """critics: "global" and "local". optimizer: of their parameters, already prepared."""
        self.critics, self.optimizer, self.settings = critics, optimizer, settings
        self.accelerator = accelerator
        self.wrapped = {name: accelerator.prepare(critic) for name, critic in critics.items()}

    def acts(self, seen: int) -> bool:
        """Whether there are any, and the run is far enough."""
        begin = self.settings.adversarial_from * self.settings.images
        return len(self.critics) > 0 and seen >= begin

    def active(self, seen: int) -> list[str]:
        """Names of those that act after `seen` images."""
        names = list(self.critics)
        if not self.settings.critics_in_turn or len(names) < 2:
            return names
        number = seen // self.settings.batch
        turn = number // 2 + number // self.settings.losses.r1_every
        return [names[turn % len(names)]]

    def learn(self, shown: Seen, seen: int) -> dict[str, Tensor]:
        """A step of the discriminators: real against pasted. Their losses, by name."""
        weights, number = self.settings.losses, seen // self.settings.batch
        penalise = weights.r1 > 0 and number % weights.r1_every == 0
        loss, terms = shown.real.new_zeros(()), {}
        for name in self.active(seen):
            views, hole, valid = looked_at(
                self.critics[name].config, [shown.real, shown.pasted], shown.hole, shown.valid
            )
            truth = views[0].requires_grad_(penalise)
            with self.accelerator.autocast():
                both = self.wrapped[name](
                    torch.cat([truth, views[1]]),
                    torch.cat([hole, hole]),
                    torch.cat([valid, valid]),
                )[0]
            on_real, on_fake = both.float().chunk(2)
            labels = self._labels(hole, on_fake)
            terms[f"d_{name}"] = losses.d_logistic(on_real, on_fake, labels)
            loss = loss + terms[f"d_{name}"]
            if penalise:
                terms[f"r1_{name}"] = losses.r1_penalty(on_real, truth)
                loss = loss + 0.5 * weights.r1 * weights.r1_every * terms[f"r1_{name}"]
        self.optimizer.zero_grad(set_to_none=True)
        self.accelerator.backward(loss)
        self.optimizer.step()
        return terms

    def judge(self, shown: Seen, seen: int) -> tuple[Tensor, dict[str, Tensor]]:
        """What the generator's loss gains from what they say, weighted, and its terms by name."""
        weights, active = self.settings.losses, self.active(seen)
        share = len(self.critics) / len(active)
        loss, terms = shown.real.new_zeros(()), {}
        self.critics.requires_grad_(False)
        for name in active:
            critic = self.critics[name]
            views, hole, valid = looked_at(
                critic.config, [shown.real, shown.pasted], shown.hole, shown.valid
            )
            with self.accelerator.autocast():
                on_fake, features = critic(views[1], hole, valid)
            terms[f"g_{name}"] = losses.g_logistic(on_fake.float(), self._labels(hole, on_fake))
            loss = loss + share * getattr(weights, f"adversarial_{name}") * terms[f"g_{name}"]
            if weights.matching and name == "global":
                with torch.no_grad(), self.accelerator.autocast():
                    targets = critic(views[0], hole, valid)[1]
                terms["matching"] = losses.feature_matching(targets, features)
                loss = loss + share * weights.matching * terms["matching"]
        self.critics.requires_grad_(True)
        return loss, terms

    def _labels(self, hole: Tensor, on_fake: Tensor) -> Tensor:
        """Which patches of a pasted crop are painted: all of them, unless `mask_aware`."""
        painted = hole if self.settings.mask_aware else torch.ones_like(hole)
        return losses.patch_labels(painted, on_fake)
