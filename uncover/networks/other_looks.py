"""How the other answers to a face look: each in its own way, none like the best guess."""

from __future__ import annotations

import torch
from torch import Tensor

from uncover.faces import PROPERTIES
from uncover.networks.coarse import MOUTHS, decided

DRAWN = PROPERTIES[:2]
"""What other answers differ in where nothing was asked: smile and open mouth."""
STEPS = (0.618, 0.5)
"""By how much each answer's rank in smile and opening lies beyond the one before, modulo 1: so few
answers cover all there is, and every other one opens the mouth."""
BY_CHANCE = 0.2
"""How far the latent moves a rank, from end to end."""


def other_looks(z: Tensor, look: Tensor | None, guess: Tensor, first: int = 1) -> Tensor:
    """(K * B, look_size): what was asked for, once with each latent of z (K, B, latent).

    How wide the mouth smiles and how far it opens, where nothing was asked, begins at the guess and
    steps on with each answer; the latent's first numbers move it a little. As in a guess, a mouth
    is closed or smiles openly (`Mouths`).

    Args:
        look: (B, look_size), as `uncover.faces.asked_look` makes it; None asks for nothing.
        guess: (B, 3) in 0..1, what the network expects.
        first: number of the first of these answers; 0 would be the guess itself.
    """
    count, faces, latent = z.shape
    properties, drawn = len(PROPERTIES), len(DRAWN)
    if look is None:
        look = z.new_zeros(faces, 2 * properties + latent)
    values, known = (
        look[:, part].repeat(count, 1)
        for part in (slice(properties), slice(properties, 2 * properties))
    )
    if latent >= drawn:
        number = torch.arange(first, first + count, device=z.device)[:, None, None]
        chance = (torch.special.ndtr(z[..., :drawn]) - 0.5) * BY_CHANCE
        smile, gap = decided(guess)[:, :drawn].unbind(1)
        begun = torch.stack([smile, torch.where(gap > 0, 0.75, 0.25)], dim=1)  # far from the step
        rank = begun + number * z.new_tensor(STEPS) + chance
        smile, gap = rank.remainder(1).flatten(0, 1).unbind(1)
        opens = gap >= MOUTHS.least_gap
        wide = MOUTHS.least_smile + (1 - MOUTHS.least_smile) * smile
        smile = torch.where(opens, wide, smile)
        gap = torch.where(opens, gap, torch.zeros_like(gap))
        for index, told in enumerate((smile, gap)):
            free = known[:, index] == 0
            values[:, index] = torch.where(free, 2 * told - 1, values[:, index])
            known[:, index] = 1
    return torch.cat([values, known, z.flatten(0, 1)], dim=1)
