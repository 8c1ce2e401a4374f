"""The critics of a coarse run with their optimiser: how they learn, and what they say of a fill."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from training.gan.feature_critics import FeatureCritic, d_hinge, g_hinge, shifted
from training.gan.losses import r1_penalty
from training.gan.settings import CoarseSettings
from uncover.faces import look_size
from uncover.networks import CoarseStage

REACH = 4  # pixels by which the critics' view is moved


class Against:
    """The critics of a coarse stage that is trained with `settings.critics` above 0."""

    def __init__(self, settings: CoarseSettings, stage: CoarseStage, device: torch.device) -> None:
        self.settings = settings
        told = 0 if stage.look is None else look_size(0)
        self.critic = FeatureCritic(settings.seen_at, told).to(device)
        self.optimizer = torch.optim.Adam(
            self.critic.parameters(), lr=settings.rate_d, betas=(0.0, 0.99)
        )

    def learn(
        self,
        real: Tensor,
        fake: Tensor,
        hole: Tensor,
        told: Tensor | None,
        seen: int,
        factor: float,
    ) -> Tensor:
        """One step of the critics: real crops (B, 3, S, S) against painted ones; their loss.

        hole: (B, 1, S, S), 1 = painted. told: (B, T) or None. seen: draws so far, which fixes how
        the views are moved. factor: of the rate.
        """
        own = self.settings
        for group in self.optimizer.param_groups:
            group["lr"] = own.rate_d * factor
        told = _told(told, hole)
        real, fake, hole = shifted([real, fake, hole], REACH, torch.Generator().manual_seed(seen))
        both = self.critic(
            torch.cat([real, fake]), torch.cat([hole, hole]), torch.cat([told, told])
        )
        loss = d_hinge(both, hole)
        total = loss
        if own.r1 and (seen // own.batch) % own.r1_every == 0:
            with torch.autocast(real.device.type, enabled=False):
                truth = real.float().requires_grad_(True)
                logits = sum(each.mean((1, 2, 3)) for each in self.critic.pixels(truth, hole))
                penalty = r1_penalty(logits, truth)
            total = total + own.r1_every * own.r1 * R1_SCALE * penalty
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        self.optimizer.step()
        return loss.detach()

    def judge(self, fake: Tensor, hole: Tensor, told: Tensor | None) -> Tensor:
        """The generator's loss on what it painted; the critics do not learn from it."""
        self.critic.requires_grad_(False)
        loss = g_hinge(self.critic(fake, hole, _told(told, hole)), hole)
        self.critic.requires_grad_(True)
        return loss

    def state(self) -> dict[str, Any]:
        """All that `restore` needs, for the checkpoint."""
        return {"critic": self.critic.state_dict(), "optimizer": self.optimizer.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to what `state` gave."""
        self.critic.load_state_dict(state["critic"])
        self.optimizer.load_state_dict(state["optimizer"])


R1_SCALE = 1000.0
"""Logits are means over a crop's patches, so their gradient by one pixel is small."""


def _told(told: Tensor | None, hole: Tensor) -> Tensor:
    return hole.new_zeros(len(hole), 0) if told is None else told
