"""What to paint for each face where a mask is given, or put right, by hand."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from uncover.crop import FaceCrop, Patch, Rect, face_box, hole_in_crop, outline, widened_to
from uncover.errors import UncoverError
from uncover.find.outside import apart, joined
from uncover.find.tasks import MASKED, Found, Task
from uncover.images import MaskLike, Photo, read_mask
from uncover.results import Face


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
        inside = [
            float(((xs >= b[0]) & (xs < b[2]) & (ys >= b[1]) & (ys < b[3])).mean())
            for b, _, _ in faces
        ]
        best = int(np.argmax(inside)) if inside and max(inside) >= 0.3 else -1
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


def from_mask(part: Part, crop: FaceCrop, photo: NDArray[np.uint8]) -> Task:
    """The task that paints exactly a part of a mask given by hand.

    Args:
        part: what to paint.
        crop: the face's frame; zoomed out when the part does not fit into it.
        photo: uint8 (H, W, 3).
    """
    height, width = photo.shape[:2]
    crop = widened_to(crop, part.painted, at=part.at)
    box, label, score = part.found or (face_box(crop, width, height), MASKED, 1.0)
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
    hole = hole_in_crop(crop, part.painted, part.rect, (height, width))
    patch = Patch(part.rect, part.painted.astype(np.float32))
    return Task(face, crop, crop.extract(photo), patch, hole)


def corrected(
    face: Face, mask: NDArray[np.bool_], crop: FaceCrop, photo: NDArray[np.uint8], feather: float
) -> Task:
    """The task that paints a face that was found where a mask by hand says, soft at its edge.

    Straps that leave the crop are painted over from beside them, as those that are found are.

    Args:
        mask: bool (H, W), not empty.
        crop: the face's frame; zoomed out when the mask does not fit into it.
        photo: uint8 (H, W, 3).
        feather: width of the soft edge, as a fraction of the crop's side.
    """
    part = whole_mask(mask)
    body, straps = apart(part.painted, crop, part.at)
    beside = None
    if body.any() and straps.any():
        beside = Patch(part.rect, straps.astype(np.float32))
        part = replace(part, painted=body)
    crop = widened_to(crop, part.painted, at=part.at)
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
    patch = Patch(face.rect, soft_edge(face, feather * crop.size / crop.scale))
    hole = hole_in_crop(crop, face.patch, face.rect, face.size)
    return Task(joined(face, beside), crop, crop.extract(photo), patch, hole, beside=beside)


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
