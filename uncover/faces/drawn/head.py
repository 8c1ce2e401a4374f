"""A head as a relief over the 68-point mean face, seen by a pinhole camera.

The relief z(x, y) is a thin-plate spline through the 68 points and a few more on the skull, so the
landmarks lie on the drawn surface exactly. Units and axes are those of `uncover.faces.mean_face`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.ndimage import zoom

from uncover.faces.mean_face import FACE_68, rotation_from_pose

DISTANCE = 20.0
"""Camera distance in model units, the one `uncover.faces.landmarks.head_pose` assumes."""
EXTENT = 2.4
"""The relief covers x and y in -EXTENT..EXTENT."""
TEXTURE = 384
"""Side of the relief and of the texture in pixels."""
CROWN = -2.0
"""y of the top of the skull."""
MISS = 9.0

_SPLINE_GRID = 48
_STEPS = 22
_REACH = 1.7  # depths searched, before and behind the head's origin
_UNIT = (TEXTURE - 1) / (2 * EXTENT)  # texture pixels per model unit
# Skull behind the face: centre, and half axes in x, y, z.
SKULL_CENTRE = np.array([0.0, -0.55, 1.15])
SKULL_AXES = np.array([1.42, 1.5, 1.5])


def to_texture(points: np.ndarray) -> np.ndarray:
    """Texture pixels (..., 2) of model points (..., >= 2)."""
    return (points[..., :2] + EXTENT) * _UNIT


@dataclass(frozen=True, eq=False)
class Relief:
    """Depth of the head over x and y, float32 (TEXTURE, TEXTURE); MISS off the head."""

    depth: np.ndarray
    outline: np.ndarray  # float64 (N, 2), model x and y

    def slopes(self) -> tuple[np.ndarray, np.ndarray]:
        """dz/dx and dz/dy, float32 like `depth`, smoothed a little."""
        smooth = cv2.GaussianBlur(np.minimum(self.depth, 3.0), (0, 0), 2.0)
        down, across = np.gradient(smooth, 1 / _UNIT)
        return across.astype(np.float32), down.astype(np.float32)


def varied_shape(rng: np.random.Generator) -> np.ndarray:
    """A symmetric variation of the mean face with an expression: float64 (68, 3)."""
    p = FACE_68.copy()

    def scale(points: Any, about: tuple[float, float], x: float, y: float) -> None:
        p[points, 0] = about[0] + (p[points, 0] - about[0]) * x
        p[points, 1] = about[1] + (p[points, 1] - about[1]) * y

    width, length = rng.normal(1.0, 0.04), rng.normal(1.0, 0.03)
    scale(slice(0, 17), (0.0, -0.3), width, length)
    p[5:12, 0] *= rng.normal(1.0, 0.06)  # jaw from narrow to square
    apart, eye_width, eye_open = rng.normal(1, 0.04), rng.normal(1, 0.06), rng.normal(1.0, 0.18)
    for side, eye in ((-1, slice(36, 42)), (1, slice(42, 48))):
        centre = p[eye, :2].mean(axis=0)
        scale(eye, (centre[0], centre[1]), eye_width, max(0.5, eye_open))
        p[eye, 0] += side * abs(centre[0]) * (apart - 1)
    p[17:27, 1] += rng.normal(0.0, 0.04)
    p[17:27, 1] = p[17:27, 1].mean() + (p[17:27, 1] - p[17:27, 1].mean()) * rng.uniform(0.6, 1.4)
    p[31:36, 0] *= rng.normal(1.0, 0.12)
    p[28:36, 1] += rng.normal(0.0, 0.03)
    p[30, 2] += rng.normal(0.0, 0.05)
    mouth_y = p[[48, 54], 1].mean()
    scale(slice(48, 68), (0.0, mouth_y), rng.normal(1.0, 0.07), rng.normal(1.0, 0.12))
    smile = rng.uniform(-0.05, 0.14)
    p[[48, 54, 60, 64], 1] -= smile * 0.6
    p[[48, 60], 0] -= max(0.0, smile)
    p[[54, 64], 0] += max(0.0, smile)
    gap = max(0.0, rng.normal(0.02, 0.1))
    p[[55, 56, 57, 58, 59, 65, 66, 67], 1] += gap
    p[5:12, 1] += gap * 0.6
    return p


@lru_cache(maxsize=1)
def _skull_points() -> np.ndarray:
    """Points that lead the spline from the face over the forehead to the crown and the sides."""
    brow = [(x, -1.45, -0.12 + 0.16 * x * x) for x in (-0.9, -0.45, 0.0, 0.45, 0.9)]
    high = [(x, -1.75, 0.15 + 0.28 * x * x) for x in (-0.8, 0.0, 0.8)]
    crown = [(x, CROWN, 0.75 + 0.3 * x * x) for x in (-0.6, 0.0, 0.6)]
    side = [(sign * 1.3, y, 1.05) for sign in (-1, 1) for y in (-0.95, -1.3)]
    return np.array([*brow, *high, *crown, *side])


def relief(shape: np.ndarray) -> Relief:
    """The head's relief through the points `shape` (68, 3)."""
    anchors = np.vstack([shape, _skull_points()])
    spline = RBFInterpolator(anchors[:, :2], anchors[:, 2], kernel="thin_plate_spline")
    line = np.linspace(-EXTENT, EXTENT, _SPLINE_GRID)
    grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    coarse = spline(grid).reshape(_SPLINE_GRID, _SPLINE_GRID).astype(np.float32)
    depth = zoom(coarse, TEXTURE / _SPLINE_GRID, order=3, mode="nearest")
    outline = _outline(shape)
    mask = np.zeros((TEXTURE, TEXTURE), np.uint8)
    cv2.fillPoly(mask, [np.round(to_texture(outline)).astype(np.int32)], 1)
    return Relief(np.where(mask > 0, depth, MISS).astype(np.float32), outline)


def _outline(shape: np.ndarray) -> np.ndarray:
    """Jaw from ear to ear, closed by half an ellipse over the crown: (N, 2)."""
    left, right = shape[0, :2], shape[16, :2]
    middle, half = (left + right) / 2, abs(right[0] - left[0]) / 2
    angle = np.linspace(0.0, np.pi, 33)[1:-1]
    rise = middle[1] - CROWN
    arc = np.stack([np.cos(angle) * half * 1.03, -(np.sin(angle) ** 0.8) * rise], axis=1) + middle
    jaw = shape[:17, :2] * [1.015, 1.0]  # a rim of the width of a pixel or two
    return np.vstack([jaw, arc])


@dataclass(frozen=True)
class PinholeCamera:
    """Pinhole camera in front of the head: `scale` image pixels per model unit at the head."""

    size: int
    scale: float
    centre: tuple[float, float]
    yaw: float
    pitch: float
    roll: float

    def project(self, points: np.ndarray) -> np.ndarray:
        """Image pixels (N, 2) of model points (N, 3)."""
        seen = points @ rotation_from_pose(self.yaw, self.pitch, self.roll).T
        flat = seen[:, :2] * (DISTANCE / (DISTANCE + seen[:, 2:]))
        return flat * self.scale + np.array(self.centre)

    def trace(self, surface: Relief) -> tuple[np.ndarray, np.ndarray]:
        """Where each pixel's ray meets the relief.

        Returns float32 (size, size, 2) texture pixels and bool (size, size), True on the head.
        A ray is walked in equal steps; the last one is cut where it crosses the surface.
        """
        texels = np.zeros((self.size, self.size, 2), np.float32)
        covered = np.zeros((self.size, self.size), bool)
        rows, cols = self._window()
        rotation = rotation_from_pose(self.yaw, self.pitch, self.roll)
        v, u = np.mgrid[rows, cols]
        view = self.scale * DISTANCE
        ray = np.stack(
            [(u - self.centre[0]) / view, (v - self.centre[1]) / view, np.ones(u.shape)], axis=-1
        )
        # In the head's frame a point on the ray at depth t is start + t * ray.
        ray, start = ray @ rotation, np.array([0.0, 0.0, -DISTANCE]) @ rotation
        tx, ty = np.moveaxis((ray[..., :2] * _UNIT).astype(np.float32), -1, 0)
        sx, sy = to_texture(start).astype(np.float32)
        rz, sz = ray[..., 2].astype(np.float32), np.float32(start[2])
        found = np.full(rz.shape, np.nan, np.float32)
        before = np.full(rz.shape, -1.0, np.float32)
        step = 2 * _REACH / _STEPS
        for t in np.linspace(DISTANCE - _REACH, DISTANCE + _REACH, _STEPS + 1, dtype=np.float32):
            depth = cv2.remap(
                surface.depth,
                sx + t * tx,
                sy + t * ty,
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_CONSTANT,
                borderValue=MISS,
            )
            inside = sz + t * rz - depth
            # Far inside at once means that the ray came in through the open side: no hit.
            hit = np.isnan(found) & (inside >= 0) & (inside < 2.5 * step)
            cut = before[hit] / (before[hit] - inside[hit])
            found[hit] = t - step + cut * step
            before = np.minimum(inside, -1e-6)
        covered[rows, cols] = ~np.isnan(found)
        t = np.nan_to_num(found, nan=DISTANCE)
        texels[rows, cols] = np.stack([sx + t * tx, sy + t * ty], axis=-1)
        return texels, covered

    def _window(self) -> tuple[slice, slice]:
        """Rows and columns of the picture that the head can cover."""
        corners = np.array([(x, y, z) for x in (-1.7, 1.7) for y in (-2.1, 2) for z in (-0.9, 1.2)])
        low, high = np.percentile(self.project(corners), [0, 100], axis=0)
        x0, y0 = np.clip(np.floor(low), 0, self.size - 1).astype(int)
        x1, y1 = np.clip(np.ceil(high), 1, self.size).astype(int)
        return slice(y0, max(y1, y0 + 1)), slice(x0, max(x1, x0 + 1))
