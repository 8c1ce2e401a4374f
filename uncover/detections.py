"""What a detector says about a photo, and how a photo is cut and scaled for it; needs no torch."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

LABELS = ("with_mask", "without_mask", "mask_worn_incorrectly")


@dataclass(frozen=True)
class Detections:
    """Faces of one photo, best score first.

    ``boxes`` float32 (N, 4): x0, y0, x1, y1 in photo pixels, inside the photo; ``labels``: N of
    :data:`LABELS`; ``scores`` float32 (N,) in 0..1.
    """

    boxes: np.ndarray
    labels: list[str]
    scores: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def above(self, score: float) -> Detections:
        """The detections whose score is at least ``score``."""
        keep = np.flatnonzero(self.scores >= score)
        return Detections(self.boxes[keep], [self.labels[i] for i in keep], self.scores[keep])


def without_nested(found: Detections, share: float = 0.85) -> Detections:
    """Leaves out what lies inside a better box, or around one, by ``share`` of the smaller.

    A mask alone, or half a face, is now and then found as a second face within the first; their
    overlap in the sense of intersection over union is too small for ordinary suppression.
    """
    kept: list[int] = []
    for i, box in enumerate(found.boxes):
        others = found.boxes[kept]
        low, high = np.maximum(others[:, :2], box[:2]), np.minimum(others[:, 2:], box[2:])
        common = np.clip(high - low, 0, None).prod(axis=1)
        areas = (others[:, 2:] - others[:, :2]).prod(axis=1)
        smaller = np.minimum(areas, (box[2:] - box[:2]).prod())
        if (common <= share * smaller).all():
            kept.append(i)
    return Detections(found.boxes[kept], [found.labels[i] for i in kept], found.scores[kept])


def without_clutter(found: Detections, height: int, width: int) -> Detections:
    """Beside a sure face that fills a photo, leaves out small boxes that are not sure themselves.

    In a close-up there is little but hair, cloth and background beside the face, and the detector
    takes a piece of that for a small face now and then. The figures were set on bare close-ups.
    """
    sizes = (found.boxes[:, 2:] - found.boxes[:, :2]).prod(axis=1)
    filling = sizes[(found.scores >= 0.9) & (sizes >= 0.4 * height * width)]
    if not len(filling):
        return found
    keep = np.flatnonzero((found.scores >= 0.85) | (sizes >= 0.15 * filling.max()))
    return Detections(found.boxes[keep], [found.labels[i] for i in keep], found.scores[keep])


def resize_for_detector(image: np.ndarray, shorter_side: int, longer_side: int) -> np.ndarray:
    """Scales a photo to ``shorter_side``, or to ``longer_side`` if that would exceed it."""
    height, width = image.shape[:2]
    scale = min(shorter_side / min(height, width), longer_side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size == (width, height):
        return np.ascontiguousarray(image)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def pad_for_detector(image: np.ndarray, least: int = 64) -> np.ndarray:
    """Repeats the last row and column until no side is below ``least``, which the coarsest level
    of the pyramid needs; what is added lies below and to the right."""
    below, right = (max(0, least - side) for side in image.shape[:2])
    if not below and not right:
        return image
    return cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REPLICATE)


def tile_starts(length: int, size: int, overlap: float) -> list[int]:
    """Where tiles of ``size`` begin so that they cover ``length`` evenly with that overlap."""
    if length <= size:
        return [0]
    count = int(np.ceil((length - size) / (size * (1 - overlap)))) + 1
    return [round(i * (length - size) / (count - 1)) for i in range(count)]
