"""How a mask is worn: over nose and mouth, below the nose, or on the chin.

Read from where the mask lies in the upright crop, beside the five points. A segmenter sees more
than the detector's one label a face, which is decided on a few pixels.
"""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from uncover.crop import FaceCrop, is_on_chin, mouth_covered

Wear = Literal["worn", "nose_out", "chin"]

_BARE_NOSE = 0.2  # below so much of the nose's tip covered, and from
_BELOW_TIP = 0.2  # this height of the top edge on (`top_edge`), the nose is out

# A mask on the chin of a face that the detector calls bare. Collars, hands and beards are found as
# mask too, but without straps, with a blurred border, or with little certainty. Chosen on drawn
# masks on val faces and on bare val and train faces (docs/history.md).
_HIGHEST, _LOWEST = 1.2, 2.9  # where its top edge may be (`top_edge`)
_STRAPS = 0.002  # of the crop that it covers between eyes and mouth, with straps
_WITH_STRAPS = 0.04  # of the crop that it covers; and then either
_FRINGE = 0.5  # at most so many doubtful pixels for one of the mask's
_LIKELY = 0.75  # and at least this mean probability of the mask's, or
_MEAN = 0.86  # at least this one: beards with sideburns have less
_WITHOUT = 0.06  # of the crop that it covers without straps; and then both
_SHORT_FRINGE = 0.4
_CERTAIN = 0.8  # share of the mask's pixels with a probability over 0.9

# A worn mask on a face that the detector calls bare: a print or the colour of skin can hide it
# there. Chosen on web photos and scenes, and on bare faces of all splits (docs/history.md).
_SURE, _SURELY = 0.55, 0.95  # so many of its pixels have at least this probability
_WORN = 0.15  # of the crop that it covers


def how_worn(mask: NDArray[np.bool_], points: ArrayLike) -> Wear:
    """How a mask sits on the face; "worn" where that is not clear.

    Args:
        mask: bool (S, S), not empty, in the upright crop.
        points: (5, 2) in crop pixels, as the segmenter finds them.
    """
    if is_on_chin(mask):
        return "chin"
    if _nose(mask, points) < _BARE_NOSE and top_edge(mask, points) >= _BELOW_TIP:
        return "nose_out"
    return "worn"


def top_edge(mask: NDArray[np.bool_], points: ArrayLike) -> float:
    """Where a mask begins on the middle of the face: 0 at the tip of the nose, 1 at the mouth, more
    below it; infinity where the middle is free.

    The median over five lines that run down the face beside each other.
    """
    tip, down, across = _middle(points)
    heights = np.linspace(-1.5, 3, 181)
    firsts = []
    for aside in np.linspace(-0.3, 0.3, 5):
        at = tip + heights[:, None] * down + aside * across
        x, y = np.round(at).astype(int).T
        inside = (x >= 0) & (y >= 0) & (x < mask.shape[1]) & (y < mask.shape[0])
        on = np.zeros(len(heights), bool)
        on[inside] = mask[y[inside], x[inside]]
        firsts.append(heights[on.argmax()] if on.any() else np.inf)
    return float(np.median(firsts))


def surely_on_chin(
    probability: NDArray[np.float32],
    mask: NDArray[np.bool_],
    points: ArrayLike,
    crop: FaceCrop,
    size: tuple[int, int],
) -> bool:
    """Whether a mask hangs on the chin beyond doubt, even where the detector sees a bare face.

    Args:
        probability: float32 (S, S), the segmenter's, and mask: bool (S, S), what comes of it.
        points: (5, 2) in crop pixels.
        crop: the upright frame in a photo of size (height, width); what lies beyond the photo's
            edge does not count, there the crop shows a mirror image.
    """
    inside = _inside(crop, size)
    real = mask & inside
    if not real.any() or not is_on_chin(mask):
        return False
    if not _HIGHEST <= top_edge(real, points) <= _LOWEST:
        return False
    rows = np.clip(np.asarray(points, float)[:, 1].round().astype(int), 0, len(mask))
    straps = real[rows[:2].min() : rows[3:5].max()].sum() / mask.size >= _STRAPS
    fringe = ((probability > 0.1) & (probability < 0.5) & inside).sum() / real.sum()
    pixels = probability[real]
    if straps:
        mean = pixels.mean()
        clear = mean >= _MEAN or (fringe <= _FRINGE and mean >= _LIKELY)
        return bool(clear and real.mean() >= _WITH_STRAPS)
    clear = fringe <= _SHORT_FRINGE and (pixels > 0.9).mean() >= _CERTAIN
    return bool(clear and real.mean() >= _WITHOUT)


def surely_worn(
    probability: NDArray[np.float32],
    mask: NDArray[np.bool_],
    points: ArrayLike,
    crop: FaceCrop,
    size: tuple[int, int],
) -> bool:
    """Whether a mask covers nose and mouth beyond doubt, even where the detector sees a bare face.

    Arguments as for `surely_on_chin`.
    """
    real = mask & _inside(crop, size)
    mouth = mouth_covered(mask, np.asarray(points)) or 0.0
    if real.mean() < _WORN or min(mouth, _nose(mask, points)) < 0.9:
        return False
    return bool((probability[real] >= _SURELY).mean() >= _SURE)


def _middle(points: ArrayLike) -> tuple[NDArray[np.float64], ...]:
    """The nose's tip, the way from there to the mouth, and as far across."""
    five = np.asarray(points, np.float64)
    tip, mouth = five[2], five[3:5].mean(0)
    down = mouth - tip
    return tip, down, np.array([-down[1], down[0]])


def _nose(mask: NDArray[np.bool_], points: ArrayLike) -> float:
    """Share of the nose's tip that a mask covers."""
    tip = tuple(round(float(v)) for v in np.asarray(points)[2])
    disc = np.zeros(mask.shape, np.uint8)
    cv2.circle(disc, tip, max(1, round(0.03 * mask.shape[0])), 1, -1)
    inside = disc > 0
    return float(mask[inside].mean()) if inside.any() else 0.0


def _inside(crop: FaceCrop, size: tuple[int, int]) -> NDArray[np.bool_]:
    """The crop pixels, bool (S, S), that show the photo."""
    height, width = size
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]]) - 0.5
    plane = np.zeros((crop.size, crop.size), np.uint8)
    cv2.fillConvexPoly(plane, crop.to_crop(corners).round().astype(np.int32), 1)
    return plane > 0
