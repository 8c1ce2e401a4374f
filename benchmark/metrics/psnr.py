"""Peak signal-to-noise ratio in dB, over the whole crop and over the hole."""

from __future__ import annotations

import numpy as np

CEILING = 100.0
"""Given to identical pictures, whose ratio is infinite, so that means stay finite."""


def decibels(fill: np.ndarray, truth: np.ndarray, hole: np.ndarray) -> tuple[float, float]:
    """10 log10(255^2 / MSE) over all pixels and over the hole's, of uint8 (S, S, 3) pictures.

    The whole-crop value flatters every model that keeps the known pixels: compare the hole's.
    """
    squared = (fill.astype(np.float64) - truth.astype(np.float64)) ** 2
    return _decibel(squared.mean()), _decibel(squared[hole].mean())


def _decibel(mse: float) -> float:
    if mse <= 0:
        return CEILING
    return float(min(CEILING, 10 * np.log10(255.0**2 / mse)))
