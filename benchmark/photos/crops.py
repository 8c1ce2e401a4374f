"""From a photo to the square picture every model sees, and the landmarks in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from uncover.crop import FaceCrop
from uncover.faces import five_points

SMALLEST, LARGEST = 64, 512
"""Sides in pixels of a picture at the photo's own resolution."""


@dataclass(frozen=True)
class Cut:
    """An upright square of a photo: its first pixel, its side in photo pixels, the side of the
    picture that is made of it, and the photo's height and width. Where the two sides are equal, no
    pixel is changed."""

    x: int
    y: int
    side: int
    size: int
    photo_size: tuple[int, int]

    def of(self, photo: np.ndarray) -> np.ndarray:
        """uint8 (H, W, 3) -> uint8 (size, size, 3), resized once, anti-aliased, if at all."""
        x, y, side = self.x, self.y, self.side
        if side == self.size:
            return np.ascontiguousarray(photo[y : y + side, x : x + side])
        box = (x, y, x + side, y + side)
        square = Image.fromarray(photo).resize((self.size,) * 2, Image.Resampling.BICUBIC, box=box)
        return np.array(square)

    def moved(self, points: np.ndarray) -> np.ndarray:
        """(N, 2) points of the photo, float32 in pixels of the picture."""
        scale = self.size / self.side
        moved = (np.asarray(points, np.float64) - (self.x, self.y) + 0.5) * scale - 0.5
        return moved.astype(np.float32)


def cut_around(
    width: int, height: int, landmarks: np.ndarray | None, size: int | None = None
) -> Cut:
    """The square around the face's canonical frame, as far as the photo goes.

    The frame is the pipeline's, set upright; where the photo is cut tighter than it, the square is
    what the photo holds of it and stays a square.

    Args:
        landmarks: (68, 2) in photo pixels; None takes the photo's central square.
        size: of the picture; None keeps the photo's own pixels, 64 to 512 of them.
    """
    side, centre = float(min(width, height)), np.array([width, height]) / 2 - 0.5
    if landmarks is not None:
        frame = FaceCrop.from_points(five_points(landmarks), 1)
        turn = np.radians(frame.roll)
        side = min(side, (abs(np.cos(turn)) + abs(np.sin(turn))) / frame.scale)
        centre = frame.to_photo([[0.5, 0.5]])[0]
    whole = max(1, round(side))
    corner = np.rint(centre - (whole - 1) / 2).astype(int)
    x = int(np.clip(corner[0], 0, width - whole))
    y = int(np.clip(corner[1], 0, height - whole))
    return Cut(x, y, whole, size or int(np.clip(whole, SMALLEST, LARGEST)), (height, width))


def face_crop(
    photo: np.ndarray, landmarks: np.ndarray | None, size: int | None, align: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """Cut, and resize at most once.

    Args:
        photo: uint8 (H, W, 3).
        landmarks: (68, 2) in photo pixels; needed to align.
        size: side of the picture; None keeps the photo's own resolution.
        align: turn the face upright as well, eyes, nose and mouth where the networks expect them.

    Returns:
        uint8 (size, size, 3) and the landmarks, float32 (68, 2), in its pixels.
    """
    height, width = photo.shape[:2]
    if align:
        if landmarks is None:
            raise ValueError("aligning needs landmarks")
        if size is None:
            scale = FaceCrop.from_points(five_points(landmarks), 1).scale
            size = int(np.clip(round(1 / scale), SMALLEST, LARGEST))
        crop = FaceCrop.from_points(five_points(landmarks), size)
        return crop.extract(photo), crop.to_crop(landmarks).astype(np.float32)
    cut = cut_around(width, height, landmarks, size)
    return cut.of(photo), None if landmarks is None else cut.moved(landmarks)
