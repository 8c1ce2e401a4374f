"""Putting a generated crop back into a photo: only painted pixels change, and no edge shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from .geometry import FaceCrop, Rect

Blend = Literal["feather", "poisson"]
BLENDS: tuple[str, ...] = get_args(Blend)

_RING = 0.03  # width of the strip of true skin that colours are compared on, in crop sides
_REACH = 0.25  # how far inwards a colour correction carries, in crop sides
_KEPT = 0.4  # the part of it that carries all the way
_SPARED_FADE = 0.05  # width of the fade beside what is spared, in sides of the face's box
_WORK_SIDE = 64  # the feathered correction is smooth, so it is solved at about this resolution
_LARGEST_STEP = 56.0  # a larger difference is another thing (hair, cloth), not another light


@dataclass(frozen=True, eq=False)
class Patch:
    """The pixels of a photo to paint.

    Attributes:
        rect: the photo rectangle (x0, y0, x1, y1).
        alpha: float32 (h, w) in 0..1, the weight of the painted picture; 0 = not painted.
    """

    rect: Rect
    alpha: NDArray[np.float32]

    @property
    def painted(self) -> NDArray[np.bool_]:
        """bool (h, w)."""
        return self.alpha > 0


def patch_from_crop(
    alpha: NDArray[np.float32], crop: FaceCrop, width: int, height: int
) -> Patch | None:
    """Carry crop weights float32 (S, S) to the photo; None when nothing falls inside it."""
    rows, columns = np.flatnonzero(alpha.any(1)), np.flatnonzero(alpha.any(0))
    if not len(rows):
        return None
    x, y = columns[[0, -1]] + (-1, 1), rows[[0, -1]] + (-1, 1)
    corners = crop.to_photo([[x[0], y[0]], [x[1], y[0]], [x[1], y[1]], [x[0], y[1]]])
    lo = np.maximum(np.floor(corners.min(0)).astype(int), 0)
    hi = np.minimum(np.ceil(corners.max(0)).astype(int) + 1, (width, height))
    if (hi <= lo).any():
        return None
    rect = (int(lo[0]), int(lo[1]), int(hi[0]), int(hi[1]))
    placed = np.clip(crop.place(alpha, rect, outside=0.0), 0, 1).astype(np.float32)
    placed[placed < 1 / 256] = 0
    return Patch(rect, placed) if placed.any() else None


def spared(patch: Patch, own: Sequence[float], others: Sequence[Sequence[float]]) -> Patch | None:
    """The patch without the pixels in other faces' boxes that its own face's box does not share;
    beside those it fades.

    Args:
        patch: what was to be painted.
        own, others: boxes (x0, y0, x1, y1) in photo pixels.

    Returns:
        What is left of the patch; None when nothing is.
    """
    x0, y0, x1, y1 = patch.rect
    rows, columns = np.arange(y0, y1)[:, None], np.arange(x0, x1)[None, :]

    def inside(box: Sequence[float]) -> NDArray[np.bool_]:
        return (columns >= box[0]) & (columns < box[2]) & (rows >= box[1]) & (rows < box[3])

    forbidden = np.zeros(patch.alpha.shape, bool)
    for other in others:
        forbidden |= inside(other) & ~inside(own)
    if not (forbidden & patch.painted).any():
        return patch
    fade = _SPARED_FADE * min(own[2] - own[0], own[3] - own[1])
    distance = cv2.distanceTransform((~forbidden).view(np.uint8), cv2.DIST_L2, 3)
    alpha = patch.alpha * np.clip(distance / max(fade, 1.0), 0, 1)
    return Patch(patch.rect, alpha) if alpha.any() else None


def match_colours(
    filled: NDArray[np.uint8], seen: NDArray[np.uint8], hole: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Shift the colours of a generated crop so that it meets the photo without a step.

    The difference between photo and generated picture in a narrow strip around the hole is
    smoothed, carried over the hole as a harmonic function (a membrane, as in Perez et al.,
    "Poisson image editing", 2003), and fades with the distance from the border.

    Args:
        filled: uint8 (S, S, 3), the generator's whole crop, its own pixels everywhere.
        seen: uint8 (S, S, 3), the crop of the photo.
        hole: bool (S, S), what was hidden from the generator.

    Returns:
        uint8 (S, S, 3).
    """
    side = hole.shape[0]
    distance = cv2.distanceTransform((~hole).view(np.uint8), cv2.DIST_L2, 3)
    ring = (distance > 0) & (distance <= max(2.0, _RING * side))
    if not ring.any() or not hole.any():
        return filled
    # cv2's own arithmetic is several times as fast as numpy's where three channels share a weight.
    step = cv2.subtract(seen, filled, dtype=cv2.CV_32F)
    np.clip(step, -_LARGEST_STEP, _LARGEST_STEP, out=step)
    strip = ring.astype(np.float32)
    step = cv2.multiply(step, cv2.merge([strip] * 3))
    small = (min(side, _WORK_SIDE),) * 2
    weight = cv2.resize(strip, small, interpolation=cv2.INTER_AREA)
    total = cv2.resize(step, small, interpolation=cv2.INTER_AREA)
    near = weight > 0.02
    average = cv2.GaussianBlur(total, (0, 0), 1.5)
    average /= np.maximum(cv2.GaussianBlur(weight, (0, 0), 1.5), 1e-4)[..., None]
    carried = cv2.resize(_harmonic(average, near, ~near), (side, side))
    depth = cv2.distanceTransform(hole.view(np.uint8), cv2.DIST_L2, 3)
    fade = _KEPT + (1 - _KEPT) * np.exp(depth * np.float32(-1 / (_REACH * side)))
    carried = cv2.multiply(carried, cv2.merge([fade.astype(carried.dtype)] * 3))
    return cv2.add(filled, carried, dtype=cv2.CV_8U)


def paste(
    photo: NDArray[np.uint8],
    picture: NDArray[np.uint8],
    crop: FaceCrop,
    patch: Patch,
    blend: Blend = "feather",
) -> None:
    """Paint a generated crop into `photo`, in place; pixels outside `patch` are not touched.

    feather: the patch's soft weights blend its outer ring with the true skin; give a picture that
    went through `match_colours`.
    poisson: all painted pixels are replaced, and the difference at their border, exact to the
    pixel, is carried inwards without fading, which solves Poisson's equation for the picture's
    own gradients. Where the patch touches the photo's edge the gradient is left free.

    Args:
        photo: uint8 (H, W, 3).
        picture: uint8 (S, S, 3), the whole crop, generated everywhere.
        crop: where the crop lies in the photo.
        patch: what to paint.
    """
    x0, y0, x1, y1 = patch.rect
    target = photo[y0:y1, x0:x1]
    if blend == "feather":
        placed = crop.place(picture, patch.rect)
        result = cv2.blendLinear(placed, np.ascontiguousarray(target), patch.alpha, 1 - patch.alpha)
    else:
        result = _poisson(photo, picture, crop, patch)
    cv2.copyTo(result, patch.painted.view(np.uint8), target)


def _poisson(
    photo: NDArray[np.uint8], picture: NDArray[np.uint8], crop: FaceCrop, patch: Patch
) -> NDArray[np.uint8]:
    height, width = photo.shape[:2]
    x0, y0, x1, y1 = patch.rect
    left, top = min(x0, 1), min(y0, 1)  # one pixel of true photo all around, where there is one
    outer = x0 - left, y0 - top, min(width, x1 + 1), min(height, y1 + 1)
    right, bottom = outer[2] - x1, outer[3] - y1
    painted = np.pad(patch.painted, ((top, bottom), (left, right)))
    placed = crop.place(picture, outer).astype(np.float32)
    known = photo[outer[1] : outer[3], outer[0] : outer[2]]
    grown = cv2.dilate(painted.view(np.uint8), np.ones((3, 3), np.uint8)) > 0
    placed += _harmonic(known - placed, grown & ~painted, painted)
    inner = placed[top : top + y1 - y0, left : left + x1 - x0]
    return np.clip(np.rint(inner), 0, 255).astype(np.uint8)


def _harmonic(
    values: NDArray[np.float32],
    fixed: NDArray[np.bool_],
    free: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """Solve Laplace's equation on `free` with `values` given on `fixed`, coarse to fine.

    Pixels that are neither take no part (zero normal gradient there and at the array's edge).

    Args:
        values: float32 (h, w, C).
        fixed, free: bool (h, w), disjoint.

    Returns:
        float32 (h, w, C): `values` on `fixed`, the solution on `free`, 0 elsewhere.
    """
    held = values * fixed[..., None]
    height, width = fixed.shape
    if not fixed.any() or not free.any():
        return held
    if max(height, width) <= 4:
        start = np.broadcast_to(held.sum((0, 1)) / fixed.sum(), held.shape)
    else:
        half = (width + 1) // 2, (height + 1) // 2
        weight = cv2.resize(fixed.astype(np.float32), half, interpolation=cv2.INTER_AREA)
        total = cv2.resize(held, half, interpolation=cv2.INTER_AREA)
        coarse_fixed = weight > 0
        coarse_free = cv2.resize(free.astype(np.float32), half, interpolation=cv2.INTER_AREA) > 0
        average = total / np.maximum(weight, 1e-6)[..., None]
        coarse = _harmonic(average, coarse_fixed, coarse_free & ~coarse_fixed)
        start = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    solution = held + start * free[..., None]
    domain = (fixed | free).astype(np.float32)
    cross = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32)
    border = cv2.BORDER_CONSTANT
    neighbours = cv2.filter2D(domain, -1, cross, borderType=border)
    gain = cv2.merge([(free / np.maximum(neighbours, 1)).astype(np.float32)] * values.shape[2])
    gain, held = gain.astype(solution.dtype), held.astype(solution.dtype)  # not anew every sweep
    # The start is right but for the finest detail, so large levels need few sweeps.
    for _ in range(24 if max(height, width) <= 256 else 8):
        solution = cv2.filter2D(solution, -1, cross, borderType=border)
        solution *= gain
        solution += held
    return solution
