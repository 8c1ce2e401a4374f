"""Large faces: the generator's answer at twice its resolution, with the detail of their photo.

Of a face that more photo pixels make up than the generator paints, the enlarger
(`uncover.networks.Enlarger`) sees the photo itself, at twice the crop's resolution. What it gives
takes the place of the answer in all that follows: tone, blend, grain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from uncover.crop import FaceCrop, hole_in_crop
from uncover.find import Task
from uncover.settings import Detailer


@dataclass(frozen=True)
class Large:
    """Which faces get detail. Set by reason, not tuned: an answer that is enlarged by less than a
    fifth is hardly softer for it, and a small batch keeps a pass's memory small.

    Attributes:
        enlarged: a face is large when more than so many photo pixels make up a crop pixel's side.
        batch: crops in a pass through the enlarger.
    """

    enlarged: float = 1.2
    batch: int = 4


LARGE = Large()


@dataclass(frozen=True, eq=False)
class Closer:
    """A task's crop at the enlarger's resolution.

    Attributes:
        crop: the frame. seen: uint8 (S, S, 3), what it shows. hole: bool (S, S), what is hidden.
    """

    crop: FaceCrop
    seen: NDArray[np.uint8]
    hole: NDArray[np.bool_]


def closer_look(photo: NDArray[np.uint8], task: Task, enlarger: Detailer | None) -> Closer | None:
    """A large face's crop for the enlarger; None for a face that is not large, or without one.

    Args:
        photo: uint8 (H, W, 3), with nothing painted in it.
    """
    if enlarger is None or task.crop.scale * LARGE.enlarged >= 1:
        return None
    factor = int(enlarger.config.resolution) // task.crop.size
    crop, (height, width) = task.crop.finer(factor), task.face.size
    hidden = task.hole.repeat(factor, axis=0).repeat(factor, axis=1)
    hidden |= hole_in_crop(crop, task.patch.painted, task.patch.rect, task.face.size)
    return Closer(crop, crop.extract(photo), hidden | ~crop.shows(width, height))


def add_detail(
    enlarger: Detailer,
    pictures: list[list[NDArray[np.uint8]]],
    views: Sequence[Closer | None],
    crops: Sequence[NDArray[np.uint8] | None],
) -> None:
    """Put what the enlarger makes of the answers to large faces in their place.

    Args:
        pictures: of each sample the answers (s, s, 3) to all faces; changed.
        views: of each face, None where it is not large.
        crops: what the views show, lit as the generator's crops were.
    """
    places = [
        (sample, face, crop, view.hole)
        for face, (view, crop) in enumerate(zip(views, crops, strict=True))
        for sample in range(len(pictures))
        if view is not None and crop is not None
    ]
    for start in range(0, len(places), LARGE.batch):
        part = places[start : start + LARGE.batch]
        fine = enlarger.enlarge(
            np.stack([pictures[sample][face] for sample, face, _, _ in part]),
            np.stack([crop for _, _, crop, _ in part]),
            np.stack([hole for _, _, _, hole in part]),
        )
        for (sample, face, _, _), picture in zip(part, fine, strict=True):
            pictures[sample][face] = picture
