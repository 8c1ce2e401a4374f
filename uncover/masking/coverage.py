"""Which pixels the fabric covers: the projected surface and its straps, drawn with soft edges."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from uncover.masking.face import Camera, Floats
from uncover.masking.straps import STRAP_POINTS, mask_straps
from uncover.masking.style import MaskStyle
from uncover.masking.surface import mask_surface

Box = tuple[int, int, int, int]  # x0, y0, x1, y1 in image pixels, the last two exclusive
_SHIFT = 4  # fractional bits of cv2's polygon corners


@dataclass(frozen=True)
class Placed:
    """A mask put on one face, before any pixel is drawn.

    Attributes:
        camera: view of the face.
        surface: (ROWS, COLUMNS, 3) face units.
        points: (ROWS, COLUMNS, 2) the same in image pixels.
        straps: outline (n, 2) in image pixels of each strap that shows.
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
    straps = mask_straps(style, surface, rng)
    lines = [line for s in straps for line in (s.course, s.other) if line is not None]
    flat = camera.project(np.concatenate([surface.reshape(-1, 3), *lines]))
    points = flat[: surface.size // 3].reshape(*surface.shape[:2], 2)
    drawn = iter(flat[surface.size // 3 :].reshape(-1, STRAP_POINTS, 2))
    outward = camera.rotation[:2, 0] / max(np.hypot(*camera.rotation[:2, 0]), 1e-9)
    outlines = []
    for strap in straps:
        line = next(drawn)
        other = next(drawn) if strap.other is not None else None
        out = (line[-1] - line[0]) @ outward * strap.side
        if out < 0.08 * camera.scale or camera.rotation[2, 0] * strap.side < -0.42:
            continue  # the ear is behind the face
        if other is None:
            outlines.append(_ribbon(line, strap.width * camera.scale))
        else:
            outlines.append(np.concatenate([line, other[::-1]]))
    return Placed(camera, surface, points, outlines)


def _ribbon(line: Floats, width: Floats) -> Floats:
    along = np.empty_like(line)
    along[1:-1] = line[2:] - line[:-2]
    along[[0, -1]] = line[[1, -1]] - line[[0, -2]]
    normal = np.stack([-along[:, 1], along[:, 0]], 1)
    normal /= np.maximum(np.hypot(normal[:, 0], normal[:, 1]), 1e-9)[:, None]
    half = normal * np.maximum(width, 0.8)[:, None] / 2
    return np.concatenate([line + half, (line - half)[::-1]])


def box_of(placed: Placed, shape_hw: tuple[int, int], margin: float) -> Box:
    """(x0, y0, x1, y1) around the mask in the image, grown by `margin` face units; may be empty."""
    every = np.concatenate([placed.points.reshape(-1, 2), *placed.straps])
    grow = margin * placed.camera.scale + 2
    low = np.floor(every.min(0) - grow)
    high = np.ceil(every.max(0) + grow) + 1
    h, w = shape_hw
    x0, y0 = np.clip(low, 0, (w, h)).astype(int)
    x1, y1 = np.clip(high, 0, (w, h)).astype(int)
    return int(x0), int(y0), int(x1), int(y1)


def _strips(placed: Placed) -> list[Floats]:
    # Two columns at a time, so that a part folded behind the rest cannot punch a hole.
    p = placed.points.transpose(1, 0, 2)
    across = p[:, [0, -1]]
    parts = [p[:-2:2], across[1:-1:2, 1:], p[2::2, ::-1], across[1:-1:2, :1]]
    return list(np.concatenate(parts, 1))


def whole_alpha(placed: Placed, box: Box) -> NDArray[np.float32]:
    """Coverage of body and straps together."""
    return _draw([*_strips(placed), *placed.straps], box)


def _draw(polygons: list[Floats], box: Box) -> NDArray[np.float32]:
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
