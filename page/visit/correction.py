"""Masks put right by hand: faces struck out, masks repainted, and the photo filled again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from page.show import caption, zoom_rect
from uncover.crop import Rect
from uncover.images import Photo
from uncover.pipeline import Uncoverer
from uncover.results import Face, Result
from uncover.settings import Blend

REGION_SIDE = 384
"""Longer side of the picture in which one face's mask is repainted."""
PHOTO_SIDE = 768
"""The same for the whole photo, in which missed faces are painted."""
MOST_FACES = 24


@dataclass(frozen=True)
class Region:
    """A part of the photo in which a mask can be repainted.

    Attributes:
        rect: photo rectangle (x0, y0, x1, y1).
        size: (width, height) in which it is shown and painted.
        title: what it shows, for people.
        face: index of its face; None for the whole photo.
    """

    rect: Rect
    size: tuple[int, int]
    title: str
    face: int | None


@dataclass(frozen=True, eq=False)
class Correction:
    """What to do with one region: fill it or not, and its new mask, bool (h, w) of its rect.

    A mask of None leaves the one that was found.
    """

    fill: bool
    mask: NDArray[np.bool_] | None = None


def make_regions(faces: Sequence[Face], width: int, height: int) -> tuple[Region, ...]:
    """One region per face but doubtful finds, at most `MOST_FACES`, and one for the whole photo."""
    regions = []
    shown = [(index, face) for index, face in enumerate(faces) if not face.doubtful]
    for index, face in shown[:MOST_FACES]:
        rect = zoom_rect(_with_patch(face), (height, width), margin=0.15)
        regions.append(Region(rect, _shown(rect, REGION_SIDE), caption(face, index + 1), index))
    whole = (0, 0, width, height)
    title = "Whole photo: paint over a mask that was missed"
    return *regions, Region(whole, _shown(whole, PHOTO_SIDE), title, None)


def _with_patch(face: Face) -> tuple[float, float, float, float]:
    """The face's box, widened to what is painted."""
    if not face.patch.any():
        return face.box
    (a, b, c, d), (e, f, g, h) = face.box, face.rect
    return min(a, e), min(b, f), max(c, g), max(d, h)


def _shown(rect: Rect, side: int) -> tuple[int, int]:
    width, height = rect[2] - rect[0], rect[3] - rect[1]
    scale = side / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def region_image(photo: NDArray[np.uint8], region: Region) -> NDArray[np.uint8]:
    """What the region shows of the photo, at the size at which it is painted."""
    x0, y0, x1, y1 = region.rect
    how = cv2.INTER_AREA if region.size[0] < x1 - x0 else cv2.INTER_CUBIC
    return cv2.resize(photo[y0:y1, x0:x1], region.size, interpolation=how)


def region_mask(face: Face | None, region: Region) -> NDArray[np.bool_]:
    """The mask that was found, at the size at which it is painted; empty without a face."""
    x0, y0, x1, y1 = region.rect
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    if face is not None and face.patch.any():
        left, top, right, bottom = face.rect
        mask[top - y0 : bottom - y0, left - x0 : right - x0] = face.patch * np.uint8(255)
    return _resized(mask, region.size)


def to_photo_size(mask: NDArray[np.bool_], region: Region) -> NDArray[np.bool_]:
    """A painted mask of the region's size, carried to the pixels of its photo rectangle."""
    x0, y0, x1, y1 = region.rect
    return _resized(mask.astype(np.uint8) * np.uint8(255), (x1 - x0, y1 - y0))


def _resized(mask: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.bool_]:
    how = cv2.INTER_AREA if size[0] < mask.shape[1] else cv2.INTER_LINEAR
    return cv2.resize(mask, size, interpolation=how) > 127


def fill_again(
    uncoverer: Uncoverer,
    photo: Photo,
    faces: Sequence[Face],
    regions: Sequence[Region],
    corrections: Sequence[Correction],
    blend: Blend = "feather",
    samples: int = 1,
    look: Mapping[str, float] | None = None,
) -> Result:
    """Paint a photo anew, with faces left out and masks changed as the corrections say.

    Args:
        faces: as `Uncoverer` found them.
        regions: from `make_regions` for these faces.
        corrections: one per region.
        samples: how many different faces to paint; the first is the best guess.
        look: how the faces shall look: smile, open and beard, those that are not guessed.

    Returns:
        The painted photo; see `Uncoverer.refill`. A face that is to be filled but has no mask has
        the reason "no mask pixels found".

    Raises:
        UncoverError: several samples of a generator that has one answer, or a look of one that
            cannot be told.
    """
    masks: dict[int | None, NDArray[np.bool_]] = {}
    skip: list[int] = []
    for region, change in zip(regions, corrections, strict=True):
        left_out = region.face is not None and faces[region.face].reason is not None
        if not change.fill:
            skip += [] if region.face is None else [region.face]
        elif change.mask is not None or left_out:
            x0, y0, x1, y1 = region.rect
            masks[region.face] = whole = np.zeros(photo.rgb.shape[:2], bool)
            whole[y0:y1, x0:x1] = False if change.mask is None else change.mask
    before = Result(photo, photo.rgb, list(faces), photo.warnings)
    return uncoverer.refill(
        before, masks=masks, skip=skip, blend=blend, samples=samples, **(look or {})
    )
