"""The scorer of the metrics that need no network: SSIM, PSNR, sharpness, edge."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmark.digests import code_digest
from benchmark.metrics.edge import edge
from benchmark.metrics.psnr import decibels
from benchmark.metrics.sharpness import sharpness
from benchmark.metrics.ssim import ssim

_CODE = [Path(__file__).with_name(f"{name}.py") for name in ("edge", "psnr", "sharpness", "ssim")]


class PixelScorer:
    """SSIM and PSNR, whole crop and hole; sharpness in the hole; the step at the jaw."""

    key = f"pixels-{code_digest(*_CODE)}"
    columns = ("ssim", "ssim_hole", "psnr", "psnr_hole", "sharpness", "edge")
    of_truth = False

    def score(
        self,
        truth: np.ndarray,
        hole: np.ndarray,
        fills: list[np.ndarray],
        landmarks: np.ndarray | None = None,
    ) -> np.ndarray:
        """float64 (len(fills), 6); see `Scorer`."""
        rows = [
            (
                *ssim(fill, truth, hole),
                *decibels(fill, truth, hole),
                sharpness(fill, truth, hole),
                edge(fill, truth, hole, landmarks),
            )
            for fill in fills
        ]
        return np.array(rows, np.float64)
