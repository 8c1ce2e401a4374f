"""From a mask probability in a face crop to the pixels to paint."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from uncover.crop.geometry import TEMPLATE_5, FaceCrop, Rect


@dataclass(frozen=True)
class MaskShape:
    """What of a segmenter's answer is this face's mask.

    `whole` and `strap` were chosen on masks that `uncover.masking` draws; what the others were
    chosen on was not written down.

    Attributes:
        smallest: a mask covers more of the crop than this.
        face_x, face_y, face_width, face_height: centre and half axes of an ellipse around the
            lower face, in crop sides.
        on_face: of a piece at least this part of `smallest` lies in that ellipse.
        bridge: height between eyes and nose tip, in crop sides.
        below: at least this share of a piece lies below `bridge`; glasses do not.
        companion: other pieces count when they have this part of the largest one's area.
        strap: what is narrower than this part of the crop is a strap, not a mask's body.
        whole: of its convex hull a mask's body covers at least this.
        bare_mouth: a mask that covers less of the mouth hangs on the chin.
        mouth: width of the line from one corner of the mouth to the other that counts as the
            mouth, in crop sides.
        outline: a mask's outline strays from its border by at most this part of the picture's
            longer side.
    """

    smallest: float = 0.004
    face_x: float = 0.5
    face_y: float = 0.66
    face_width: float = 0.27
    face_height: float = 0.30
    on_face: float = 0.25
    bridge: float = 0.40
    below: float = 0.5
    companion: float = 0.08
    strap: float = 0.1
    whole: float = 0.85
    bare_mouth: float = 0.3
    mouth: float = 0.02
    outline: float = 0.003


SHAPE = MaskShape()


def disc(radius: int) -> NDArray[np.uint8]:
    """OpenCV's kernel of a round brush, uint8 (2 radius + 1, 2 radius + 1)."""
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))


def opened(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """A mask, bool (h, w), without what is narrower than a disc of a radius in pixels.

    What touches the array's edge counts as going on beyond it.
    """
    return cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_OPEN, disc(radius)) > 0


def clean_mask(probability: NDArray[np.float32], threshold: float) -> NDArray[np.bool_]:
    """The mask of this crop's face: pieces on the lower face, without holes.

    Args:
        probability: float32 (S, S) in 0..1.
        threshold: probability from which a pixel is mask.

    Returns:
        bool (S, S); all False when no piece is large enough.
    """
    side = probability.shape[0]
    raw = (probability >= threshold).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(raw, connectivity=8)
    face = np.zeros_like(raw)
    centre = round(SHAPE.face_x * side), round(SHAPE.face_y * side)
    half = round(SHAPE.face_width * side), round(SHAPE.face_height * side)
    cv2.ellipse(face, centre, half, 0, 0, 360, 1, -1)
    bridge = int(np.ceil(SHAPE.bridge * side))
    keep: list[int] = []
    for index in range(1, count):
        x, y, width, height, area = stats[index]
        piece = labels[y : y + height, x : x + width] == index
        below = int(piece[max(0, bridge - y) :].sum())
        on_face = int(face[y : y + height, x : x + width][piece].sum())
        enough = on_face >= SHAPE.on_face * SHAPE.smallest * side * side
        if enough and below >= SHAPE.below * area:
            keep.append(index)
    areas = {index: int(stats[index, cv2.CC_STAT_AREA]) for index in keep}
    largest = max(areas.values(), default=0)
    if largest < SHAPE.smallest * side * side:
        return np.zeros(raw.shape, bool)
    chosen = np.zeros(count, np.uint8)
    chosen[[i for i, area in areas.items() if area >= SHAPE.companion * largest]] = 1
    outlines, _ = cv2.findContours(chosen[labels], cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    solid = np.zeros_like(raw)
    cv2.drawContours(solid, outlines, -1, 1, thickness=cv2.FILLED)
    return rounded_out(solid > 0)


def rounded_out(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A mask of which a print or a fold hid a part, made whole; others as they are.

    Masks are nearly convex but for their straps: of those drawn by `uncover.masking` nine in ten
    cover 96 % of their hull, nineteen in twenty 87 %. A body that covers less gets its hull.

    Args:
        mask: bool (S, S).
    """
    side = mask.shape[0]
    radius = round(SHAPE.strap * side / 2)
    reach = 2 * radius + 1
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return mask
    near = tuple(
        slice(max(0, at[0] - reach), min(side, at[-1] + reach + 1)) for at in (rows, columns)
    )
    body = opened(np.ascontiguousarray(mask[near]), radius).view(np.uint8)
    outlines, _ = cv2.findContours(body, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not outlines:
        return mask
    hull = np.zeros_like(body)
    cv2.fillConvexPoly(hull, cv2.convexHull(np.concatenate(outlines)), 1)
    if cv2.countNonZero(body) >= SHAPE.whole * cv2.countNonZero(hull):
        return mask
    whole = mask.copy()
    whole[near] |= hull > 0
    return whole


def is_on_chin(mask: NDArray[np.bool_], points: NDArray[np.floating] | None = None) -> bool:
    """Whether a worn mask, bool (S, S), leaves the mouth free.

    Args:
        mask: the mask in the crop.
        points: (5, 2) in crop pixels; the canonical places when None.
    """
    covered = mouth_covered(mask, points)
    return covered is not None and covered < SHAPE.bare_mouth


def mouth_covered(
    mask: NDArray[np.bool_], points: NDArray[np.floating] | None = None
) -> float | None:
    """Share of the mouth that a mask covers; None where the mouth lies outside the crop.

    Arguments as for `is_on_chin`.
    """
    side = mask.shape[0]
    pts = TEMPLATE_5 * side if points is None else np.asarray(points, float)
    mouth = np.zeros(mask.shape, np.uint8)
    left, right = (tuple(round(float(v)) for v in p) for p in pts[3:5])
    cv2.line(mouth, left, right, 1, thickness=max(1, round(SHAPE.mouth * side)))
    inside = mouth > 0
    return float(mask[inside].mean()) if inside.any() else None


def soft_region(mask: NDArray[np.bool_], dilation: float, feather: float) -> NDArray[np.float32]:
    """Widen a mask and give it a soft outer ring.

    Args:
        mask: bool (S, S).
        dilation: how far it is widened, as a fraction of S; weight 1 up to there.
        feather: width of the ring in which the weight falls to 0, as a fraction of S. At the
            crop's own edge the weight falls off too.

    Returns:
        float32 (S, S) in 0..1.
    """
    side = mask.shape[0]
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    ring = max(feather * side, 1.0)
    ramp = np.clip(1 - (distance - dilation * side) / ring, 0, 1)
    alpha = ramp * ramp * (3 - 2 * ramp)
    from_edge = np.minimum(np.arange(side), np.arange(side)[::-1]) + 0.5
    fade = np.clip(from_edge / ring, 0, 1)
    return (alpha * np.minimum(fade[:, None], fade[None, :])).astype(np.float32)


def hole_in_crop(
    crop: FaceCrop,
    mask: NDArray[np.bool_],
    rect: Rect | None = None,
    size: tuple[int, int] | None = None,
) -> NDArray[np.bool_]:
    """The crop pixels, bool (S, S), in which any pixel of a photo's mask has a part.

    Args:
        crop: where the face lies.
        mask: bool, the photo's whole mask, or the part of it in `rect`.
        rect: that rectangle; the whole photo when None.
        size: (height, width) of the photo; the mask's own when None.
    """
    height, width = size or mask.shape
    part = mask.astype(np.uint8) * 255
    return crop.extract_part(part, rect or (0, 0, width, height), (height, width)) > 0


def outline(
    mask: NDArray[np.bool_],
    crop: FaceCrop | None = None,
    *,
    at: tuple[int, int] = (0, 0),
    extent: int | None = None,
) -> list[tuple[float, float]]:
    """The largest piece of a mask as a polygon in photo pixels; empty for an empty mask.

    Args:
        mask: bool (h, w), of a crop, a photo, or a rectangle of a photo.
        crop: the crop that the mask is of, if it is.
        at: the rectangle's first pixel (x, y).
        extent: longer side of the picture, to which the polygon's tolerance is in proportion;
            the mask's own when None.
    """
    contours, _ = cv2.findContours(
        mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE, offset=at
    )
    if not contours:
        return []
    largest = max(contours, key=lambda c: (cv2.contourArea(c), len(c)))
    tolerance = SHAPE.outline * (extent or max(mask.shape))
    polygon = cv2.approxPolyDP(largest, tolerance, closed=True)[:, 0].astype(float)
    if crop is not None:
        polygon = crop.to_photo(polygon)
    return [(round(float(x), 1), round(float(y), 1)) for x, y in polygon]
