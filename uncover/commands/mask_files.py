"""Masks that are made by hand: is one what it seems to be, and writing what was found as one."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from uncover.images import FOUND_MASK, write_picture
from uncover.results import Face, Result


@dataclass(frozen=True)
class Doubts:
    """When a mask looks inverted. Set by reason, so that no outline of a worn mask comes near; not
    measured one by one.

    Attributes:
        wider: a face's surroundings are its box, wider by this share of its size on every side,
            without the box itself.
        most: a mask that covers more than this share of a face's surroundings looks inverted; so
            does one that covers more than this share of a picture that is one face crop.
        rest: the box itself counts as its surroundings, too, where the photo's edge leaves less
            than this part of the box's area around it.
    """

    wider: float = 0.5
    most: float = 2 / 3
    rest: float = 0.05


DOUBTS = Doubts()


def doubt(painted: NDArray[np.bool_], faces: Sequence[Face]) -> str | None:
    """Why a mask may not be meant so, as a sentence that says what to do; None where it is fine.

    Args:
        painted: bool (H, W), True = paint.
        faces: what was found in the photo; none for a picture that is one face crop.
    """
    ask = "is it inverted (white = paint)? --force paints it all the same"
    if not faces:
        wide = painted.mean() > DOUBTS.most
        return f"the mask covers {painted.mean():.0%} of the photo: {ask}" if wide else None
    touched = [face for face in faces if painted[_cut(face.box, 0.0, painted)].any()]
    if not touched:
        return f"the mask covers no face: {ask}"
    worst = max(_covered(painted, face) for face in touched)
    if worst > DOUBTS.most:
        return f"the mask covers {worst:.0%} of what surrounds a face: {ask}"
    return None


def _covered(painted: NDArray[np.bool_], face: Face) -> float:
    inside, around = (_cut(face.box, grown, painted) for grown in (0.0, DOUBTS.wider))
    outside = np.zeros(painted.shape, bool)
    outside[around] = True
    outside[inside] = False
    if outside.sum() < DOUBTS.rest * painted[inside].size:
        outside[inside] = True
    return float(painted[outside].mean())


def _cut(box: tuple[float, ...], grown: float, painted: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Rows and columns of a box, widened by a share of its size, inside the photo."""
    x0, y0, x1, y1 = box
    dx, dy = grown * (x1 - x0), grown * (y1 - y0)
    rows = slice(max(int(y0 - dy), 0), max(min(int(y1 + dy) + 1, painted.shape[0]), 0))
    return rows, slice(max(int(x0 - dx), 0), max(min(int(x1 + dx) + 1, painted.shape[1]), 0))


def save_mask(result: Result, path: Path) -> None:
    """Write what was painted as a PNG of the photo's size: white painted, black not.

    Raises:
        ImageError: the file cannot be written.
    """
    white = np.zeros(result.pixels.shape[:2], np.uint8)
    for face in result.filled:
        x0, y0, x1, y1 = face.rect
        white[y0:y1, x0:x1][face.patch] = 255
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", FOUND_MASK)
    stream = io.BytesIO()
    Image.fromarray(white).save(stream, "PNG", pnginfo=text)
    write_picture(path, stream.getvalue())
