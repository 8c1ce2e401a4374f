"""A generator of a few thousand random weights, quick enough for any test."""

from __future__ import annotations

from dataclasses import replace

import torch

from tests.uncover.networks.test_generator import SMALL
from uncover.networks.generator import Generator


def small_generator(varied: bool = True, told: bool = False) -> Generator:
    """Random weights of 64 px, with a latent vector or without, that know a look or do not."""
    torch.manual_seed(0)
    latent = SMALL.latent if varied else 0
    network = Generator(replace(SMALL, latent=latent, look=told)).eval()
    moving = ("variety.shift", "conv2.weight", "to_rgb", "look.out")
    for name, value in network.named_parameters() if varied or told else ():
        if any(part in name for part in moving) and name.endswith("weight"):
            torch.nn.init.normal_(value, std=0.1)
    return network.requires_grad_(False)
