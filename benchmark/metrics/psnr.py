"""Peak signal-to-noise ratio in dB, over the whole crop and over the hole."""

from __future__ import annotations

import numpy as np

from uncover.images import psnr


def decibels(fill: np.ndarray, truth: np.ndarray, hole: np.ndarray) -> tuple[float, float]:
    """`uncover.images.psnr` over all pixels and over the hole's, of uint8 (S, S, 3) pictures.

    The whole-crop value flatters every model that keeps the known pixels: compare the hole's.
    """
    return psnr(fill, truth), psnr(fill[hole], truth[hole])
