"""One face painted into a photo: in its crop, and where its mask leaves that."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from uncover.crop import Patch, hole_in_crop
from uncover.find import Task, paint_over, wider
from uncover.paint.compositing import Blend, match_colours, paste
from uncover.paint.samples import answers
from uncover.settings import Painter


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
        generator: paints what lies outside the crop, beside the face painted before.
    """
    if blend == "feather":
        picture = match_colours(picture, task.seen, task.hole)
    paste(photo, picture, task.crop, task.patch, blend)
    if task.outside is not None:
        _paint_outside(photo, task, task.outside, blend, generator)
    if task.beside is not None:
        paint_over(photo, task.beside, task.crop)


def _paint_outside(
    photo: NDArray[np.uint8], task: Task, outside: Patch, blend: Blend, generator: Painter
) -> None:
    """Paint what the wider frame shows of the mask, beside the face that is painted already."""
    frame, size = task.around or wider(task.crop), task.face.size
    seen = frame.extract(photo)
    hole = hole_in_crop(frame, outside.painted, outside.rect, size)
    if task.beside is not None:  # to be painted over last, and nothing to go by until then
        hole |= hole_in_crop(frame, task.beside.painted, task.beside.rect, size)
    picture = answers(generator, seen[None], hole[None])[0, 0]
    if blend == "feather":
        picture = match_colours(picture, seen, hole)
    paste(photo, picture, frame, outside, blend)
