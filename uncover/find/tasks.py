"""What to paint for each face, from the networks' answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from uncover.crop import (
    TEMPLATE_5,
    Box,
    FaceCrop,
    Patch,
    Rect,
    clean_mask,
    mask_overlap,
    outline,
    patch_from_crop,
    snapped,
    soft_region,
    spared,
)
from uncover.find.covered import COVERED, is_covered, usual_mask
from uncover.find.overhang import OVERHANG, Overhang, body_of, overhang_patch, wider
from uncover.find.wearing import how_worn, surely_on_chin, surely_worn
from uncover.networks import SegmenterConfig
from uncover.results import Face, Reason
from uncover.settings import Settings

MASKED = "with_mask"
BARE = "without_mask"
WRONG = "mask_worn_incorrectly"
SPARED = (Reason.BARE, Reason.ON_CHIN)
"""Reasons for which nothing of another face's mask is painted in a face's box either."""


@dataclass(frozen=True)
class Painted:
    """How much is painted, and beside whom.

    `ringing` and `widest` were chosen by eye on 48 faces under 125 pixels (docs/history.md); `part`
    lies above what was seen of ears that were taken for bare faces, up to a seventh; what `agreed`
    was chosen on was not written down.

    Attributes:
        part: a bare find that no closer look has confirmed is spared when its box has at least this
            part of the area of the masked face's.
        ringing: photo pixels around an edge that compression spoils: a mask is widened by so many
            at least,
        widest: but by no more than this part of the crop's side.
        agreed: a mask drawn to the photo's edges is used when it overlaps at least so much with the
            one that was found (intersection over union).
    """

    part: float = 0.25
    ringing: float = 2.5
    widest: float = 0.03
    agreed: float = 0.8


@dataclass(frozen=True)
class Belief:
    """How far the detector is believed beside the segmenter.

    `trust` was chosen by looking at finds in web photos, some of them among those the two were
    trained on; `surest` only keeps the odds finite.

    Attributes:
        trust: power of the detector's odds that there is a face; the segmenter's have 1.
        surest: probabilities are taken to be at least this far from 0 and 1.
    """

    trust: float = 1.5
    surest: float = 1e-4


@dataclass(frozen=True)
class SameFace:
    """When two finds are of one face. Set by eye on real photos; not measured one by one.

    Attributes:
        overlap: of two boxes that overlap at least so much (intersection over union) the surer
            counts.
        shared: a find belongs to a masked face when more than this part of its box lies in that
            face's box.
    """

    overlap: float = 0.5
    shared: float = 0.1


PAINTED, BELIEF, SAME_FACE = Painted(), Belief(), SameFace()


class Found(NamedTuple):
    """A face as the detector gives it; `label` is one of `uncover.networks.LABELS`."""

    box: Box
    label: str
    score: float


@dataclass
class Task:
    """A face to fill.

    Attributes:
        crop: its frame. seen: uint8 (S, S, 3), what that shows.
        patch: the photo pixels to paint.
        hole: bool (S, S), the crop pixels to hide from the generator.
        overhang: photo pixels that the generator paints in a wider frame; None where there are
            none.
        beside: photo pixels that are painted over from what lies beside them, such as straps.
        around: the wider frame; None for the crop zoomed out as `wider` does.
    """

    face: Face
    crop: FaceCrop
    seen: NDArray[np.uint8]
    patch: Patch
    hole: NDArray[np.bool_]
    overhang: Patch | None = None
    beside: Patch | None = None
    around: FaceCrop | None = None


@dataclass(frozen=True, eq=False)
class Judged:
    """A face to fill, and its mask.

    Attributes:
        crop: its frame. seen: uint8 (S, S, 3), what that shows. mask: bool (S, S), its mask there.
        overhang: what a wider look found outside the crop; None where the mask ends inside it.
    """

    face: Face
    crop: FaceCrop
    seen: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    overhang: Overhang | None = None


def why_not(face: Face, settings: Settings) -> Reason | None:
    """Why a detected face is not to be filled; None when it is."""
    if face.score < settings.min_score:
        return Reason.LOW_SCORE
    if face.label == BARE:
        return Reason.BARE
    if min(face.sides) < settings.min_box:
        return Reason.TOO_SMALL
    return None


def believed(presence: float, score: float) -> float:
    """The probability that a find shows a face, from what segmenter and detector say of it.

    Their odds are multiplied, the detector's to the power of `Belief.trust`.

    Args:
        presence: the segmenter's probability, 0..1. score: the detector's, 0..1.
    """
    odds = [np.clip(p, BELIEF.surest, 1 - BELIEF.surest) for p in (presence, score)]
    logit = sum(k * np.log(p / (1 - p)) for k, p in zip((1.0, BELIEF.trust), odds, strict=True))
    return float(1 / (1 + np.exp(-logit)))


def is_part_of(face: Face, other: Face) -> bool:
    """Whether what was found as one face belongs to another, as an ear does, or touches it: its
    nose lies in the other's box, or some of its own box does (`SameFace.shared`)."""
    x0, y0, x1, y1 = other.box
    if face.points is not None:
        x, y = face.points[2]
        if x0 <= x <= x1 and y0 <= y <= y1:
            return True
    width = min(x1, face.box[2]) - max(x0, face.box[0])
    height = min(y1, face.box[3]) - max(y0, face.box[1])
    return min(width, height) > 0 and width * height > SAME_FACE.shared * face.area


def judge(
    face: Face,
    crop: FaceCrop,
    seen: NDArray[np.uint8],
    probability: NDArray[np.float32],
    config: SegmenterConfig,
    settings: Settings,
) -> Judged | Face:
    """A face whose mask is to be filled, or the face with the reason why not.

    Where the mask leaves the nose or the mouth free, where there is none, or something else covers
    the face, its label says so.

    Args:
        face: as detected, with its points. crop, seen: its upright frame and what that shows.
        probability: float32 (S, S), the segmenter's.
        config: the segmenter's, with `threshold`.
    """
    probability = np.asarray(probability, np.float32)
    mask = clean_mask(probability, config.threshold)
    points = TEMPLATE_5 * crop.size if face.points is None else crop.to_crop(face.points)
    hanging = surely_on_chin(probability, mask, points, crop, face.size)
    if face.label == BARE and not hanging:
        if not surely_worn(probability, mask, points, crop, face.size):
            return replace(face, reason=Reason.BARE)
        face = replace(face, label=MASKED)
    if not mask.any():
        if not is_covered(face, settings):
            return replace(face, label=BARE, reason=Reason.NO_MASK)
        face = replace(face, label=COVERED)
        if not settings.fill_any:
            return replace(face, reason=Reason.COVERED)
        usual = usual_mask(crop.size)
        return Judged(replace(face, polygon=outline(usual, crop)), crop, seen, usual)
    wear = how_worn(mask, points)
    mask = to_edges(mask, probability, seen, config.threshold)
    label = WRONG if hanging or wear == "nose_out" else face.label
    face = replace(face, label=label, polygon=outline(mask, crop))
    if wear == "chin" and not settings.fill_chin:
        return replace(face, reason=Reason.ON_CHIN)
    return Judged(face, crop, seen, mask)


def to_edges(
    mask: NDArray[np.bool_],
    probability: NDArray[np.float32],
    seen: NDArray[np.uint8],
    threshold: float,
) -> NDArray[np.bool_]:
    """A mask, its border where the crop shows an edge; as it was where the two hardly agree.

    Straps stay as they were found: of what is that thin the filter takes bits away.

    Args:
        mask: bool (S, S), of `clean_mask`. probability: float32 (S, S). seen: uint8 (S, S, 3).
        threshold: probability from which a pixel is mask.
    """
    exact = clean_mask(snapped(probability, seen), threshold)
    if mask_overlap(exact, mask) < PAINTED.agreed:
        return mask
    return exact | (mask & ~body_of(mask))


def margin_around(crop: FaceCrop, dilation: float) -> float:
    """How far a mask is widened, as a fraction of the crop's side.

    Where few photo pixels make up the crop, what compression left around the mask's edge reaches
    further: 2.5 of them are painted at least, up to 3 % of the side.

    Args:
        dilation: the segmenter's, a fraction of the side.
    """
    return max(dilation, min(PAINTED.widest, PAINTED.ringing * crop.scale / crop.size))


def task_for(
    found: Judged, spare: Sequence[Face], config: SegmenterConfig, settings: Settings
) -> Task | Face:
    """What to paint for one face; the face with a reason when nothing is.

    Args:
        spare: faces whose boxes must not be painted in.
        config: the segmenter's, with `dilation`.
    """
    face, crop = found.face, found.crop
    margin = margin_around(crop, config.dilation)
    alpha = np.maximum(
        soft_region(body_of(found.mask), margin, settings.feather),
        soft_region(found.mask, margin, min(OVERHANG.strap_fade, settings.feather)),
    )
    height, width = face.size
    patch = patch_from_crop(alpha, crop, width, height)
    # The detector takes an ear beside a mask for a bare face now and then: one that no closer look
    # has confirmed is spared only if it is no mere part of this face.
    boxes = [o.box for o in spare if o.points is not None or o.area >= PAINTED.part * face.area]
    patch = patch and spared(patch, face.box, boxes)
    if patch is None:
        return replace(face, reason=Reason.NO_MASK)
    face = replace(face, rect=patch.rect, patch=patch.painted)
    hole = (alpha > 0) | ~crop.shows(width, height)  # beyond the photo nothing is known
    overhang = beside = None
    if (seen := found.overhang) is not None:
        where = wider(crop), margin, settings.feather, face, boxes
        overhang = overhang_patch(np.zeros_like(seen.straps), seen.large, *where)
        beside = overhang_patch(seen.straps, seen.short, *where)
    face = joined(joined(face, overhang), beside)
    return Task(face, crop, found.seen, patch, hole, overhang, beside)


def joined(face: Face, patch: Patch | None) -> Face:
    """The face, its painted pixels joined by those of a patch."""
    if patch is None:
        return face
    rect = _around(face.rect, patch.rect)
    both = np.zeros((rect[3] - rect[1], rect[2] - rect[0]), bool)
    for (x0, y0, x1, y1), part in ((face.rect, face.patch), (patch.rect, patch.painted)):
        both[y0 - rect[1] : y1 - rect[1], x0 - rect[0] : x1 - rect[0]] |= part
    return replace(face, rect=rect, patch=both)


def _around(a: Rect, b: Rect) -> Rect:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])
