"""Which pixels the fabric covers: the projected surface and its straps, drawn with soft edges."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from uncover.masking.face import Camera, Floats
from uncover.masking.style import MaskStyle
from uncover.masking.surface import COLUMNS, mask_surface, strap_courses

_SHIFT = 4  # fractional bits of cv2's polygon corners


@dataclass(frozen=True)
class Placed:
    """A mask put on one face, before any pixel is drawn.

    Attributes:
        camera: view of the face.
        surface: (ROWS, COLUMNS, 3) face units.
        points: (ROWS, COLUMNS, 2) the same in image pixels.
        straps: (side, outline (n, 2) in image pixels) of each strap that shows.
    """

    camera: Camera
    surface: Floats
    points: Floats
    straps: list[Floats]


def place(landmarks: Floats, style: MaskStyle) -> Placed:
    """Put the mask of `style` on the face with landmarks (68, 2)."""
    camera = Camera.fit(landmarks)
    rng = np.random.default_rng((style.seed, 1))
    surface = mask_surface(style, rng)
    courses = strap_courses(style, surface, rng)
    stacked = np.concatenate([surface.reshape(-1, 3), *(c for _, c, _ in courses)])
    flat = camera.project(stacked)
    grid = surface.shape[0] * COLUMNS
    straps = []
    outward = camera.rotation[:2, 0] / max(np.hypot(*camera.rotation[:2, 0]), 1e-9)
    for k, (side, _, width) in enumerate(courses):
        line = flat[grid + 9 * k : grid + 9 * (k + 1)]
        if (line[-1] - line[0]) @ outward * side < 0.05 * camera.scale:
            continue  # the ear is behind the face
        straps.append(_ribbon(line, width * camera.scale))
    return Placed(camera, surface, flat[:grid].reshape(*surface.shape[:2], 2), straps)


def _ribbon(line: Floats, width: Floats) -> Floats:
    along = np.empty_like(line)
    along[1:-1] = line[2:] - line[:-2]
    along[[0, -1]] = line[[1, -1]] - line[[0, -2]]
    normal = np.stack([-along[:, 1], along[:, 0]], 1)
    normal /= np.maximum(np.hypot(normal[:, 0], normal[:, 1]), 1e-9)[:, None]
    half = normal * np.maximum(width, 0.8)[:, None] / 2
    return np.concatenate([line + half, (line - half)[::-1]])


def box_of(placed: Placed, shape_hw: tuple[int, int], margin: float) -> tuple[int, int, int, int]:
    """(x0, y0, x1, y1) around the mask in the image, grown by `margin` face units; may be empty."""
    every = np.concatenate([placed.points.reshape(-1, 2), *placed.straps])
    grow = margin * placed.camera.scale + 2
    low = np.floor(every.min(0) - grow)
    high = np.ceil(every.max(0) + grow) + 1
    h, w = shape_hw
    x0, y0 = np.clip(low, 0, (w, h)).astype(int)
    x1, y1 = np.clip(high, 0, (w, h)).astype(int)
    return int(x0), int(y0), int(x1), int(y1)


def fabric_alpha(placed: Placed, box: tuple[int, int, int, int]) -> NDArray[np.float32]:
    """Coverage of the mask's body within a box, float32 (h, w) in 0..1."""
    return _draw(_strips(placed), box)


def _strips(placed: Placed) -> list[Floats]:
    # Two columns at a time, so that a part folded behind the rest cannot punch a hole.
    p = placed.points.transpose(1, 0, 2)
    across = p[:, [0, -1]]
    parts = [p[:-2:2], across[1:-1:2, 1:], p[2::2, ::-1], across[1:-1:2, :1]]
    return list(np.concatenate(parts, 1))


def whole_alpha(placed: Placed, box: tuple[int, int, int, int]) -> NDArray[np.float32]:
    """Coverage of body and straps together."""
    return _draw([*_strips(placed), *placed.straps], box)


def strap_alpha(placed: Placed, box: tuple[int, int, int, int]) -> NDArray[np.float32]:
    """Coverage of the straps within a box, float32 (h, w) in 0..1."""
    if not placed.straps:
        return np.zeros((box[3] - box[1], box[2] - box[0]), np.float32)
    return _draw(placed.straps, box)


def _draw(polygons: list[Floats], box: tuple[int, int, int, int]) -> NDArray[np.float32]:
    x0, y0, x1, y1 = box
    h, w = y1 - y0, x1 - x0
    fine = 4 if max(h, w) <= 400 else 2
    canvas = np.zeros((h * fine, w * fine), np.uint8)
    scale = fine * (1 << _SHIFT)
    origin = np.array([x0, y0]) - 0.5 + 0.5 / fine
    for polygon in polygons:
        corners = np.rint((polygon - origin) * scale).astype(np.int32)
        cv2.fillPoly(canvas, [corners], 255, cv2.LINE_8, _SHIFT)
    small = canvas
    while fine > 1:  # halving twice is several times faster than quartering
        fine //= 2
        small = cv2.resize(small, (w * fine, h * fine), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) * np.float32(1 / 255)
