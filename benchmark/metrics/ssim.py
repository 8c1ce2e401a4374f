"""Structural similarity, over the whole crop and over the hole; see `uncover.images.ssim_map`."""

from __future__ import annotations

import numpy as np

from uncover.images import ssim_map


def ssim(fill: np.ndarray, truth: np.ndarray, hole: np.ndarray) -> tuple[float, float]:
    """Mean SSIM of the whole crop, and of the map's pixels in the hole; 1 is identical."""
    similarity = ssim_map(fill, truth)
    return float(similarity.mean()), float(similarity[hole].mean())
