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
    """When a mask leaves the nose free: it covers little of the nose's tip and begins low.

    `covered` and `begins` were counted on drawn masks and on OMI's (docs/history.md); what `tip`
    was chosen on was not written down.

    Attributes:
        covered: it covers less than this share of the nose's tip.
        begins: its top edge (`top_edge`) lies at this height or lower.
        tip: radius of the disc that counts as the nose's tip, in crop sides.
    """

    covered: float = 0.2
    begins: float = 0.2
    tip: float = 0.03


@dataclass(frozen=True)
class EdgeLines:
    """The lines down the middle of a face on which `top_edge` looks for a mask.

    What these were chosen on was not written down.

    Attributes:
        above, below: where the lines begin and end; 0 at the nose's tip, 1 at the mouth.
        steps: places looked at on each line.
        aside: how far the outer lines lie beside the middle, in ways from nose to mouth.
        count: how many lines there are.
    """

    above: float = -1.5
    below: float = 3.0
    steps: int = 181
    aside: float = 0.3
    count: int = 5


@dataclass(frozen=True)
class ChinLimits:
    """When a mask surely hangs on the chin of a face that the detector calls bare.

    Collars, hands and beards are found as mask too, but without straps, with a blurred border, or
    with little certainty. A mask with straps is believed when it is certain, or when it is likely
    and its border is clear. One without straps must be larger, certain and clear.

    Chosen on drawn masks on val faces and on bare val and train faces (docs/history.md).

    Attributes:
        highest, lowest: its top edge (`top_edge`) lies between these heights.
        straps: it has straps when at least this share of the crop is mask between eyes and mouth.
        doubt, no_doubt: pixels between these probabilities are doubtful: they make a border
            blurred.
        with_straps: a mask with straps covers at least this share of the crop.
        fringe: its border is clear with at most so many doubtful pixels for each pixel of mask.
        likely: it is likely from this mean probability of its pixels on.
        mean: it is certain from this mean on; beards with sideburns have less.
        without_straps: a mask without straps covers at least this share of the crop.
        short_fringe: its border is clear with at most so many doubtful pixels for each pixel.
        sure: pixels above this probability are sure.
        certain: it is certain when at least this share of its pixels is sure.
    """

    highest: float = 1.2
    lowest: float = 2.9
    straps: float = 0.002
    doubt: float = 0.1
    no_doubt: float = 0.5
    with_straps: float = 0.04
    fringe: float = 0.5
    likely: float = 0.75
    mean: float = 0.86
    without_straps: float = 0.06
    short_fringe: float = 0.4
    sure: float = 0.9
    certain: float = 0.8


@dataclass(frozen=True)
class Worn:
    """When a mask is surely worn on a face that the detector calls bare.

    A print or the colour of skin can hide it there. Chosen on web photos and scenes, and on bare
    faces of all splits (docs/history.md).

    Attributes:
        covered: it covers at least this share of the crop.
        probability: pixels of at least this probability are sure.
        share: at least this share of its pixels is sure.
        features: it covers at least this share of the mouth and of the nose's tip.
    """

    covered: float = 0.15
    share: float = 0.55
    probability: float = 0.95
    features: float = 0.9


NOSE_OUT, EDGE_LINES, CHIN_LIMITS, WORN = NoseOut(), EdgeLines(), ChinLimits(), Worn()


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

    The median over some lines that run down the face beside each other (`EdgeLines`).
    """
    tip, down, across = _nose_to_mouth(points)
    heights = np.linspace(EDGE_LINES.above, EDGE_LINES.below, EDGE_LINES.steps)
    firsts = []
    for aside in np.linspace(-EDGE_LINES.aside, EDGE_LINES.aside, EDGE_LINES.count):
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
    height, width = size
    inside = crop.shows(width, height)
    real = mask & inside
    if not real.any() or not is_on_chin(mask):
        return False
    if not CHIN_LIMITS.highest <= top_edge(real, points) <= CHIN_LIMITS.lowest:
        return False
    rows = np.clip(np.asarray(points, float)[:, 1].round().astype(int), 0, len(mask))
    straps = real[rows[:2].min() : rows[3:5].max()].sum() / mask.size >= CHIN_LIMITS.straps
    doubtful = (probability > CHIN_LIMITS.doubt) & (probability < CHIN_LIMITS.no_doubt) & inside
    fringe = doubtful.sum() / real.sum()
    pixels = probability[real]
    if straps:
        mean = pixels.mean()
        clear = mean >= CHIN_LIMITS.mean or (
            fringe <= CHIN_LIMITS.fringe and mean >= CHIN_LIMITS.likely
        )
        return bool(clear and real.mean() >= CHIN_LIMITS.with_straps)
    certain = (pixels > CHIN_LIMITS.sure).mean() >= CHIN_LIMITS.certain
    clear = fringe <= CHIN_LIMITS.short_fringe and certain
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
    height, width = size
    real = mask & crop.shows(width, height)
    mouth = mouth_covered(mask, np.asarray(points)) or 0.0
    if real.mean() < WORN.covered or min(mouth, _nose(mask, points)) < WORN.features:
        return False
    return bool((probability[real] >= WORN.probability).mean() >= WORN.share)


def _nose_to_mouth(points: ArrayLike) -> tuple[NDArray[np.float64], ...]:
    """The nose's tip, the way from there to the mouth, and as far across."""
    five = np.asarray(points, np.float64)
    tip, mouth = five[2], five[3:5].mean(0)
    down = mouth - tip
    return tip, down, np.array([-down[1], down[0]])


def _nose(mask: NDArray[np.bool_], points: ArrayLike) -> float:
    """Share of the nose's tip that a mask covers."""
    tip = tuple(round(float(v)) for v in np.asarray(points)[2])
    disc = np.zeros(mask.shape, np.uint8)
    cv2.circle(disc, tip, max(1, round(NOSE_OUT.tip * mask.shape[0])), 1, -1)
    inside = disc > 0
    return float(mask[inside].mean()) if inside.any() else 0.0
