"""Plain objects with the networks' methods, and drawn scenes they can read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace

import cv2
import numpy as np

from uncover.crop.geometry import TEMPLATE_5, FaceCrop
from uncover.networks import Segmentation, SegmenterConfig
from uncover.pipeline import Settings, Uncoverer

SKIN = (205, 160, 130)
CLOTH = (40, 90, 200)
SIZE = 64


def draw_scene(
    boxes: Sequence[tuple[int, int, int, int]],
    size: tuple[int, int] = (160, 200),
    wear: str = "worn",
    seed: int = 0,
) -> np.ndarray:
    """uint8 (H, W, 3): a noisy wall, and in each box a face with a blue mask."""
    rng = np.random.default_rng(seed)
    height, width = size
    image = rng.integers(90, 140, (height, width, 3)).astype(np.uint8)
    for box in boxes:
        centre = ((box[0] + box[2]) // 2, (box[1] + box[3]) // 2)
        axes = ((box[2] - box[0]) // 2, (box[3] - box[1]) // 2)
        cv2.ellipse(image, centre, axes, 0, 0, 360, SKIN, -1)
        if wear != "bare":
            crop = FaceCrop.from_box(box, SIZE)
            lo, hi = {"worn": (0.42, 0.84), "nose_out": (0.56, 0.9), "chin": (0.74, 0.92)}[wear]
            corners = [[0.28, lo], [0.72, lo], [0.68, hi], [0.32, hi]]
            cloth = crop.to_photo(np.array(corners) * SIZE).round().astype(np.int32)
            cv2.fillPoly(image, [cloth], CLOTH)
    return image


def cloth_left(image: np.ndarray) -> int:
    """How many pixels still have the cloth's colour."""
    return int((np.abs(image.astype(int) - CLOTH).sum(-1) < 40).sum())


@dataclass
class FakeDetector:
    """Reports the faces it was given; `clear` ones only where the photo shows cloth."""

    boxes: Sequence[tuple[float, ...]] = ()
    labels: Sequence[str] = ()
    scores: Sequence[float] = ()
    seen: list[tuple[int, ...]] = field(default_factory=list)

    def detect(self, images: Sequence[np.ndarray]) -> list[SimpleNamespace]:
        self.seen.extend(image.shape for image in images)
        count = len(self.boxes)
        return [
            SimpleNamespace(
                boxes=np.array(self.boxes, np.float32).reshape(-1, 4),
                labels=list(self.labels) or ["with_mask"] * count,
                scores=np.array(self.scores or [0.9] * count, np.float32),
            )
            for _ in images
        ]


@dataclass
class FakeSegmenter:
    """Blue (or, in grey pictures, dark) pixels are mask; the points are the template's, or, when
    it is `keen`, around the middle of the mask."""

    config: SegmenterConfig = field(default_factory=lambda: SegmenterConfig(dilation=0.02))
    wild: bool = False
    keen: bool = False
    presence: float | None = None
    batches: list[int] = field(default_factory=list)

    def segment(self, crops: np.ndarray) -> Segmentation:
        self.batches.append(len(crops))
        distance = np.abs(crops.astype(float) - CLOTH).sum(-1)
        if (crops.max(-1).astype(int) - crops.min(-1)).mean() < 12:  # a grey picture
            grey = np.dot(CLOTH, (0.299, 0.587, 0.114))
            distance = 2.5 * np.abs(crops.mean(-1) - grey)
        points = np.repeat(TEMPLATE_5[None] * crops.shape[1], len(crops), 0).astype(np.float32)
        if self.wild:
            points = points[:, ::-1] * 0.1
        if self.keen:
            for five, blue in zip(points, distance < 60, strict=True):
                five += np.argwhere(blue).mean(0)[::-1] - five[2:].mean(0)
        return Segmentation(
            probability=(distance < 60).astype(np.float32),
            points=points.astype(np.float32),
            presence=None if self.presence is None else np.full(len(crops), self.presence),
        )


@dataclass
class FakeGenerator:
    """Reproduces what it sees and paints the hole in the colour of skin, `off` by a shade."""

    off: int = 0
    varied: bool = True
    config: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(resolution=SIZE))
    batches: list[int] = field(default_factory=list)
    holes: list[np.ndarray] = field(default_factory=list)
    crops: list[np.ndarray] = field(default_factory=list)

    def fill(self, crops: np.ndarray, masks: np.ndarray) -> np.ndarray:
        self.batches.append(len(crops))
        self.holes.extend(masks)
        self.crops.extend(crops)
        out = np.where(masks[..., None], np.uint8(SKIN), crops).astype(int) + self.off
        return np.clip(out, 0, 255).astype(np.uint8)

    def sample(self, crops: np.ndarray, masks: np.ndarray, count: int) -> np.ndarray:
        first = self.fill(crops, masks)
        darker = [np.where(masks[..., None], first - 20 * k, first) for k in range(1, count)]
        return np.stack([first, *darker]).astype(np.uint8)


def make(
    boxes: Sequence[tuple[float, ...]] = (),
    labels: Sequence[str] = (),
    scores: Sequence[float] = (),
    **settings: object,
) -> Uncoverer:
    """An Uncoverer made of stand-ins."""
    return Uncoverer(
        FakeDetector(boxes, labels, scores),
        FakeSegmenter(),
        FakeGenerator(),
        Settings(**settings),  # type: ignore[arg-type]
    )
