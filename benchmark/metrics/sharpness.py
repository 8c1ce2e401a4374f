"""How sharp what was painted is, beside the photo: Laplacian energy in the hole.

The energy is the mean of the squared Laplacian of the grey picture (OpenCV's 3 x 3 kernel, ITU-R
601 luma) over the hole's pixels. A photo's value is the fill's energy over the bare face's, and a
slice's value is the median over its photos: 1 is as sharp as the photos, less is blurred, more is
grainy or cross-hatched. Pictures must be compared at the photo's own resolution: an enlarged photo
is blurred itself.
"""

from __future__ import annotations

import cv2
import numpy as np


def laplacian_energy(picture: np.ndarray, hole: np.ndarray) -> float:
    """Mean squared Laplacian over the hole, of uint8 (S, S, 3) and bool (S, S); grey levels^2."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float64)
    return float((cv2.Laplacian(grey, cv2.CV_64F)[hole] ** 2).mean())


def sharpness(fill: np.ndarray, truth: np.ndarray, hole: np.ndarray) -> float:
    """Energy of the fill over that of the bare face; NaN where the bare face has none at all."""
    energy = laplacian_energy(truth, hole)
    return laplacian_energy(fill, hole) / energy if energy > 0 else float("nan")
