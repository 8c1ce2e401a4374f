"""The pixels of a photo that are painted for one face, and how strongly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from uncover.crop.geometry import FaceCrop, Rect


@dataclass(frozen=True)
class Fading:
    """How what is painted ends.

    `faintest` is what changes no level of 8 bits; what `spared` was chosen on was not written down.

    Attributes:
        spared: width of the fade beside what is spared, in shorter sides of the face's box.
        faintest: smaller weights count as not painted.
    """

    spared: float = 0.05
    faintest: float = 1 / 256


FADING = Fading()


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
    placed = np.clip(crop.place(alpha, rect, beyond=0.0), 0, 1).astype(np.float32)
    placed[placed < FADING.faintest] = 0
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
    fade = FADING.spared * min(own[2] - own[0], own[3] - own[1])
    distance = cv2.distanceTransform((~forbidden).view(np.uint8), cv2.DIST_L2, 3)
    alpha = patch.alpha * np.clip(distance / max(fade, 1.0), 0, 1)
    return Patch(patch.rect, alpha) if alpha.any() else None
