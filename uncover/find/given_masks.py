"""What to paint for each face where a mask is given, or put right, by hand."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from uncover.crop import Box, FaceCrop, Patch, Rect, face_box, hole_in_crop, outline, widened_to
from uncover.errors import UncoverError
from uncover.find.overhang import apart
from uncover.find.tasks import MASKED, Found, Task
from uncover.images import MaskLike, Photo, read_mask
from uncover.results import Face

_OWN = 0.3  # of a piece of a mask lies in the box of the face that it is on,
_COVERED = 0.4  # or it covers so much of the lower half of that box
_NEAR = 0.5  # of a face's width: loose pieces that lie no further from it are its, too
_SEEN = 0.5  # of a mask lies in the frame of a face that no detector confirms
_MEET = 0.03  # over so much of its side a face's frame fades into the wider one,
_ROOM = 0.12  # which leaves so much of its side free around the mask


@dataclass(frozen=True, eq=False)
class Part:
    """One face's part of a mask given by hand: bool (h, w) in a rectangle, and the face found."""

    rect: Rect
    painted: NDArray[np.bool_]
    found: Found | None = None

    @property
    def at(self) -> tuple[int, int]:
        """The rectangle's first pixel (x, y)."""
        return self.rect[:2]


def read_masks(
    masks: Mapping[int | None, MaskLike] | Sequence[MaskLike | None] | None,
    photo: Photo,
    count: int,
) -> tuple[dict[int, NDArray[np.bool_]], NDArray[np.bool_]]:
    """New masks for a photo's faces, as `Uncoverer.refill` takes them.

    Args:
        masks: by a face's place, or one for each face; at None or after the last face, what
            belongs to none.
        count: how many faces there are.

    Returns:
        bool (H, W) for each place named, and bool (H, W) for what belongs to none.

    Raises:
        ImageError: a mask cannot be used, or is of another size.
        UncoverError: there is no such face.
    """
    if masks is None:
        named = {}
    elif isinstance(masks, Mapping):
        named = dict(masks)
    else:
        if len(masks) > count + 1:
            raise UncoverError(f"{len(masks)} masks for {count} faces: give one for each face")
        places: list[int | None] = [*range(count), None]
        named = {place: m for place, m in zip(places, masks, strict=False) if m is not None}
    missed = np.zeros((photo.height, photo.width), bool)
    read = {place: read_mask(mask, photo, may_be_empty=True) for place, mask in named.items()}
    missed = read.get(None, missed)
    by_place = {place: mask for place, mask in read.items() if place is not None}
    check_places(by_place, count)
    return by_place, missed


def check_places(places: Collection[int], count: int) -> None:
    """Raise UncoverError where one of `places` is none of `count` faces."""
    for place in places:
        if not 0 <= place < count:
            raise UncoverError(f"there is no face {place}: the photo has {count}, counted from 0")


def split_mask(painted: NDArray[np.bool_], faces: Sequence[Found]) -> list[Part]:
    """A mask's connected pieces, each with the detected face it lies on, one part per face.

    A piece lies on a face that holds `_OWN` of it, or of whose lower half it covers `_COVERED`, as
    cloth does that hangs to the chest. Other pieces within half a width of a face that
    has a piece, such as ties, are that face's, too.

    Args:
        painted: bool (H, W), not empty.
        faces: what was detected; pieces on none of them become one part together.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        painted.view(np.uint8), connectivity=8
    )
    owners: dict[int, list[int]] = {}
    for index in range(1, count):
        x0, y0, x1, y1 = _rect(stats, [index])
        ys, xs = np.nonzero(labels[y0:y1, x0:x1] == index)
        ys, xs = ys + y0, xs + x0
        best, most = -1, 0.0
        for place, face in enumerate(faces):
            box = face.box
            inside = (xs >= box[0]) & (xs < box[2]) & (ys >= box[1]) & (ys < box[3])
            low = inside & (ys >= (box[1] + box[3]) / 2)
            half = (box[2] - box[0]) * (box[3] - box[1]) / 2
            share = float(inside.mean())
            if (share >= _OWN or low.sum() >= _COVERED * half) and share > most:
                best, most = place, share
        owners.setdefault(best, []).append(index)
    for index in owners.pop(-1, []):
        rect = _rect(stats, [index])
        near = [
            p for p in owners if p >= 0 and _gap(rect, faces[p].box) <= _NEAR * _width(faces[p].box)
        ]
        best = min(near, key=lambda place: _gap(rect, faces[place].box), default=-1)
        owners.setdefault(best, []).append(index)
    parts = []
    for owner, indices in owners.items():
        rect = x0, y0, x1, y1 = _rect(stats, indices)
        part = np.isin(labels[y0:y1, x0:x1], indices)
        parts.append(Part(rect, part, faces[owner] if owner >= 0 else None))
    return parts


def whole_mask(painted: NDArray[np.bool_]) -> Part:
    """All of a mask, bool (H, W), not empty, as one part."""
    rows, columns = np.flatnonzero(painted.any(1)), np.flatnonzero(painted.any(0))
    x0, y0, x1, y1 = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    return Part((x0, y0, x1, y1), painted[y0:y1, x0:x1])


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
        if weight[part.painted].mean() >= _SEEN:
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
        around = widened_to(crop, body, _ROOM, part.at)
        if inner.any():
            patch = Patch(part.rect, inner)
            overhang = Patch(part.rect, np.where(within > 0, beyond * (1 - within), beyond))
        else:
            crop, around = around, None
    height, width = face.size
    hole = hole_in_crop(crop, part.painted, part.rect, face.size) | ~crop.shows(width, height)
    return Task(face, crop, crop.extract(photo), patch, hole, overhang, beside, around)


def _fading(side: int) -> NDArray[np.float32]:
    """Weights of a crop, float32 (S, S): 1, falling to 0 over `_MEET` of its side at the edge."""
    from_edge = np.minimum(np.arange(side), np.arange(side)[::-1]) / max(1.0, _MEET * side)
    ramp = np.clip(from_edge, 0, 1).astype(np.float32)
    return np.minimum(ramp[:, None], ramp[None, :])


def _gap(rect: Rect, box: Box) -> float:
    """How far two rectangles lie apart, in pixels; 0 where they touch."""
    x = max(rect[0] - box[2], box[0] - rect[2], 0.0)
    return float(np.hypot(x, max(rect[1] - box[3], box[1] - rect[3], 0.0)))


def _width(box: Box) -> float:
    return box[2] - box[0]


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
    return np.where(face.patch, np.maximum(alpha, np.float32(1 / 256)), np.float32(0))


def _rect(stats: NDArray[np.int32], indices: Sequence[int]) -> Rect:
    """The rectangle around some connected components."""
    chosen = stats[indices]
    lo = chosen[:, [cv2.CC_STAT_LEFT, cv2.CC_STAT_TOP]]
    hi = lo + chosen[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
    (x0, y0), (x1, y1) = lo.min(0).tolist(), hi.max(0).tolist()
    return x0, y0, x1, y1
