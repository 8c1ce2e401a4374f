"""How a mask is worn: over nose and mouth, below the nose, or on the chin.

Read from where the mask lies in the upright crop, beside the five points. A segmenter sees more
than the detector's one label a face, which is decided on a few pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from uncover.crop import FaceCrop, is_on_chin, mouth_covered

Wear = Literal["worn", "nose_out", "chin"]


@dataclass(frozen=True)
class NoseOut:
    """When a mask leaves the nose free; counted on drawn masks and on OMI's (docs/history.md).

    Attributes:
        covered: below so much of the nose's tip covered, and
        begins: from this height of the top edge on (`top_edge`), it does.
    """

    covered: float = 0.2
    begins: float = 0.2


@dataclass(frozen=True)
class OnChin:
    """When a mask surely hangs on the chin of a face that the detector calls bare.

    Collars, hands and beards are found as mask too, but without straps, with a blurred border, or
    with little certainty. Chosen on drawn masks on val faces and on bare val and train faces
    (docs/history.md).

    Attributes:
        highest, lowest: where its top edge may be (`top_edge`).
        straps: a mask that covers so much of the crop between eyes and mouth has straps.
        with_straps: such a one covers so much of the crop, and either
        fringe: has at most so many doubtful pixels for one of its own
        likely: and at least this mean probability, or
        mean: has at least this one: beards with sideburns have less.
        without_straps: another one covers so much of the crop, and
        short_fringe: has at most so many doubtful pixels for one of its own,
        certain: and a probability over .9 on this share of its pixels.
    """

    highest: float = 1.2
    lowest: float = 2.9
    straps: float = 0.002
    with_straps: float = 0.04
    fringe: float = 0.5
    likely: float = 0.75
    mean: float = 0.86
    without_straps: float = 0.06
    short_fringe: float = 0.4
    certain: float = 0.8


@dataclass(frozen=True)
class Worn:
    """When a mask is surely worn on a face that the detector calls bare.

    A print or the colour of skin can hide it there. Chosen on web photos and scenes, and on bare
    faces of all splits (docs/history.md).

    Attributes:
        covered: of the crop that it covers, at least.
        share, probability: so many of its pixels have at least this probability.
        features: of mouth and nose it covers at least this share.
    """

    covered: float = 0.15
    share: float = 0.55
    probability: float = 0.95
    features: float = 0.9


NOSE_OUT, CHIN_LIMITS, WORN = NoseOut(), OnChin(), Worn()


def how_worn(mask: NDArray[np.bool_], points: ArrayLike) -> Wear:
    """How a mask sits on the face; "worn" where that is not clear.

    Args:
        mask: bool (S, S), not empty, in the upright crop.
        points: (5, 2) in crop pixels, as the segmenter finds them.
    """
    if is_on_chin(mask):
        return "chin"
    if _nose(mask, points) < NOSE_OUT.covered and top_edge(mask, points) >= NOSE_OUT.begins:
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
    if not CHIN_LIMITS.highest <= top_edge(real, points) <= CHIN_LIMITS.lowest:
        return False
    rows = np.clip(np.asarray(points, float)[:, 1].round().astype(int), 0, len(mask))
    straps = real[rows[:2].min() : rows[3:5].max()].sum() / mask.size >= CHIN_LIMITS.straps
    fringe = ((probability > 0.1) & (probability < 0.5) & inside).sum() / real.sum()
    pixels = probability[real]
    if straps:
        mean = pixels.mean()
        clear = mean >= CHIN_LIMITS.mean or (
            fringe <= CHIN_LIMITS.fringe and mean >= CHIN_LIMITS.likely
        )
        return bool(clear and real.mean() >= CHIN_LIMITS.with_straps)
    clear = fringe <= CHIN_LIMITS.short_fringe and (pixels > 0.9).mean() >= CHIN_LIMITS.certain
    return bool(clear and real.mean() >= CHIN_LIMITS.without_straps)


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
    if real.mean() < WORN.covered or min(mouth, _nose(mask, points)) < WORN.features:
        return False
    return bool((probability[real] >= WORN.probability).mean() >= WORN.share)


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
