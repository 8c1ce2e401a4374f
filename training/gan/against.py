"""Critics on frozen features with their optimiser: how they learn, and what they say of a fill."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed

from training.gan.feature_critics import FeatureCritic, d_hinge, g_hinge, shifted
from training.gan.losses import r1_penalty

REACH = 4  # pixels by which the critics' view is moved

R1_SCALE = 1000.0 / 64**2
"""For each pixel: logits are means over a crop's patches; their gradient by a pixel is small."""


class Against:
    """The critics that a stage is trained against.

    seen_at: side at which the classifier sees crops. told: length of the vector that says which
    look was asked for. rate: of their optimiser. r1: gradient penalty of the pixel critic, every
    `r1_every` steps of `batch` crops.
    """

    def __init__(
        self,
        device: torch.device,
        *,
        seen_at: int,
        told: int,
        rate: float,
        r1: float,
        r1_every: int,
        batch: int,
    ) -> None:
        self.rate, self.r1, self.r1_every, self.batch = rate, r1, r1_every, batch
        # Channels last: three times as fast on a CPU that multiplies bf16 matrices in hardware.
        critic = FeatureCritic(seen_at, told).to(device)
        self.critic = critic.to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.Adam(self.critic.parameters(), lr=rate, betas=(0.0, 0.99))

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
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * factor
        told = _told(told, hole)
        real, fake, hole = shifted([real, fake, hole], REACH, torch.Generator().manual_seed(seen))
        both = self.critic(
            torch.cat([real, fake]), torch.cat([hole, hole]), torch.cat([told, told])
        )
        loss = d_hinge(both, hole)
        total = loss
        if self.r1 and (seen // self.batch) % self.r1_every == 0:
            with torch.autocast(real.device.type, enabled=False):
                truth = real.float().requires_grad_(True)
                logits = sum(each.mean((1, 2, 3)) for each in self.critic.pixels(truth, hole))
                penalty = r1_penalty(logits, truth)
            scale = R1_SCALE * real.shape[-1] ** 2
            total = total + self.r1_every * self.r1 * scale * penalty
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        if distributed.is_available() and distributed.is_initialized():
            for parameter in self.critic.parameters():
                if parameter.grad is not None:
                    distributed.all_reduce(parameter.grad)
                    parameter.grad.div_(distributed.get_world_size())
        self.optimizer.step()
        return loss.detach()

    def judge(self, fake: Tensor, hole: Tensor, told: Tensor | None) -> Tensor:
        """The generator's loss on what it painted; the critics do not learn from it."""
        self.critic.requires_grad_(False)
        loss = g_hinge(self.critic(fake, hole, _told(told, hole)), hole)
        self.critic.requires_grad_(True)
        return loss

    def state_dict(self) -> dict[str, Any]:
        """All that `load_state_dict` needs, for the checkpoint."""
        return {"critic": self.critic.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to what `state_dict` gave."""
        self.critic.load_state_dict(state["critic"])
        self.optimizer.load_state_dict(state["optimizer"])


def _told(told: Tensor | None, hole: Tensor) -> Tensor:
    return hole.new_zeros(len(hole), 0) if told is None else told
