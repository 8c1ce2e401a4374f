"""Black-and-white and toned photos: what is painted keeps to their one colour.

Generators learn from colour photos and put a hint of skin colour into grey ones. In a monochrome
photo colour is a function of brightness, so it is enough to look that function up.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Monochrome:
    """When a photo has one colour; what these were chosen on was not written down.

    Attributes:
        stray: its chroma strays from the function by no more, in grey levels,
        share: in this percentage of its pixels: the rest may be bits of a coloured mask.
        bright: in photos darker than this (`share` of their pixels) it strays by less, as does
            colour itself;
        least_stray: so much is left by rounding.
        seen: percentiles of the brightness that the function is known for.
        side: the function is fitted to about so many pixels each way.
        least: pixels that must be known to say anything.
        fits: times that the function is fitted, each time without what strays most.
    """

    stray: float = 3.0
    share: float = 90.0
    bright: float = 128.0
    least_stray: float = 0.85
    seen: tuple[float, float] = (1.0, 99.0)
    side: int = 32
    least: int = 50
    fits: int = 3


MONOCHROME = Monochrome()


def tone_of(seen: NDArray[np.uint8], known: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    """(Cr, Cb) for each brightness 0..255 of a monochrome photo, float64 (256, 2); None in colour.

    A cubic, fitted to the brightness that is seen; below and above that its end values hold: the
    face under a mask may be brighter than all that is left to see of a dark photo.

    Args:
        seen: uint8 (S, S, 3), RGB. known: bool (S, S), the pixels to go by.
    """
    step = max(1, seen.shape[0] // MONOCHROME.side)
    pixels = seen[::step, ::step][known[::step, ::step]]
    if len(pixels) < MONOCHROME.least:
        return None
    values = cv2.cvtColor(pixels[None], cv2.COLOR_RGB2YCrCb)[0].astype(np.float64)
    basis, kept = np.vander(values[:, 0] / 255, 4), np.ones(len(values), bool)
    for _ in range(MONOCHROME.fits):
        tone = np.linalg.lstsq(basis[kept], values[kept, 1:], rcond=None)[0]
        stray = np.abs(values[:, 1:] - basis @ tone).max(1)
        limit = np.percentile(stray, MONOCHROME.share)
        kept = stray <= limit
    bright = min(1.0, np.percentile(values[:, 0], MONOCHROME.share) / MONOCHROME.bright)
    if limit > max(MONOCHROME.least_stray, MONOCHROME.stray * bright):
        return None
    darkest, brightest = np.percentile(values[kept, 0], MONOCHROME.seen)
    levels = np.vander(np.arange(256).clip(darkest, brightest) / 255, 4)
    return np.asarray(levels @ tone)


def kept_monochrome(
    filled: NDArray[np.uint8], seen: NDArray[np.uint8], hole: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """A generated crop in the tone of the photo, where that is monochrome; else the crop itself.

    Args:
        filled: uint8 (S, S, 3), the generator's. seen: uint8 (S, S, 3), the crop of the photo.
        hole: bool (S, S), what was hidden.
    """
    tone = tone_of(seen, ~hole)
    if tone is None:
        return filled
    table = np.concatenate([np.arange(256)[:, None], tone], axis=1)
    grey = cv2.cvtColor(filled, cv2.COLOR_RGB2GRAY)
    toned = cv2.LUT(cv2.merge([grey] * 3), np.rint(table).clip(0, 255).astype(np.uint8)[None])
    return cv2.cvtColor(toned, cv2.COLOR_YCrCb2RGB)
