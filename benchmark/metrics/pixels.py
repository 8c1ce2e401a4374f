"""The scorer of the metrics that need no network: SSIM and PSNR."""

from __future__ import annotations

import numpy as np

from benchmark.metrics.psnr import psnr
from benchmark.metrics.ssim import ssim


class PixelScorer:
    """SSIM and PSNR, whole crop and hole."""

    key = "pixels-1"
    columns = ("ssim", "ssim_hole", "psnr", "psnr_hole")

    def score(self, truth: np.ndarray, hole: np.ndarray, fills: list[np.ndarray]) -> np.ndarray:
        """float64 (len(fills), 4); see `Scorer`."""
        rows = [(*ssim(fill, truth, hole), *psnr(fill, truth, hole)) for fill in fills]
        return np.array(rows, np.float64)
