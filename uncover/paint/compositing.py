"""Putting a generated crop back into a photo: only painted pixels change, and no edge shows."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from uncover.crop import FaceCrop, Patch
from uncover.paint.grain import with_grain
from uncover.settings import Blend


@dataclass(frozen=True)
class Matching:
    """How the colours of a generated crop are drawn to the photo's; what the numbers were chosen
    on was not written down, docs/history.md compares the outcome with other blends.

    Attributes:
        ring: width of the strip of true skin that colours are compared on, in crop sides.
        reach: how far inwards a correction carries, in crop sides.
        kept: the part of it that carries all the way.
        work_side: the correction is smooth, so it is solved at about this resolution (pixels a
            side).
        known: there a pixel's colour is known when more than this share of it lies in the strip.
        blur: sigma, in pixels there, over which the strip's differences are averaged.
        largest_step: a larger difference, in levels, is another thing (hair, cloth), not another
            light.
    """

    ring: float = 0.03
    reach: float = 0.25
    kept: float = 0.4
    work_side: int = 64
    known: float = 0.02
    blur: float = 1.5
    largest_step: float = 56.0


@dataclass(frozen=True)
class Edges:
    """How an enlarged crop is sharpened; `amount` was chosen by LPIPS on 40 photos and holds on
    others (docs/history.md).

    Attributes:
        amount: so much of what a blur by one of the crop's pixels takes is added.
        rise: from an enlargement of 1 to one of 1 plus this the amount rises to its whole.
    """

    amount: float = 0.5
    rise: float = 0.4


@dataclass(frozen=True)
class Sweeps:
    """How often the solver of Laplace's equation sweeps over a level; what these were chosen on was
    not written down.

    The start is right but for the finest detail, so large levels need few sweeps.

    Attributes:
        many: sweeps over a level of at most `small` pixels a side.
        few: sweeps over a larger one.
    """

    many: int = 24
    few: int = 8
    small: int = 256


MATCHING, EDGES, SWEEPS = Matching(), Edges(), Sweeps()


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
    ring = (distance > 0) & (distance <= max(2.0, MATCHING.ring * side))
    if not ring.any() or not hole.any():
        return filled
    # cv2's own arithmetic is several times as fast as numpy's where three channels share a weight.
    step = cv2.subtract(seen, filled, dtype=cv2.CV_32F)
    np.clip(step, -MATCHING.largest_step, MATCHING.largest_step, out=step)
    strip = ring.astype(np.float32)
    step = cv2.multiply(step, cv2.merge([strip] * 3))
    small = (min(side, MATCHING.work_side),) * 2
    weight = cv2.resize(strip, small, interpolation=cv2.INTER_AREA)
    total = cv2.resize(step, small, interpolation=cv2.INTER_AREA)
    near = weight > MATCHING.known
    average = cv2.GaussianBlur(total, (0, 0), MATCHING.blur)
    average /= np.maximum(cv2.GaussianBlur(weight, (0, 0), MATCHING.blur), 1e-4)[..., None]
    carried = cv2.resize(_harmonic(average, near, ~near), (side, side))
    depth = cv2.distanceTransform(hole.view(np.uint8), cv2.DIST_L2, 3)
    fade = MATCHING.kept + (1 - MATCHING.kept) * np.exp(
        depth * np.float32(-1 / (MATCHING.reach * side))
    )
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
        placed = with_edges(crop.place(picture, patch.rect), crop)
        placed = with_grain(placed, photo, crop, patch)
        result = cv2.blendLinear(placed, np.ascontiguousarray(target), patch.alpha, 1 - patch.alpha)
    else:
        placed = with_edges(_poisson(photo, picture, crop, patch), crop)
        result = with_grain(placed, photo, crop, patch)
    cv2.copyTo(result, patch.painted.view(np.uint8), target)


def with_edges(placed: NDArray[np.uint8], crop: FaceCrop) -> NDArray[np.uint8]:
    """A picture that was enlarged to a photo's size, its edges sharpened (unsharp masking).

    Args:
        placed: uint8 (h, w, 3).
        crop: how the picture was placed; where nothing is enlarged, nothing changes.
    """
    zoom = 1 / crop.scale
    amount = EDGES.amount * float(np.clip((zoom - 1) / EDGES.rise, 0, 1))
    if amount == 0:
        return placed
    blurred = cv2.GaussianBlur(placed, (0, 0), zoom)
    return cv2.addWeighted(placed, 1 + amount, blurred, -amount, 0)


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
    for _ in range(SWEEPS.many if max(height, width) <= SWEEPS.small else SWEEPS.few):
        solution = cv2.filter2D(solution, -1, cross, borderType=border)
        solution *= gain
        solution += held
    return solution
