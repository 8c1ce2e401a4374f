"""The tasks that paint where a mask is given, or put right, by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from uncover.crop import FADING, FaceCrop, Patch, face_box, hole_in_crop, outline, widened_to
from uncover.find.given_masks import Part, whole_mask
from uncover.find.overhang import apart
from uncover.find.tasks import MASKED, Found, Task
from uncover.results import Face


@dataclass(frozen=True)
class GivenFrame:
    """In which frame a mask given by hand is painted.

    Set by eye on real photos; not measured one by one.

    Attributes:
        held: where the detector found no face, the points that the segmenter found give the frame
            when at least this share of the mask lies in it.
        fade: at its edge a frame fades into the wider one over this part of its side.
        room: the wider frame leaves this part of the face's frame's side free around the mask.
    """

    held: float = 0.5
    fade: float = 0.03
    room: float = 0.12


GIVEN_FRAME = GivenFrame()


def frame_for(part: Part, level: FaceCrop | None, guess: FaceCrop) -> FaceCrop:
    """The frame in which a part of a mask is painted: the face's, wherever that was found.

    Args:
        level: the frame that the face's points give; None where they cannot be right.
        guess: around the detected face, or, where none was detected, around the mask.
    """
    if part.found is not None:
        return level or guess
    if level is not None:
        weight = level.place(np.ones((level.size,) * 2, np.float32), part.rect, beyond=0.0)
        if weight[part.painted].mean() >= GIVEN_FRAME.held:
            return level
    return widened_to(guess, part.painted, at=part.at)


def from_mask(part: Part, crop: FaceCrop, photo: NDArray[np.uint8]) -> Task:
    """The task that paints exactly a part of a mask given by hand.

    Args:
        part: what to paint.
        crop: the face's frame; what of the part lies outside it is painted in a wider one.
        photo: uint8 (H, W, 3).
    """
    height, width = photo.shape[:2]
    box, label, score = part.found or Found(face_box(crop, width, height), MASKED, 1.0)
    face = Face(
        box=box,
        label=label,
        score=score,
        size=(height, width),
        roll=crop.roll,
        polygon=outline(part.painted, at=part.at, extent=max(height, width)),
        rect=part.rect,
        patch=part.painted,
        crop=crop,
        outlined="given",
    )
    return _task(face, part, crop, photo, part.painted.astype(np.float32))


def corrected(
    face: Face, mask: NDArray[np.bool_], crop: FaceCrop, photo: NDArray[np.uint8], feather: float
) -> Task:
    """The task that paints a face that was found where a mask by hand says, soft at its edge.

    Straps that leave the crop are painted over from beside them, as those that are found are.

    Args:
        mask: bool (H, W), not empty.
        crop: the face's frame; what of the mask lies outside it is painted in a wider one.
        photo: uint8 (H, W, 3).
        feather: width of the soft edge, as a fraction of the crop's side.
    """
    part = whole_mask(mask)
    face = replace(
        face,
        reason=None,
        roll=crop.roll,
        polygon=outline(mask),
        rect=part.rect,
        patch=part.painted,
        crop=crop,
        outlined="corrected",
    )
    return _task(face, part, crop, photo, soft_edge(face, feather * crop.size / crop.scale))


def _task(
    face: Face, part: Part, crop: FaceCrop, photo: NDArray[np.uint8], alpha: NDArray[np.float32]
) -> Task:
    """What paints a part of a mask, weighed by `alpha`, float32 (h, w): in the face's frame what
    lies in that, straps that leave it from beside them, and the rest in a frame that holds all."""
    body, straps = apart(part.painted, crop, part.at)
    beside = None
    if body.any() and straps.any():
        beside = Patch(part.rect, np.where(straps, np.maximum(alpha, 0.5), 0).astype(np.float32))
        alpha = np.where(straps, 0, alpha).astype(np.float32)
    else:
        body = part.painted
    patch, overhang, around = Patch(part.rect, alpha), None, None
    if widened_to(crop, body, 0.0, part.at) is not crop:
        # Weight of the crop: 1 in it, falling to 0 at its edge, where the two pictures meet.
        within = crop.place(_fading(crop.size), part.rect, beyond=0.0).astype(np.float32)
        beyond = np.where(within < 1, alpha, 0).astype(np.float32)
        inner = np.where(within > 0, alpha, 0).astype(np.float32)
        around = widened_to(crop, body, GIVEN_FRAME.room, part.at)
        if inner.any():
            patch = Patch(part.rect, inner)
            overhang = Patch(part.rect, np.where(within > 0, beyond * (1 - within), beyond))
        else:
            crop, around = around, None
    height, width = face.size
    hole = hole_in_crop(crop, part.painted, part.rect, face.size) | ~crop.shows(width, height)
    return Task(face, crop, crop.extract(photo), patch, hole, overhang, beside, around)


def _fading(side: int) -> NDArray[np.float32]:
    """Weights of a crop, float32 (S, S): 1, falling to 0 at the edge."""
    fade = max(1.0, GIVEN_FRAME.fade * side)
    from_edge = np.minimum(np.arange(side), np.arange(side)[::-1]) / fade
    ramp = np.clip(from_edge, 0, 1).astype(np.float32)
    return np.minimum(ramp[:, None], ramp[None, :])


def soft_edge(face: Face, ring: float) -> NDArray[np.float32]:
    """Weights for a face's painted pixels: 1 inside, falling off over the outer `ring` pixels.

    Returns:
        float32 (h, w) of the face's rectangle, above 0 exactly where it is painted. At the
        photo's own edge nothing falls off.
    """
    height, width = face.size
    x0, y0, x1, y1 = face.rect
    inside = face.patch.astype(np.uint8)
    pads = (int(y0 > 0), int(y1 < height)), (int(x0 > 0), int(x1 < width))
    framed = np.pad(inside, pads)
    if framed.all():
        return inside.astype(np.float32)
    distance = cv2.distanceTransform(framed, cv2.DIST_L2, 5)
    (top, _), (left, _) = pads
    distance = distance[top : top + y1 - y0, left : left + x1 - x0]
    ramp = np.clip(distance / max(ring, 1.0), 0, 1)
    alpha = (ramp * ramp * (3 - 2 * ramp)).astype(np.float32)
    return np.where(face.patch, np.maximum(alpha, np.float32(FADING.faintest)), np.float32(0))
