"""One face painted into a photo: in its crop, and what of its mask lies beyond."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .compositing import Blend, match_colours, paste
from .patch import Patch
from .regions import hole_in_crop
from .settings import Painter
from .straps import paint_over, wider
from .tasks import Task


def paint_task(
    photo: NDArray[np.uint8],
    task: Task,
    picture: NDArray[np.uint8],
    blend: Blend,
    generator: Painter,
) -> None:
    """Paint a face into `photo`, in place; pixels outside the task's patches are not touched.

    Args:
        photo: uint8 (H, W, 3).
        task: what to paint.
        picture: uint8 (S, S, 3), the generator's answer to the task's crop.
        blend: as in `Settings`.
        generator: paints what of the mask lies beyond the crop.
    """
    if blend == "feather":
        picture = match_colours(picture, task.seen, task.hole)
    paste(photo, picture, task.crop, task.patch, blend)
    if task.overhang is not None:
        _paint_overhang(photo, task, task.overhang, blend, generator)
    if task.straps is not None:
        paint_over(photo, task.straps, task.crop)


def _paint_overhang(
    photo: NDArray[np.uint8], task: Task, overhang: Patch, blend: Blend, generator: Painter
) -> None:
    """Paint what the wider frame shows of the mask, beside the face that is painted already."""
    frame, size = wider(task.crop), task.face.size
    seen = frame.extract(photo)
    hole = hole_in_crop(frame, overhang.painted, overhang.rect, size)
    hidden = hole
    if task.straps is not None:  # to be painted over last, and nothing to go by until then
        hidden = hole | hole_in_crop(frame, task.straps.painted, task.straps.rect, size)
    picture = generator.fill(seen[None], hidden[None])[0]
    if blend == "feather":
        picture = match_colours(picture, seen, hidden)
    paste(photo, picture, frame, overhang, blend)
