"""What a segmenter says about crops, and how crops are scaled for it; needs no torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Segmentation:
    """For B crops of side S: ``probability`` float32 (B, S, S) that a pixel is mask, in 0..1, and
    ``points`` float32 (B, 5, 2), x and y in crop pixels: eye centres (image left, image right),
    nose tip, mouth corners (image left, image right). Hidden points are inferred.
    """

    probability: np.ndarray
    points: np.ndarray


def check_crops(crops: np.ndarray) -> None:
    """Raise ValueError unless crops are uint8 (B, S, S, 3)."""
    if crops.ndim != 4 or crops.shape[3] != 3 or crops.dtype != np.uint8:
        raise ValueError(f"expected uint8 (B, S, S, 3), got {crops.dtype} {crops.shape}")
    if crops.shape[1] != crops.shape[2]:
        raise ValueError(f"crops must be square, got {crops.shape}")


def batches(count: int, size: int = 16) -> Iterator[slice]:
    """Slices of at most ``size`` that cover ``count`` items."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def resize_square(image: np.ndarray, side: int) -> np.ndarray:
    """Scale a square picture to ``side``, by area averaging when it shrinks."""
    if image.shape[0] == side:
        return image
    way = cv2.INTER_AREA if side < image.shape[0] else cv2.INTER_LINEAR
    return cv2.resize(image, (side, side), interpolation=way)
