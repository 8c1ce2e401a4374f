"""The running average of a network's weights, which is what a run gives away."""

from __future__ import annotations

import torch
from torch import nn


@torch.no_grad()
def update_ema(average: nn.Module, model: nn.Module, decay: float, step: float) -> None:
    """average <- decay * average + (1 - decay) * model, with a warm-up: parameters and the
    statistics of norms. What is not a real number, such as a count of steps, is copied."""
    decay = min(decay, (1 + step) / (10 + step)) if decay else 0.0
    for kept, new in zip(average.parameters(), model.parameters(), strict=True):
        kept.lerp_(new.detach().to(kept.dtype), 1 - decay)
    for kept, new in zip(average.buffers(), model.buffers(), strict=True):
        if kept.is_floating_point():
            kept.lerp_(new.to(kept.dtype), 1 - decay)
        else:
            kept.copy_(new)
