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
_WORK_SIDE = 96  # the feathered correction is smooth, so it is solved at about this resolution
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


def patch_from_mask(mask: NDArray[np.bool_]) -> Patch:
    """A patch that paints exactly where `mask`, bool (H, W), is True."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    rect = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    x0, y0, x1, y1 = rect
    return Patch(rect, mask[y0:y1, x0:x1].astype(np.float32))


def spared(patch: Patch, own: Sequence[float], others: Sequence[Sequence[float]]) -> Patch | None:
    """The patch without the pixels in other faces' boxes that its own face's box does not share.

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

    alpha = patch.alpha
    for other in others:
        alpha = np.where(inside(other) & ~inside(own), np.float32(0), alpha)
    return Patch(patch.rect, alpha) if alpha.any() else None


def paste(
    photo: NDArray[np.uint8],
    filled: NDArray[np.uint8],
    crop: FaceCrop,
    patch: Patch,
    blend: Blend = "feather",
) -> None:
    """Paint a generated crop into `photo`, in place; pixels outside `patch` are not touched.

    Both ways correct the step in colour and light at the border: the difference between photo and
    generated picture just outside the painted pixels is carried inwards as a harmonic function (a
    membrane, as in Perez et al., "Poisson image editing", 2003).

    feather: the difference is smoothed and fades with the distance from the border, and the
    patch's soft weights blend its outer ring with the true skin.
    poisson: the difference is exact to the pixel and does not fade, and all painted pixels are
    replaced. Where the patch touches the picture's edge the gradient is left free.

    Args:
        photo: uint8 (H, W, 3).
        filled: uint8 (S, S, 3), the generator's whole crop, its own pixels everywhere.
        crop: where the crop lies in the photo.
        patch: what to paint.
    """
    height, width = photo.shape[:2]
    side = crop.size / crop.scale
    ring_width = max(2, round(_RING * side)) if blend == "feather" else 1
    x0, y0, x1, y1 = patch.rect
    reach = ring_width + 1
    outer = max(0, x0 - reach), max(0, y0 - reach), min(width, x1 + reach), min(height, y1 + reach)
    alpha = np.zeros((outer[3] - outer[1], outer[2] - outer[0]), np.float32)
    inner = np.s_[y0 - outer[1] : y1 - outer[1], x0 - outer[0] : x1 - outer[0]]
    alpha[inner] = patch.alpha
    painted = alpha > 0
    known = photo[outer[1] : outer[3], outer[0] : outer[2]].astype(np.float32)
    generated = crop.place(filled, outer).astype(np.float32)
    covered = crop.place(np.ones((crop.size, crop.size), np.float32), outer, outside=0.0) > 0.99
    ring = _grow(painted, ring_width) & ~painted & covered
    step = np.clip(known - generated, -_LARGEST_STEP, _LARGEST_STEP)
    if blend == "feather":
        generated += _smooth_correction(step, ring, painted, _REACH * side)
        weight = alpha[inner][..., None]
    else:
        generated += _harmonic(step, ring, painted)
        weight = np.float32(1)
    mixed = known[inner] + weight * (generated[inner] - known[inner])
    result = np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
    target = photo[y0:y1, x0:x1]
    np.copyto(target, result, where=patch.painted[..., None])


def _grow(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
    return cv2.dilate(mask.astype(np.uint8), kernel) > 0


def _smooth_correction(
    step: NDArray[np.float32],
    ring: NDArray[np.bool_],
    painted: NDArray[np.bool_],
    reach: float,
) -> NDArray[np.float32]:
    """The step on the ring, carried over the painted pixels with fall-off; float32 (h, w, 3)."""
    if not ring.any():
        return np.zeros_like(step)
    height, width = ring.shape
    shrink = max(1.0, max(height, width) / _WORK_SIDE)
    small = max(1, round(width / shrink)), max(1, round(height / shrink))
    weight = cv2.resize(ring.astype(np.float32), small, interpolation=cv2.INTER_AREA)
    total = cv2.resize(step * ring[..., None], small, interpolation=cv2.INTER_AREA)
    blur = {"ksize": (0, 0), "sigmaX": 1.5, "borderType": cv2.BORDER_REFLECT_101}
    near = weight > 0.02
    average = cv2.GaussianBlur(total, **blur)
    average /= np.maximum(cv2.GaussianBlur(weight, **blur), 1e-4)[..., None]
    carried = _harmonic(average, near, ~near)
    full = cv2.resize(carried, (width, height), interpolation=cv2.INTER_LINEAR)
    depth = cv2.distanceTransform(painted.astype(np.uint8), cv2.DIST_L2, 3)
    fade = _KEPT + (1 - _KEPT) * np.exp(-depth / max(reach, 1.0))
    return full * fade[..., None]


def _harmonic(
    values: NDArray[np.float32],
    fixed: NDArray[np.bool_],
    free: NDArray[np.bool_],
    sweeps: int = 24,
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
        coarse = _harmonic(average, coarse_fixed, coarse_free & ~coarse_fixed, sweeps)
        start = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    solution = held + start * free[..., None]
    domain = (fixed | free).astype(np.float32)
    cross = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32)
    border = cv2.BORDER_CONSTANT
    neighbours = cv2.filter2D(domain, -1, cross, borderType=border)
    gain = (free / np.maximum(neighbours, 1))[..., None].astype(np.float32)
    for _ in range(sweeps):
        solution = cv2.filter2D(solution, -1, cross, borderType=border)
        solution *= gain
        solution += held
    return solution
