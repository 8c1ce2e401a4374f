"""Framing faces: from a rough crop to the canonical one, and around a mask given by hand."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from uncover.crop.geometry import TEMPLATE_5, FaceCrop
from uncover.crop.regions import opened
from uncover.errors import UncoverError
from uncover.faces import five_points

Box = tuple[float, float, float, float]
"""(x0, y0, x1, y1) in photo pixels."""

WHOLE_FACE = np.array([0.14, -0.02, 0.86, 0.9])
"""The box (x0, y0, x1, y1) around a whole face in its canonical crop, in crop sides; what it was
chosen on was not written down."""


@dataclass(frozen=True)
class Believable:
    """How far points may be from where the rough crop expects them; what these were chosen on was
    not written down.

    Attributes:
        smallest, largest: the true crop's scale over the rough one's.
        shift: of its centre, in crop sides.
        misfit: root mean square distance from the template after fitting, in crop sides.
        turn: of its upright, in degrees.
    """

    smallest: float = 0.55
    largest: float = 1.8
    shift: float = 0.35
    misfit: float = 0.09
    turn: float = 100.0


BELIEVABLE = Believable()


@dataclass(frozen=True)
class Settled:
    """From where on a frame counts as moved: by so much of its side, or its scale by this factor.

    Chosen on 77 photos of real masks: a second look moves nine frames in ten by less, and a third
    one hardly any.
    """

    shift: float = 0.02
    zoom: float = 1.05


@dataclass(frozen=True)
class WornMask:
    """How a mask that is worn lies in its face's frame: by it the frame is guessed.

    Set by eye on real photos; not measured one by one.

    Attributes:
        tie: what is narrower than this, times the root of the mask's area, is no part of its body.
        longest: of its body's height, in its widths, what goes beyond this hangs below the chin.
        width, height: of the body, in crop sides.
        centre_x, centre_y: of the body, in crop sides.
        least: smallest side of a frame that is guessed, in photo pixels.
    """

    tie: float = 0.25
    longest: float = 1.2
    width: float = 0.62
    height: float = 0.56
    centre_x: float = 0.5
    centre_y: float = 0.63
    least: float = 4.0


@dataclass(frozen=True)
class SameFrame:
    """When two frames hold one face.

    A detector finds the halves of a large face, too, with boxes that hardly overlap; their points
    lead to the same crop all the same. Of 1,611 photos two held such pairs, whose whole faces
    overlapped by 0.88 and 0.93; no other pair of fills by more than 0.27.

    Attributes:
        overlap: the whole faces that they stand for overlap by more than this (intersection over
            union).
    """

    overlap: float = 0.6


SETTLED, WORN_MASK, SAME_FRAME = Settled(), WornMask(), SameFrame()


def refine(rough: FaceCrop, points: ArrayLike) -> FaceCrop | None:
    """The canonical crop that `points` give, or None when they cannot be right.

    Args:
        rough: the crop in which the points were found.
        points: (5, 2) in pixels of `rough`.
    """
    try:
        fitted = FaceCrop.from_points(rough.to_photo(points), rough.size)
    except UncoverError:
        return None
    size = rough.size
    misfit = fitted.to_crop(rough.to_photo(points)) - TEMPLATE_5 * size
    rms = float(np.sqrt(np.mean(np.sum(misfit**2, axis=1)))) / size
    zoom = fitted.scale / rough.scale
    centre = rough.to_crop(fitted.to_photo([[size / 2, size / 2]]))[0]
    shift = float(np.linalg.norm(centre - size / 2)) / size
    turn = abs((fitted.roll - rough.roll + 180) % 360 - 180)
    believable = (
        BELIEVABLE.smallest <= zoom <= BELIEVABLE.largest
        and shift <= BELIEVABLE.shift
        and rms <= BELIEVABLE.misfit
        and turn <= BELIEVABLE.turn
    )
    return fitted if believable else None


def moved(crop: FaceCrop, points: ArrayLike) -> FaceCrop | None:
    """The canonical crop that the points found in another one give, where it lies far from that.

    Args:
        crop: framed by points of an earlier look.
        points: (5, 2) in pixels of `crop`.
    """
    fitted = refine(crop, points)
    if fitted is None:
        return None
    size = crop.size
    centre = crop.to_crop(fitted.to_photo([[size / 2, size / 2]]))[0]
    shift = float(np.linalg.norm(centre - size / 2)) / size
    zoom = abs(float(np.log(fitted.scale / crop.scale)))
    return fitted if shift > SETTLED.shift or zoom > np.log(SETTLED.zoom) else None


def frame_face(landmarks68: ArrayLike, size: int) -> FaceCrop:
    """The canonical crop of a bare face: how training, scores and page frame one, whatever else its
    photo shows. The pipeline frames masked faces by the same five points, found by the segmenter.

    Args:
        landmarks68: (68, 2) in photo pixels.
        size: side of the crop in pixels.

    Raises:
        ValueError: not 68 finite points.
        UncoverError: they lie in one place.
    """
    return FaceCrop.from_points(five_points(np.asarray(landmarks68)), size)


def frame_around_mask(mask: NDArray[np.bool_], size: int, at: tuple[int, int] = (0, 0)) -> FaceCrop:
    """Guess the face's frame from a worn mask, which spans the bridge of the nose to the chin.

    Args:
        mask: bool (h, w), not empty; a photo's, or a rectangle of it.
        size: side of the crop in pixels.
        at: the rectangle's first pixel (x, y).
    """
    body = _without_ties(mask)
    rows, columns = np.flatnonzero(body.any(1)), np.flatnonzero(body.any(0))
    width, height = columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1
    height = min(height, WORN_MASK.longest * width)
    side = max(width / WORN_MASK.width, height / WORN_MASK.height, WORN_MASK.least)
    scale = size / side
    centre = np.array([columns[[0, -1]].mean(), rows[0] + (height - 1) / 2]) + at
    shift = np.array([WORN_MASK.centre_x, WORN_MASK.centre_y]) * size - scale * centre
    return FaceCrop(np.array([[scale, 0, shift[0]], [0, scale, shift[1]]]), size)


def _without_ties(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A mask, bool (h, w), without what is narrow: ties, loops and bands."""
    radius = round(WORN_MASK.tie * np.sqrt(np.count_nonzero(mask)) / 2)
    reach = 2 * radius + 1
    body = opened(np.pad(mask, reach), radius)[reach:-reach, reach:-reach]
    return body if body.any() else mask


def widened_to(
    crop: FaceCrop,
    mask: NDArray[np.bool_],
    margin: float = 0.02,
    at: tuple[int, int] = (0, 0),
) -> FaceCrop:
    """The crop, zoomed out just so far that all of `mask` lies inside it.

    Args:
        crop: the face's frame.
        mask: bool (h, w), not empty; a photo's, or a rectangle of it.
        margin: room to leave around it, as a fraction of the crop's side.
        at: the rectangle's first pixel (x, y).
    """
    contours, _ = cv2.findContours(
        mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE, offset=at
    )
    points = crop.to_crop(np.concatenate(contours)[:, 0])
    pad = margin * crop.size
    lo = np.minimum(points.min(0) - pad, 0)
    hi = np.maximum(points.max(0) + pad, crop.size)
    if (lo == 0).all() and (hi == crop.size).all():
        return crop
    zoom = crop.size / float((hi - lo).max())
    matrix = crop.matrix * zoom
    matrix[:, 2] += crop.size / 2 - zoom * (lo + hi) / 2
    return FaceCrop(matrix, crop.size)


def overlap(box: ArrayLike, other: ArrayLike) -> float:
    """Intersection over union of two boxes (x0, y0, x1, y1).

    As torchvision's `box_iou`; that needs PyTorch, and photos are also filled without.
    """
    a, b = np.asarray(box, float), np.asarray(other, float)
    sides = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0)
    shared = float(sides.prod())
    union = float((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod()) - shared
    return shared / union if union > 0 else 0.0


def mask_overlap(mask: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Intersection over union of two masks of one size; 1 where both are empty."""
    either = int((mask | other).sum())
    return int((mask & other).sum()) / either if either else 1.0


def whole_face(crop: FaceCrop) -> Box:
    """The whole-face box that a canonical crop stands for; it may leave the photo."""
    corners = crop.to_photo(WHOLE_FACE[[[0, 1], [2, 1], [2, 3], [0, 3]]] * crop.size)
    (x0, y0), (x1, y1) = corners.min(0), corners.max(0)
    return float(x0), float(y0), float(x1), float(y1)


def face_box(crop: FaceCrop, width: int, height: int) -> Box:
    """The same, clipped to the photo."""
    x0, y0, x1, y1 = np.clip(whole_face(crop), 0, (width, height) * 2)
    return float(x0), float(y0), float(x1), float(y1)


def is_same_face(crop: FaceCrop, other: FaceCrop) -> bool:
    """Whether two canonical crops frame one face (`SameFrame`)."""
    return overlap(whole_face(crop), whole_face(other)) > SAME_FRAME.overlap
