"""Small models and features for the tests, reached as a user's own would be."""

from __future__ import annotations

import numpy as np
import torch


def grey(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Paints the hole grey."""
    out = image.copy()
    out[mask] = 128
    return out


def tinted(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Paints the mean colour of what is known, as floats."""
    out = image / 255.0
    out[mask] = out[~mask].mean(0)
    return out


def smaller(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A model that gives another size."""
    return image[:-1]


def not_a_number(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A model that gives NaN."""
    return np.full(image.shape, np.nan)


def broken(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A model that raises."""
    raise RuntimeError("out of paint")


def colours(images: torch.Tensor) -> torch.Tensor:
    """Eight features: means and spreads of the picture's quarters."""
    halves = [part for half in images.float().chunk(2, 2) for part in half.chunk(2, 3)]
    means = [h.mean((1, 2, 3)) / 255 for h in halves]
    spreads = [h.std((1, 2, 3)) / 255 for h in halves]
    return torch.stack([*means, *spreads], 1)
