"""How sharp the face in a photo is."""

from __future__ import annotations

import cv2
import numpy as np

SHARPNESS_SIDE = 200
# The square whose sharpness counts, in heights of the landmarks' box: an aligned crop lies in it.
_SHARPNESS_MARGIN = 2.2


def sharpness(image: np.ndarray, landmarks: np.ndarray) -> float:
    """Variance of the Laplacian of the grey face region at (at most) 200 px.

    The region is a square around the landmarks, 2.2 times their height, clipped to the picture; of
    an aligned 200 px crop it is the whole, measured without resampling.
    """
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    half = _SHARPNESS_MARGIN * float(max(high - low)) / 2
    x, y = (low + high) / 2
    height, width = image.shape[:2]
    rows = slice(max(0, round(float(y) - half)), max(1, min(height, round(float(y) + half))))
    cols = slice(max(0, round(float(x) - half)), max(1, min(width, round(float(x) + half))))
    grey = cv2.cvtColor(np.ascontiguousarray(image[rows, cols]), cv2.COLOR_RGB2GRAY)
    scale = SHARPNESS_SIDE / max(grey.shape)
    if scale != 1.0:
        how = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_LINEAR
        size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
        grey = cv2.resize(grey, size, interpolation=how)
    return float(cv2.Laplacian(grey, cv2.CV_64F).var())
