"""A mask's probability drawn to the edges that its crop shows.

A network's border is soft and a few pixels off; the step from cloth to skin is in the picture. In
each small window the probability is taken for a linear function of the colours there: the guided
filter, fitted on a smaller picture (He, Sun and Tang, "Guided image filtering", 2013; He and Sun,
"Fast guided filter", 2015).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Snapping:
    """How a probability is drawn to edges; chosen on 16 real masks outlined by hand.

    Attributes:
        reach: half a window's width, in crop sides.
        flat: colours that vary less than this (variance, of 0..1) are no edge.
        shrink: the linear functions are fitted on a picture so many times smaller.
    """

    reach: float = 0.03
    flat: float = 3e-4
    shrink: int = 2


SNAPPING = Snapping()


def snapped(probability: NDArray[np.float32], seen: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The probability with its borders where the picture has its own.

    Where the picture shows no edge the probability is smoothed over the window.

    Args:
        probability: float32 (S, S) in 0..1.
        seen: uint8 (S, S, 3), the crop.

    Returns:
        float32 (S, S) in 0..1.
    """
    side = len(probability)
    small = (max(1, side // SNAPPING.shrink),) * 2
    guide = cv2.resize(seen, small, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    target = cv2.resize(probability, small, interpolation=cv2.INTER_AREA)
    reach = 2 * max(1, round(SNAPPING.reach * small[0])) + 1

    def average(*planes: NDArray[Any]) -> list[NDArray[Any]]:
        return [cv2.blur(plane, (reach, reach)) for plane in planes]

    r, g, b = cv2.split(guide)
    mr, mg, mb, mean = average(r, g, b, target)
    # The windows' covariances of the colours, and of each colour with the probability.
    rr, rg, rb, gg, gb, bb = average(r * r, r * g, r * b, g * g, g * b, b * b)
    rr, gg, bb = rr - mr * mr + SNAPPING.flat, gg - mg * mg + SNAPPING.flat, bb - mb * mb
    rg, rb, gb, bb = rg - mr * mg, rb - mr * mb, gb - mg * mb, bb + SNAPPING.flat
    rp, gp, bp = average(r * target, g * target, b * target)
    rp, gp, bp = rp - mr * mean, gp - mg * mean, bp - mb * mean
    # The 3 x 3 systems by their adjugates.
    c00, c01, c02 = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    c11, c12, c22 = rr * bb - rb * rb, rg * rb - rr * gb, rr * gg - rg * rg
    scale = 1 / (rr * c00 + rg * c01 + rb * c02)
    slopes = [
        (c00 * rp + c01 * gp + c02 * bp) * scale,
        (c01 * rp + c11 * gp + c12 * bp) * scale,
        (c02 * rp + c12 * gp + c22 * bp) * scale,
    ]
    offset = mean - slopes[0] * mr - slopes[1] * mg - slopes[2] * mb
    whole = [cv2.resize(plane, (side, side)) for plane in average(*slopes, offset)]
    out = whole[3]
    for slope, plane in zip(whole[:3], cv2.split(seen), strict=True):
        out += slope * (plane * np.float32(1 / 255))
    return np.clip(out, 0, 1).astype(np.float32, copy=False)
