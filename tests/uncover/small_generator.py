"""A generator of a few thousand random weights, quick enough for any test."""

from __future__ import annotations

from dataclasses import replace

import torch

from tests.uncover.networks.test_generator import SMALL
from uncover.networks.generator import Generator


def small_generator(varied: bool = True) -> Generator:
    """Random weights of 64 px, with a latent vector or without."""
    torch.manual_seed(0)
    network = Generator(SMALL if varied else replace(SMALL, latent=0)).eval()
    for name, value in network.named_parameters() if varied else ():
        if "variety.shift" in name or "conv2.weight" in name or "to_rgb" in name:
            torch.nn.init.normal_(value, std=0.1)
    return network.requires_grad_(False)
