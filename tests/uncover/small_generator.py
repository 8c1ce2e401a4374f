"""A generator of a few thousand random weights, quick enough for any test."""

from __future__ import annotations

from dataclasses import replace

import torch

from tests.uncover.standins import SMALL_TOLD
from uncover.networks.generator import Generator


def small_generator(told: bool = True) -> Generator:
    """Random weights of 64 px that know a look and have a latent vector, or neither."""
    torch.manual_seed(0)
    latent = SMALL_TOLD.latent if told else 0
    network = Generator(replace(SMALL_TOLD, latent=latent, look=told)).eval()
    moving = ("conv2.weight", "to_rgb", "look.out")
    for name, value in network.named_parameters() if told else ():
        if any(part in name for part in moving) and name.endswith("weight"):
            torch.nn.init.normal_(value, std=0.1)
    return network.requires_grad_(False)
