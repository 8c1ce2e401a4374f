"""What a segmenter says about crops, and how crops are scaled for it; needs no torch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

GRID = 4
"""The linear layer that says whether there is a face sees the crop in so many parts each way."""


@dataclass(frozen=True)
class SegmenterConfig:
    """What is needed to build the segmenter and to use what it says.

    resolution: side of the crop the network sees. widths: channels at 1/4, 1/8, ... of that side.
    detail_width: channels of the branch at half resolution.
    threshold: a pixel is mask from this probability on. dilation: fraction of the crop's side by
    which the mask is widened before it is painted, so that no rim is left; chosen on val.
    presence: a crop is painted from this probability on that it shows a face; with 0 the network
    has no part that says so.
    """

    resolution: int = 256
    widths: tuple[int, ...] = (32, 64, 128, 192)
    detail_width: int = 12
    threshold: float = 0.5
    dilation: float = 0.012
    presence: float = 0.0

    def __post_init__(self) -> None:
        if not 2 <= len(self.widths) <= 8 or min(self.widths) < 4 or self.detail_width < 1:
            raise ValueError("widths needs two to eight values of at least 4")
        step = 4 * 2 ** (len(self.widths) - 1)
        if self.resolution < step or self.resolution % step:
            raise ValueError(f"resolution must be a multiple of {step}, not {self.resolution}")
        if not 0 < self.threshold < 1 or not 0 <= self.dilation < 0.5:
            raise ValueError("threshold must lie in 0..1 and dilation in 0..0.5")
        if not 0 <= self.presence < 1:
            raise ValueError(f"presence must lie in 0..1, not {self.presence}")
        if self.presence and self.resolution // step % GRID:
            raise ValueError(f"presence needs a resolution that is a multiple of {GRID * step}")


@dataclass(frozen=True)
class Segmentation:
    """For B crops of side S: ``probability`` float32 (B, S, S) that a pixel is mask, in 0..1, and
    ``points`` float32 (B, 5, 2), x and y in crop pixels: eye centres (image left, image right),
    nose tip, mouth corners (image left, image right). Hidden points are inferred. ``presence``
    float32 (B,): the probability that the crop shows a face, masked or bare; None where the network
    has no part that says so.
    """

    probability: np.ndarray
    points: np.ndarray
    presence: np.ndarray | None = None


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


class CropSegmenter(ABC):
    """Segments crops of any size with a network behind :meth:`_run`."""

    config: SegmenterConfig

    @abstractmethod
    def _run(self, crops: np.ndarray) -> tuple[np.ndarray, ...]:
        """uint8 crops (B, R, R, 3) of the network's own size -> mask probability float32
        (B, R, R), points float32 (B, 5, 2) in 0..1 of the crop's area and, where
        `config.presence` is not 0, the probability float32 (B,) that it shows a face."""

    def segment(self, crops: np.ndarray) -> Segmentation:
        """Mask probability, the five points, and whether there is a face, of each crop.

        Args:
            crops: uint8 (B, S, S, 3) RGB; any S, B may be 0.

        Raises:
            ValueError: for another type or shape.
        """
        check_crops(crops)
        count, side = crops.shape[:2]
        probability = np.zeros((count, side, side), np.float32)
        points = np.zeros((count, 5, 2), np.float32)
        presence = np.zeros(count, np.float32) if self.config.presence else None
        for part in batches(count):
            found, unit, *face = self._run(
                np.stack([resize_square(crop, self.config.resolution) for crop in crops[part]])
            )
            probability[part] = [resize_square(plane, side) for plane in found]
            # Unit coordinates are of pixel areas; pixel (0, 0) has its centre at (0, 0).
            points[part] = unit * side - 0.5
            if presence is not None:
                presence[part] = face[0]
        return Segmentation(probability, points, presence)
