"""From a photo to the square crop every model sees, and its landmarks in that crop."""

from __future__ import annotations

import numpy as np
from PIL import Image

from uncover.crop import FaceCrop


def face_crop(
    photo: np.ndarray, landmarks: np.ndarray | None, size: int, align: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """Cut and resize once, anti-aliased.

    Args:
        photo: uint8 (H, W, 3).
        landmarks: (68, 2) in photo pixels; needed to align.
        size: side of the crop.
        align: bring eyes, nose and mouth to where the networks expect them; else the photo is
            the crop, or its central square where it is not square.

    Returns:
        uint8 (size, size, 3) and the landmarks, float32 (68, 2), in its pixels.
    """
    if align:
        from uncover.faces import five_points

        if landmarks is None:
            raise ValueError("aligning needs landmarks")
        crop = FaceCrop.from_points(five_points(landmarks), size)
        return crop.extract(photo), crop.to_crop(landmarks).astype(np.float32)
    height, width = photo.shape[:2]
    side = min(height, width)
    x, y = (width - side) // 2, (height - side) // 2
    square = Image.fromarray(photo).resize(
        (size, size), Image.Resampling.BICUBIC, box=(x, y, x + side, y + side)
    )
    if landmarks is None:
        return np.array(square), None
    points = (np.asarray(landmarks, np.float64) - (x, y) + 0.5) * (size / side) - 0.5
    return np.array(square), points.astype(np.float32)
