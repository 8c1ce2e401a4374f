"""What a detector says about a photo, and how a photo is cut and scaled for it; needs no torch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

LABELS = ("with_mask", "without_mask", "mask_worn_incorrectly")
EDGE = 3.0
"""A box that comes this near to an inner edge of a tile, in pixels, is cut by it."""

Part = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Boxes float32 (N, 4) in pixels of the photo, labels int64 (N,) from 1 on, scores float32 (N,)."""


@dataclass(frozen=True)
class DetectorConfig:
    """Everything that is needed to build the detector and to prepare a photo for it.

    ``anchors`` holds the same number of sizes (square root of the area, network pixels) for each
    pyramid level, strides 8, 16, 32 and 64. ``shorter_side`` and ``longer_side`` bound the size at
    which a photo is looked at. A photo whose longer side exceeds ``tile_above`` is looked at a
    second time in square tiles of ``tile_size`` photo pixels, so that the small faces of a crowd
    are found; ``tile_above=0`` turns that off. At most ``proposals`` are kept a look, only those
    whose own score, in 0..1, reaches ``objectness``.
    """

    backbone: str = "squeezenet1_1"
    pyramid_channels: int = 64
    anchors: tuple[tuple[int, ...], ...] = (
        (12, 18, 27),
        (40, 60, 90),
        (130, 180, 240),
        (300, 370, 450),
    )
    aspect_ratio: float = 1.2
    pool_size: int = 7
    head_channels: int = 320
    proposals: int = 200
    objectness: float = 0.0
    score_threshold: float = 0.05
    nms_iou: float = 0.5
    max_detections: int = 200
    shorter_side: int = 448
    longer_side: int = 768
    tile_above: int = 1600
    tile_size: int = 1280
    tile_overlap: float = 0.2

    def __post_init__(self) -> None:
        ranges = (
            ("proposals", 1, 2000),
            ("objectness", 0, 1),
            ("max_detections", 1, 2000),
            ("score_threshold", 0, 1),
            ("nms_iou", 0, 1),
            ("shorter_side", 32, 4096),
            ("longer_side", self.shorter_side, 4096),
            ("tile_above", 0, 2**20),
            ("tile_size", 128, 8192),
            ("tile_overlap", 0, 0.5),
        )
        for name, low, high in ranges:
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} must lie in {low:g}..{high:g}, not {value:g}")


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


@dataclass(frozen=True)
class Clutter:
    """Which boxes of a photo show no face of their own.

    ``nested`` was set by eye on real photos; not measured. The others were set on bare close-ups.

    Attributes:
        nested: of two boxes the worse goes when more than this share of the smaller lies in the
            other.
        filling: a face fills a photo when its box covers at least this share of it,
        filling_score: and has at least this score.
        small: beside such a face a box is small below this share of its area,
        sure: and not sure below this score.
    """

    nested: float = 0.85
    filling: float = 0.4
    filling_score: float = 0.9
    small: float = 0.15
    sure: float = 0.85


CLUTTER = Clutter()


def without_nested(found: Detections, share: float = CLUTTER.nested) -> Detections:
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
    takes a piece of that for a small face now and then.
    """
    sizes = (found.boxes[:, 2:] - found.boxes[:, :2]).prod(axis=1)
    sure = found.scores >= CLUTTER.filling_score
    filling = sizes[sure & (sizes >= CLUTTER.filling * height * width)]
    if not len(filling):
        return found
    large = sizes >= CLUTTER.small * filling.max()
    keep = np.flatnonzero((found.scores >= CLUTTER.sure) | large)
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


class PhotoDetector(ABC):
    """Finds faces with a network behind :meth:`_look`: tiling, suppression and clean-up."""

    config: DetectorConfig

    @abstractmethod
    def _look(self, image: np.ndarray) -> Part:
        """One pass over one picture."""

    @abstractmethod
    def _nms(
        self, boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray | None = None
    ) -> np.ndarray:
        """Indices of the boxes that no better one overlaps by more than ``config.nms_iou``, best
        first. With labels, boxes only compete with those of their own label."""

    def detect(
        self,
        images: Sequence[np.ndarray],
        min_score: float = 0.0,
        one_label_per_face: bool = True,
    ) -> list[Detections]:
        """Faces of each photo.

        Args:
            images: uint8 RGB photos (H, W, 3), any sizes.
            min_score: drop what scores less (the model itself stops at
                ``config.score_threshold``).
            one_label_per_face: keep only the best of boxes that overlap or lie in each other,
                whatever their labels.
                With False each class is suppressed on its own, as COCO's AP expects.

        Raises:
            ValueError: for an image that is not uint8 (H, W, 3).
        """
        results = []
        for image in images:
            if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
                raise ValueError(f"expected uint8 HxWx3, got {image.dtype} {image.shape}")
            boxes, labels, scores = self._look(image)
            if 0 < self.config.tile_above < max(image.shape[:2]):
                parts = [(boxes, labels, scores), *self._look_at_tiles(image)]
                boxes, labels, scores = (np.concatenate(p) for p in zip(*parts, strict=True))
                keep = self._nms(boxes, scores, labels)
                boxes, labels, scores = boxes[keep], labels[keep], scores[keep]
            if one_label_per_face:
                keep = self._nms(boxes, scores)
            else:
                keep = np.argsort(-scores, kind="stable")
            keep = keep[scores[keep] >= min_score]
            named = [LABELS[i - 1] for i in labels[keep].tolist()]
            faces = Detections(boxes[keep], named, scores[keep])
            if one_label_per_face:
                faces = without_clutter(without_nested(faces), *image.shape[:2])
            results.append(faces)
        return results

    def _look_at_tiles(self, image: np.ndarray) -> list[Part]:
        height, width = image.shape[:2]
        size = self.config.tile_size
        found = []
        for y in tile_starts(height, size, self.config.tile_overlap):
            for x in tile_starts(width, size, self.config.tile_overlap):
                tile = image[y : y + size, x : x + size]
                boxes, labels, scores = self._look(tile)
                # A face cut by a tile's inner edge is seen whole by its neighbour.
                cut = (boxes[:, 0] < EDGE) & (x > 0)
                cut |= (boxes[:, 1] < EDGE) & (y > 0)
                cut |= (boxes[:, 2] > tile.shape[1] - EDGE) & (x + size < width)
                cut |= (boxes[:, 3] > tile.shape[0] - EDGE) & (y + size < height)
                shift = np.array([x, y, x, y], np.float32)
                found.append((boxes[~cut] + shift, labels[~cut], scores[~cut]))
        return found
