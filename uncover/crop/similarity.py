"""Similarities of the plane: fitted to points, and pictures shrunk before they are warped."""

from __future__ import annotations

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from uncover.errors import UncoverError

Pixel = TypeVar("Pixel", bound=np.generic)


def fit_similarity(source: ArrayLike, target: ArrayLike) -> NDArray[np.float64]:
    """Least-squares similarity (rotation, uniform scale, shift; no reflection): source -> target.

    This is the optimum of Umeyama, "Least-squares estimation of transformation parameters between
    two point patterns" (1991). In the plane a similarity without reflection is z -> a z + b over
    the complex numbers, so the optimum has a closed form and holds for any rotation.

    Args:
        source, target: (N, 2) points, N >= 2.

    Returns:
        float64 (2, 3) matrix.

    Raises:
        UncoverError: the points are not finite, or they coincide so that no scale is defined.
    """
    src = np.asarray(source, np.float64)
    dst = np.asarray(target, np.float64)
    if src.ndim != 2 or src.shape != dst.shape or src.shape[1] != 2 or len(src) < 2:
        raise UncoverError(f"need two equal lists of at least 2 points, got {src.shape}")
    if not (np.isfinite(src).all() and np.isfinite(dst).all()):
        raise UncoverError("face points are not finite numbers")
    p = src[:, 0] + 1j * src[:, 1]
    q = dst[:, 0] + 1j * dst[:, 1]
    p0, q0 = p.mean(), q.mean()
    spread = float(np.sum(np.abs(p - p0) ** 2))
    if spread < 1e-6:
        raise UncoverError("face points coincide: no crop can be fitted to them")
    a = complex(np.sum(np.conj(p - p0) * (q - q0)) / spread)
    if abs(a) < 1e-9:
        raise UncoverError("face points are degenerate: no crop can be fitted to them")
    b = q0 - a * p0
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def area_shrink(
    matrix: NDArray[np.float64], image: NDArray[Pixel], scale: float
) -> tuple[NDArray[np.float64], NDArray[Pixel]]:
    """Shrink `image` by about `scale` with area averaging; give the 3x3 matrix for the result."""
    height, width = image.shape[:2]
    new_w = max(1, round(width * scale))
    new_h = max(1, round(height * scale))
    fx, fy = width / new_w, height / new_h
    small = cv2.resize(image, (new_w, new_h), interpolation=cv2.INTER_AREA)
    grow = np.array([[fx, 0, 0.5 * fx - 0.5], [0, fy, 0.5 * fy - 0.5], [0, 0, 1]])
    return matrix @ grow, small
