"""Networks a generator run needs besides its discriminators, and the running average of one."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from training.gan.settings import GanSettings
from uncover.errors import UncoverError
from uncover.images import load_lpips
from uncover.networks import ContextEncoder, ContextEncoderConfig, Generator
from uncover.weights import registry


def build_generator(settings: GanSettings) -> Any:
    """The generator the settings ask for, freshly initialised."""
    if settings.architecture == "seed":
        return ContextEncoder(
            ContextEncoderConfig(settings.generator.resolution, settings.bottleneck)
        )
    return Generator(settings.generator)


def component_name(settings: GanSettings) -> str:
    """Under which name the generator is saved in a weights folder."""
    return "generator" if settings.architecture == "unet" else "seed_generator"


def build_lpips(required: bool = True) -> Any:
    """LPIPS with SqueezeNet 1.1, frozen; None when its weights are not there and not required.

    Raises UncoverError, when required, if the ImageNet weights are neither cached nor reachable.
    """
    try:
        return load_lpips("squeeze")
    except UncoverError as error:
        if not required:
            return None
        raise UncoverError(f"{error}, or use --set losses.perceptual=0") from None


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


registry.REGISTRY.setdefault(
    "seed_generator",
    registry.Spec("uncover.networks.context_encoder", "ContextEncoder", "ContextEncoderConfig"),
)
