"""From image pixels back to mask space: a thin-plate spline through the visible surface.

Thin-plate splines after Bookstein, "Principal warps" (1989): of all maps through the control
points the one that bends least; r^2 log r^2 kernel plus an affine part.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from uncover.masking.coverage import Box, Placed
from uncover.masking.face import Floats
from uncover.masking.surface import COLUMNS, ROWS, U, V

_PICK_ROWS = np.array([0, 3, 7, 11, ROWS - 1])
_PICK_COLUMNS = np.array([0, 6, 10, 13, 16, 19, 22, 26, COLUMNS - 1])
_TARGET = np.stack(np.meshgrid(U[_PICK_COLUMNS], V[_PICK_ROWS]), -1).reshape(-1, 2)
_SPREAD = np.gradient(U)[None]


def _facing(points: Floats) -> NDArray[np.bool_]:
    """(ROWS, COLUMNS) True where the surface shows its outside to the camera."""
    du = np.empty_like(points)
    du[:, 1:-1] = points[:, 2:] - points[:, :-2]
    du[:, [0, -1]] = points[:, [1, -1]] - points[:, [0, -2]]
    dv = np.empty_like(points)
    dv[1:-1] = points[2:] - points[:-2]
    dv[[0, -1]] = points[[1, -1]] - points[[0, -2]]
    area = du[..., 0] * dv[..., 1] - du[..., 1] * dv[..., 0]
    area = area / _SPREAD
    middle = area.size // 2  # their number is odd
    return area > 0.12 * np.partition(area, middle, axis=None)[middle]


def _kernel(r2: NDArray[np.float32]) -> NDArray[np.float32]:
    return r2 * np.log(r2 + np.float32(1e-8))


def inverse_map(placed: Placed, box: Box, size: tuple[int, int]) -> NDArray[np.float32]:
    """Where in the flat mask each pixel of a box lies, for cv2.remap.

    Args:
        placed: the mask on the face.
        box: part of the image.
        size: (rows, columns) of the flat mask's texture.

    Returns:
        float32 (h, w, 2), x and y in texture pixels; extrapolated outside the mask.
    """
    x0, y0, x1, y1 = box
    w, h = x1 - x0, y1 - y0
    pick = np.ix_(_PICK_ROWS, _PICK_COLUMNS)
    seen = _facing(placed.points)[pick].ravel()
    points = placed.points[pick].reshape(-1, 2)
    if seen.sum() < 8:
        seen[:] = True
    scale = placed.camera.scale
    centre = points[seen].mean(0)
    at = ((points[seen] - centre) / scale).astype(np.float32)
    n = len(at)
    system = np.zeros((n + 3, n + 3), np.float32)
    r2 = ((at[:, None] - at[None]) ** 2).sum(-1)
    system[:n, :n] = _kernel(r2) + 1e-3 * np.eye(n, dtype=np.float32)
    system[:n, n] = system[n, :n] = 1.0
    system[:n, n + 1 :] = at
    system[n + 1 :, :n] = at.T
    right = np.zeros((n + 3, 2), np.float32)
    right[:n] = _TARGET[seen]
    weights = np.linalg.solve(system, right)

    # The spline is smooth: nodes some pixels apart, one beyond each side, and straight between.
    step = max(2, round(scale / 8))
    nx, ny = -(-w // step) + 2, -(-h // step) + 2
    first = (step - 1) / 2 - step
    nodes = np.empty((ny, nx, 2), np.float32)
    nodes[..., 0] = (np.arange(nx) * step + (first + x0 - centre[0])) / scale
    nodes[..., 1] = ((np.arange(ny) * step + (first + y0 - centre[1])) / scale)[:, None]
    flat = nodes.reshape(-1, 2)
    square = (flat**2).sum(1, keepdims=True) + (at**2).sum(1) - 2 * (flat @ at.T)
    mapped = _kernel(np.maximum(square, 0)) @ weights[:n] + weights[n] + flat @ weights[n + 1 :]
    mapped += np.array([1.0, 0.0], np.float32)
    mapped *= np.array([(size[1] - 1) / 2, size[0] - 1], np.float32)
    full = cv2.resize(mapped.reshape(ny, nx, 2), (nx * step, ny * step))
    return np.ascontiguousarray(full[step : step + h, step : step + w])
