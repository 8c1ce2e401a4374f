"""One face painted into a photo: in its crop, and where its mask leaves that."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from uncover.crop import FaceCrop, Patch, hole_in_crop
from uncover.find import OVERHANG, Task, wider
from uncover.paint.compositing import match_colours, paste
from uncover.paint.detail import Closer
from uncover.paint.samples import answers
from uncover.settings import Blend, Painter


@dataclass(frozen=True)
class PaintedOver:
    """How what is thin is painted over from beside it.

    Set by eye on real photos; not measured one by one.

    Attributes:
        detail: it is done at this many times the wider frame's resolution, at most.
        around: so much around it is looked at, in crop sides,
        more: and so many photo pixels more.
        radius: pixels around a hidden one that it is painted from (`cv2.inpaint`).
    """

    detail: float = 2.0
    around: float = 0.05
    more: int = 3
    radius: int = 4


PAINTED_OVER = PaintedOver()


def paint_task(
    photo: NDArray[np.uint8],
    task: Task,
    picture: NDArray[np.uint8],
    blend: Blend,
    generator: Painter,
    view: Closer | None = None,
) -> None:
    """Paint a face into `photo`, in place; pixels outside the task's patches are not touched.

    Args:
        photo: uint8 (H, W, 3).
        task: what to paint.
        picture: uint8 (S, S, 3), the answer to the task's crop, or to the closer view of it.
        blend: as in `Settings`.
        generator: paints what lies outside the crop, beside the face painted before.
        view: the closer view, of a large face.
    """
    shown = task if view is None else view
    if blend == "feather":
        picture = match_colours(picture, shown.seen, shown.hole)
    paste(photo, picture, shown.crop, task.patch, blend)
    if task.overhang is not None:
        _paint_overhang(photo, task, task.overhang, blend, generator)
    if task.beside is not None:
        paint_over(photo, task.beside, task.crop)


def _paint_overhang(
    photo: NDArray[np.uint8], task: Task, overhang: Patch, blend: Blend, generator: Painter
) -> None:
    """Paint what the wider frame shows of the mask, beside the face that is painted already."""
    frame, size = task.around or wider(task.crop), task.face.size
    seen = frame.extract(photo)
    hole = hole_in_crop(frame, overhang.painted, overhang.rect, size) | ~frame.shows(*size[::-1])
    if task.beside is not None:  # to be painted over last, and nothing to go by until then
        hole |= hole_in_crop(frame, task.beside.painted, task.beside.rect, size)
    picture = answers(generator, seen[None], hole[None])[0][0]
    if blend == "feather":
        picture = match_colours(picture, seen, hole)
    paste(photo, picture, frame, overhang, blend)


def paint_over(photo: NDArray[np.uint8], patch: Patch, crop: FaceCrop) -> None:
    """Paint over a patch from what lies beside it, in place; no other pixel is touched.

    Args:
        photo: uint8 (H, W, 3), the face painted in already.
        patch: where. crop: the face's frame, which says how large the face is.
    """
    height, width = photo.shape[:2]
    margin = int(np.ceil(PAINTED_OVER.around * crop.size / crop.scale)) + PAINTED_OVER.more
    x0, y0, x1, y1 = patch.rect
    x0, y0, x1, y1 = max(0, x0 - margin), max(0, y0 - margin), x1 + margin, y1 + margin
    x1, y1 = min(x1, width), min(y1, height)
    target = np.ascontiguousarray(photo[y0:y1, x0:x1])
    alpha = np.zeros(target.shape[:2], np.float32)
    left, top = patch.rect[0] - x0, patch.rect[1] - y0
    alpha[top : top + patch.alpha.shape[0], left : left + patch.alpha.shape[1]] = patch.alpha
    zoom = min(1.0, PAINTED_OVER.detail * crop.scale / OVERHANG.reach)
    small = (max(1, round(zoom * target.shape[1])), max(1, round(zoom * target.shape[0])))
    hidden = cv2.resize(alpha, small, interpolation=cv2.INTER_AREA) > 0
    seen = cv2.resize(target, small, interpolation=cv2.INTER_AREA)
    filled = cv2.inpaint(seen, hidden.view(np.uint8), PAINTED_OVER.radius, cv2.INPAINT_TELEA)
    filled = cv2.resize(filled, target.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    photo[y0:y1, x0:x1] = cv2.blendLinear(filled, target, alpha, 1 - alpha)
