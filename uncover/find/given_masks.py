"""Masks given by hand: read, and split into one part for each face."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from uncover.crop import Box, Rect
from uncover.errors import UncoverError
from uncover.find.tasks import Found
from uncover.images import MaskLike, Photo, read_mask


@dataclass(frozen=True)
class Pieces:
    """Which face a piece of a mask given by hand is on.

    Set by eye on real photos; not measured one by one.

    Attributes:
        inside: a piece is on a face when at least this share of the piece lies in the face's box,
        lower_half: or when the piece covers at least this share of the lower half of the box.
        near: another piece, such as a tie, is a face's when it lies no further from the face's box
            than this, in widths of that box.
    """

    inside: float = 0.3
    lower_half: float = 0.4
    near: float = 0.5


PIECES = Pieces()


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

    A piece is on a face that holds enough of it, or whose lower half it covers, as cloth does that
    hangs to the chest. Other pieces near a face that has a piece, such as ties, are that face's,
    too. `Pieces` says how much and how near.

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
            if (share >= PIECES.inside or low.sum() >= PIECES.lower_half * half) and share > most:
                best, most = place, share
        owners.setdefault(best, []).append(index)
    for index in owners.pop(-1, []):
        rect = _rect(stats, [index])
        near = [place for place in owners if place >= 0 and _is_near(rect, faces[place].box)]
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


def _gap(rect: Rect, box: Box) -> float:
    """How far two rectangles lie apart, in pixels; 0 where they touch."""
    x = max(rect[0] - box[2], box[0] - rect[2], 0.0)
    return float(np.hypot(x, max(rect[1] - box[3], box[1] - rect[3], 0.0)))


def _is_near(rect: Rect, box: Box) -> bool:
    return _gap(rect, box) <= PIECES.near * (box[2] - box[0])


def _rect(stats: NDArray[np.int32], indices: Sequence[int]) -> Rect:
    """The rectangle around some connected components."""
    chosen = stats[indices]
    lo = chosen[:, [cv2.CC_STAT_LEFT, cv2.CC_STAT_TOP]]
    hi = lo + chosen[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
    (x0, y0), (x1, y1) = lo.min(0).tolist(), hi.max(0).tolist()
    return x0, y0, x1, y1
