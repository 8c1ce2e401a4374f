"""Structural similarity, over the whole crop and over the hole.

Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity" (2004):
11 x 11 Gaussian window of sigma 1.5, K1 = 0.01, K2 = 0.03, on RGB channel by channel, reflected
at the edges. Equal to torchmetrics' `structural_similarity_index_measure(data_range=1.0)`, which
filters with the full 121-tap window and takes ten times as long on a CPU; a test compares them.
"""

from __future__ import annotations

import cv2
import numpy as np

WINDOW, SIGMA = 11, 1.5
C1, C2 = 0.01**2, 0.03**2


def ssim_map(fill: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """float64 (S, S, 3), 1 where alike, for uint8 (S, S, 3) pictures."""
    x, y = fill / 255.0, truth / 255.0
    mean_x, mean_y = _blur(x), _blur(y)
    var_x = np.maximum(_blur(x * x) - mean_x**2, 0)
    var_y = np.maximum(_blur(y * y) - mean_y**2, 0)
    covariance = _blur(x * y) - mean_x * mean_y
    alike = (2 * mean_x * mean_y + C1) * (2 * covariance + C2)
    return alike / ((mean_x**2 + mean_y**2 + C1) * (var_x + var_y + C2))


def ssim(fill: np.ndarray, truth: np.ndarray, hole: np.ndarray) -> tuple[float, float]:
    """Mean SSIM of the whole crop, and of the map's pixels in the hole; 1 is identical."""
    similarity = ssim_map(fill, truth)
    return float(similarity.mean()), float(similarity[hole].mean())


def _blur(image: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(image, (WINDOW, WINDOW), SIGMA, borderType=cv2.BORDER_REFLECT_101)
