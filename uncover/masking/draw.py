"""Drawing a mask: coverage alone, or the whole picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from uncover.masking.coverage import box_of, place, whole_alpha
from uncover.masking.face import check_landmarks
from uncover.masking.style import MaskStyle


def mask_alpha(
    landmarks: NDArray[np.generic], shape_hw: tuple[int, int], style: MaskStyle
) -> NDArray[np.float32]:
    """Which pixels a mask covers, straps included.

    Args:
        landmarks: (68, 2) dlib order, x and y in pixels; may lie outside the image.
        shape_hw: height and width of the image.
        style: the mask.

    Returns:
        float32 (height, width) in 0..1; between them along the edges.

    Raises:
        ValueError: landmarks or size that cannot be used.
    """
    points = check_landmarks(landmarks)
    h, w = _check_shape(shape_hw)
    alpha = np.zeros((h, w), np.float32)
    placed = place(points, style)
    box = box_of(placed, (h, w), 0.0)
    x0, y0, x1, y1 = box
    if x1 > x0 and y1 > y0:
        alpha[y0:y1, x0:x1] = whole_alpha(placed, box)
    return alpha


def _check_shape(shape_hw: tuple[int, int]) -> tuple[int, int]:
    if len(shape_hw) != 2 or min(shape_hw) < 1:
        raise ValueError(f"shape must be (height, width), both at least 1, got {shape_hw}")
    return int(shape_hw[0]), int(shape_hw[1])
