"""What is measured: one metric a module; here what they share.

A scorer compares fills of one photo with its bare face. Metrics of a set of photos (`fid`, `kid`)
work on the rows that a feature network gives per photo.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

HIGHER_IS_BETTER = {
    "ssim": True,
    "ssim_hole": True,
    "psnr": True,
    "psnr_hole": True,
    "lpips": False,
    "identity_distance": False,
    "fid": False,
    "kid": False,
}
"""Every metric and its direction."""

SET_LEVEL = ("fid", "kid")
"""Metrics of a set of photos; all others have a value per photo."""


class Scorer(Protocol):
    """Values per photo. `key` names the exact computation: equal keys, equal values."""

    key: str
    columns: tuple[str, ...]

    def score(self, truth: np.ndarray, hole: np.ndarray, fills: list[np.ndarray]) -> np.ndarray:
        """Compare fills of one photo with its bare face.

        Args:
            truth: uint8 (S, S, 3), the bare face.
            hole: bool (S, S), the pixels that were painted.
            fills: uint8 (S, S, 3) each.

        Returns:
            float64 (len(fills), len(columns)).
        """
        ...
