"""What of a mask lies outside its face's crop: found by a wider look.

The crop ends near the ears, so that straps and, on a turned head, a part of the mask itself would
be left standing. What is thin or short is painted over from beside it (Telea, "An image inpainting
technique based on the fast marching method", 2004). The side of a large mask is for the generator,
which sees the wider frame for it (`uncover.paint.painting`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from uncover.crop import FaceCrop, Patch, disc, patch_from_crop, spared

if TYPE_CHECKING:
    from uncover.results import Face


@dataclass(frozen=True)
class OverhangLimits:
    """What of the pixels found outside a crop is mask, of which kind, and how it is painted.

    `strap_fade`, `strap`, `deep`, `sure`, `sure_below`, the arc and `gaiter` were set by looking at
    web photos (docs/history.md); what the others were chosen on was not written down.

    Attributes:
        reach: side of the wider frame, in crop sides.
        strap_fade: width of the fade beside a strap, in crop sides: ears beside one are to stay.
        thin: half the width of a strap is at most this part of the wider frame's side.
        beside: what is thin is a strap when it lies at most this far from the crop's left or right
            edge, in crop sides; in the middle it is a mask's tip.
        strap: a strap's pixels have at least this times the threshold; with less, ears that loops
            lie around are called straps.
        over: what reaches further out of the crop at the sides than this, in crop sides, is large.
        scarf: what leaves the wider frame below is no mask when it is at least so wide there, in
            crop sides.
        arc_centre, arc_half, arc_depth: of the arc below the chin: height of its centre, half its
            width, and its depth, in crop sides.
        gaiter: a mask may be a gaiter when it is at least so wide at its crop's lower edge, in crop
            sides; what is narrower is the corner of a mask, or a hand.
        deep: what reaches further below the crop, in crop sides, may be a collar or a neck.
        near_below: a mask that ends so near its crop's lower edge, in crop sides, may go on.
        widened: a painted strap is wider by this, in crop sides, than what was seen of it.
        rim: what lies so near a body, in parts of the wider frame's side, is its rim, and no strap.
        sure: what lies outside is mask when its mean probability is at least this,
        sure_below: or this, where it reaches deep below.
        touch: a strap begins at most this far from the mask in the crop, in parts of the wider
            frame's side.
    """

    reach: float = 1.35
    strap_fade: float = 0.012
    thin: float = 0.028
    beside: float = 0.24
    strap: float = 1.1
    over: float = 0.05
    scarf: float = 0.2
    arc_centre: float = 0.5
    arc_half: float = 0.48
    arc_depth: float = 0.43
    gaiter: float = 0.4
    deep: float = 0.085
    near_below: float = 0.024
    widened: float = 0.06
    rim: float = 0.008
    sure: float = 0.72
    sure_below: float = 0.9
    touch: float = 0.024


OVERHANG = OverhangLimits()


@dataclass(frozen=True, eq=False)
class Overhang:
    """What of a mask lies outside its face's crop; each bool (S, S) of the wider frame.

    Attributes:
        straps: what is thin.
        short: what is wider, and reaches out at the sides by a little only, or below.
        large: what reaches out further at the sides.
    """

    straps: NDArray[np.bool_]
    short: NDArray[np.bool_]
    large: NDArray[np.bool_]


def is_cut_off(mask: NDArray[np.bool_]) -> bool:
    """Whether a mask, bool (S, S), touches its crop's edge, or all but touches the lower one."""
    below = mask[-max(2, round(OVERHANG.near_below * len(mask))) :]
    return bool(mask[:, :2].any() or mask[:, -2:].any() or mask[:2].any() or below.any())


def is_scarf(seen: NDArray[np.bool_], mask: NDArray[np.bool_]) -> bool:
    """Whether a mask goes on below its crop and out of the wider frame, as a scarf or gaiter does.

    Args:
        seen: bool (S, S), mask in the wider frame, as far as that shows the photo.
        mask: bool (S, S), the mask in the crop.
    """
    side = len(mask)
    if mask[-2:].any(0).sum() < OVERHANG.gaiter * side:
        return False
    count, labels = cv2.connectedComponents(seen.view(np.uint8), connectivity=8)
    ways_out = labels[_central(side, 0.5)[0].stop], labels[-2:].max(0)
    width = np.minimum(*(np.bincount(way, minlength=count) for way in ways_out))
    return bool((width[1:] >= OVERHANG.scarf * side / OVERHANG.reach).any())


def pulled_down(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of a scarf before a face, bool (S, S), the part above an arc below the chin, and straps: what
    is left of it lies around the neck."""
    side = len(mask)
    centre = round(0.5 * side), round(OVERHANG.arc_centre * side)
    half = round(OVERHANG.arc_half * side), round(OVERHANG.arc_depth * side)
    face = np.zeros(mask.shape, np.uint8)
    cv2.ellipse(face, centre, half, 0, 0, 180, 1, -1)
    face[: centre[1]] = 1
    return mask & ((face > 0) | ~body_of(mask))


def wider(crop: FaceCrop) -> FaceCrop:
    """The crop, zoomed out about its centre."""
    matrix = crop.matrix / OVERHANG.reach
    matrix[:, 2] += (1 - 1 / OVERHANG.reach) * (crop.size - 1) / 2
    return FaceCrop(matrix, crop.size)


def body_of(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A mask in its crop, bool (S, S), without its straps: what is thin near the crop's sides."""
    beside = round(OVERHANG.beside * len(mask))
    body = mask.copy()
    body[:, :beside] = body[:, -beside:] = False
    return body | _body(mask, OVERHANG.thin * OVERHANG.reach * len(mask))


def find_overhang(
    probability: NDArray[np.float32],
    mask: NDArray[np.bool_],
    threshold: float,
    feather: float,
    visible: NDArray[np.bool_],
) -> Overhang:
    """What of a mask lies outside the crop, and in its outer rim, where what is painted fades.

    Args:
        probability: float32 (S, S), what the segmenter says of the wider frame.
        mask: bool (S, S), the mask in the crop itself.
        threshold: probability from which a pixel is mask; a strap must be a little surer.
        feather: width of the rim, as a fraction of the crop's side.
        visible: bool (S, S), where the wider frame shows the photo (`FaceCrop.shows`).

    Returns:
        The pieces that begin at the mask. Left out is what goes on below as a scarf does, and what
        is not surely mask: ears, collars and necks.
    """
    side = mask.shape[0]
    thin = probability >= OVERHANG.strap * threshold
    body = _body(probability >= threshold, OVERHANG.thin * side)
    rim = cv2.dilate(body.view(np.uint8), _disc(OVERHANG.rim * side)) > 0
    thin[rim] = False  # of a body, and no strap
    body &= visible
    for part in (thin, body, rim):
        part[_central(side, 0.5 - feather)] = False
    pieces = _beginning_at(mask, thin | rim)
    count, labels = cv2.connectedComponents((body & pieces).view(np.uint8), connectivity=8)
    leaving = np.bincount(labels[-2:].max(0), minlength=count)
    sure = np.bincount(labels.ravel(), probability.ravel(), count)
    size = np.bincount(labels.ravel(), minlength=count)
    worn = sure >= OVERHANG.sure * size
    worn[0] = False
    worn[leaving >= OVERHANG.scarf * side / OVERHANG.reach] = False
    deep = np.zeros(count, bool)
    deep[labels[_central(side, 0.5 + OVERHANG.deep)[0].stop :]] = True
    worn &= ~deep | (sure >= OVERHANG.sure_below * size)
    wide = worn[labels]
    near = cv2.dilate(wide.view(np.uint8), _disc(OVERHANG.rim * side)) > 0
    straps = thin & _beginning_at(mask, thin | (rim & near))
    aside = np.ones(wide.shape, bool)
    aside[:, _central(side, 0.5 + OVERHANG.over)[1]] = False
    large = np.zeros(count, bool)
    large[labels[wide & aside]] = True
    return Overhang(straps, wide & ~large[labels], wide & large[labels])


def _beginning_at(mask: NDArray[np.bool_], pieces: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The connected pieces of the wider frame, bool (S, S), that reach from the mask in the crop,
    bool (S, S), beyond it."""
    side = mask.shape[0]
    shift = (1 - 1 / OVERHANG.reach) * (side - 1) / 2
    zoom = np.array([[1 / OVERHANG.reach, 0, shift], [0, 1 / OVERHANG.reach, shift]])
    known = cv2.warpAffine(mask.view(np.uint8), zoom, (side, side), flags=cv2.INTER_LINEAR)
    begins = cv2.dilate(known, _disc(OVERHANG.touch * side)) > 0
    count, labels = cv2.connectedComponents(pieces.view(np.uint8), connectivity=8)
    leaving = np.ones((side, side), bool)
    leaving[_central(side, 0.5)] = False
    kept = np.zeros(count, bool)
    kept[np.intersect1d(labels[begins], labels[leaving])] = True
    kept[0] = False
    return kept[labels]


def overhang_patch(
    straps: NDArray[np.bool_],
    wide: NDArray[np.bool_],
    frame: FaceCrop,
    dilation: float,
    feather: float,
    face: Face,
    spare: Sequence[Sequence[float]] = (),
) -> Patch | None:
    """The photo pixels to paint outside a crop; None when there are none.

    Args:
        straps, wide: bool (S, S) of the wider frame: parts of an `Overhang`.
        frame: the wider frame.
        dilation, feather: as for the mask, in fractions of the crop's side.
        face: whose mask it is.
        spare: boxes in which nothing is painted.
    """
    unit = len(straps) / OVERHANG.reach
    alpha = np.zeros(straps.shape, np.float32)
    for region, fade in ((straps, min(OVERHANG.strap_fade, feather)), (wide, feather)):
        if region.any():
            distance = cv2.distanceTransform((~region).view(np.uint8), cv2.DIST_L2, 5)
            ramp = 1 - (distance - dilation * unit) / max(fade * unit, 1.0)
            alpha = np.maximum(alpha, np.clip(ramp, 0, 1))
    if not alpha.any():
        return None
    height, width = face.size
    patch = patch_from_crop(alpha.astype(np.float32), frame, width, height)
    return patch and spared(patch, face.box, spare)


def apart(
    painted: NDArray[np.bool_], crop: FaceCrop, at: tuple[int, int] = (0, 0)
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """A mask given by hand in two: what is painted in its face's crop, and straps outside it.

    Args:
        painted: bool (h, w), a rectangle of a photo whose first pixel (x, y) is `at`.
    """
    beyond = painted & ~_within(crop, painted.shape, at)
    if beyond.any():
        # Painted pixels are the strap's own and those it was widened by.
        reach = (OVERHANG.thin * OVERHANG.reach + OVERHANG.widened) * crop.size / crop.scale
        beyond &= ~_body(painted, reach, cv2.BORDER_CONSTANT)
    return painted & ~beyond, beyond


def _within(crop: FaceCrop, shape: tuple[int, ...], at: tuple[int, int]) -> NDArray[np.bool_]:
    """Which pixels of a rectangle of a photo, bool (h, w), lie in a crop."""
    inside = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(inside, np.round(crop.corners() - at).astype(np.int32), 1)
    return inside > 0


def _body(
    mask: NDArray[np.bool_], radius: float, border: int = cv2.BORDER_REPLICATE
) -> NDArray[np.bool_]:
    """The mask without what is narrower than a disc of a radius: a morphological opening.

    `uncover.crop.opened` does the same with a disc of whole pixels; here it is exact, and as fast
    for a large one.

    border: how the mask goes on beyond the edge; by default as it is there.
    """
    framed = cv2.copyMakeBorder(mask.view(np.uint8), 1, 1, 1, 1, border)
    core = cv2.distanceTransform(framed, cv2.DIST_L2, 5) > radius + 0.5
    if not core.any():
        return np.zeros_like(mask)
    near = cv2.distanceTransform((~core).view(np.uint8), cv2.DIST_L2, 5) <= radius + 0.5
    return near[1:-1, 1:-1] & mask


def _disc(radius: float) -> NDArray[np.uint8]:
    return disc(max(1, round(radius)))


def _central(side: int, half: float) -> tuple[slice, slice]:
    """Rows and columns of the wider frame at most `half` crop sides from its centre."""
    lo = int(np.ceil(side / 2 - half * side / OVERHANG.reach))
    return slice(lo, side - lo), slice(lo, side - lo)
