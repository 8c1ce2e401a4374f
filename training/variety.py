"""Several answers to one face: the latent vectors of a training step, and how far answers differ.

In a step for variety the generator answers each crop twice, with two random latent vectors. Both
are judged by the discriminators' taste, loosely by the truth, and by how far they lie apart.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from uncover.generator import Generator


def random_latents(length: int, like: Tensor, seed: int, number: int) -> Tensor:
    """Two standard normal vectors for each crop of `like` (B, ...): (2, B, length), by seed."""
    generator = torch.Generator().manual_seed(hash((seed, number)) % 2**63)
    return torch.randn(2, len(like), length, generator=generator).to(like.device)


def freeze_all_but_latent(generator: nn.Module) -> None:
    """Leave only the layers a latent vector acts through: the zero vector's answer, which does not
    depend on them, stays as it is."""
    for name, parameter in generator.named_parameters():
        parameter.requires_grad_(".film." in name)


@torch.no_grad()
def sample_spread(
    model: Generator,
    images: np.ndarray,
    holes: np.ndarray,
    lpips: nn.Module | None,
    sheet: Path,
    faces: int = 16,
    count: int = 4,
) -> dict[str, float]:
    """Mean LPIPS between the pasted samples of a crop, all pairs, and a sheet of the samples.

    images: uint8 (N, S, S, 3). holes: bool (N, S, S). The first sample is the zero vector's.
    """
    images, holes = images[:faces], holes[:faces]
    parts = [slice(start, start + 4) for start in range(0, len(images), 4)]
    filled = np.concatenate([model.sample(images[p], holes[p], count) for p in parts], axis=1)
    filled = np.where(holes[None, ..., None], filled, images[None])
    sheet.parent.mkdir(parents=True, exist_ok=True)
    rows = [np.concatenate(list(each[:8]), axis=1) for each in (*filled, images)]
    cv2.imwrite(str(sheet), cv2.cvtColor(np.concatenate(rows), cv2.COLOR_RGB2BGR))
    if lpips is None:
        return {}
    device = next(lpips.parameters()).device
    planes = torch.from_numpy(filled).movedim(-1, 2).to(device)
    apart = [
        float(lpips(planes[i].float() / 127.5 - 1, planes[j].float() / 127.5 - 1).mean())
        for i in range(count)
        for j in range(i)
    ]
    return {"spread": float(np.mean(apart))}
