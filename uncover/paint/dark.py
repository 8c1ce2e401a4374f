"""Dark photos: the generator is shown them lit, and what it paints is darkened again.

Generators learn from well-lit faces; of darker ones they paint the face they know, which glows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Lighting:
    """Which crops are too dark; set on 40 web photos darkened to a half .. a twentieth.

    Attributes:
        percentile: of the levels seen beside the hole; it says how bright a crop is.
        level: darker ones are lit up to it. Of crops of well-lit faces hardly one is darker.
        most: largest gain, since what is all but black holds no picture.
    """

    percentile: float = 95.0
    level: float = 100.0
    most: float = 32.0


LIGHTING = Lighting()


def gain_for(seen: NDArray[np.uint8], hole: NDArray[np.bool_]) -> float:
    """By how much a crop, uint8 (S, S, 3), is lit for the generator; 1 where it is bright enough.

    Args:
        hole: bool (S, S), what is hidden and says nothing of the light.
    """
    known = seen[~hole]
    if not len(known):
        return 1.0
    bright = float(np.percentile(known, LIGHTING.percentile))
    return float(np.clip(LIGHTING.level / max(bright, 1.0), 1.0, LIGHTING.most))


def lit(picture: NDArray[np.uint8], gain: float) -> NDArray[np.uint8]:
    """A picture, its levels times `gain`; the picture itself at 1."""
    if gain == 1:
        return picture
    return np.rint(picture * np.float32(gain)).clip(0, 255).astype(np.uint8)
