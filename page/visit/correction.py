"""Masks put right by hand: faces struck out, masks repainted, and the photo filled again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from page.show import caption, zoom_rect
from uncover.crop import FaceCrop, Patch, Rect, hole_in_crop, outline, refine, widened_to
from uncover.find import SPARED, Judged, Task, apart, joined, judge, task_for, whole_mask
from uncover.images import Photo
from uncover.paint import Blend, answers, paint_task
from uncover.pipeline import Uncoverer
from uncover.results import Face, Result

REGION_SIDE = 384
"""Longer side of the picture in which one face's mask is repainted."""
PHOTO_SIDE = 768
"""The same for the whole photo, in which missed faces are painted."""
MOST_FACES = 24


@dataclass(frozen=True)
class Region:
    """A part of the photo in which a mask can be repainted.

    Attributes:
        rect: photo rectangle (x0, y0, x1, y1).
        size: (width, height) in which it is shown and painted.
        title: what it shows, for people.
        face: index of its face; None for the whole photo.
    """

    rect: Rect
    size: tuple[int, int]
    title: str
    face: int | None


@dataclass(frozen=True, eq=False)
class Correction:
    """What to do with one region: fill it or not, and its new mask, bool (h, w) of its rect.

    A mask of None leaves the one that was found.
    """

    fill: bool
    mask: NDArray[np.bool_] | None = None


def make_regions(faces: Sequence[Face], width: int, height: int) -> tuple[Region, ...]:
    """One region per face, at most `MOST_FACES`, and one for the whole photo."""
    regions = []
    for index, face in enumerate(faces[:MOST_FACES]):
        rect = zoom_rect(_with_patch(face), (height, width), margin=0.15)
        regions.append(Region(rect, _shown(rect, REGION_SIDE), caption(face, index + 1), index))
    whole = (0, 0, width, height)
    title = "Whole photo: paint over a mask that was missed"
    return *regions, Region(whole, _shown(whole, PHOTO_SIDE), title, None)


def _with_patch(face: Face) -> tuple[float, float, float, float]:
    """The face's box, widened to what is painted."""
    if not face.patch.any():
        return face.box
    (a, b, c, d), (e, f, g, h) = face.box, face.rect
    return min(a, e), min(b, f), max(c, g), max(d, h)


def _shown(rect: Rect, side: int) -> tuple[int, int]:
    width, height = rect[2] - rect[0], rect[3] - rect[1]
    scale = side / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def region_image(photo: NDArray[np.uint8], region: Region) -> NDArray[np.uint8]:
    """What the region shows of the photo, at the size at which it is painted."""
    x0, y0, x1, y1 = region.rect
    how = cv2.INTER_AREA if region.size[0] < x1 - x0 else cv2.INTER_CUBIC
    return cv2.resize(photo[y0:y1, x0:x1], region.size, interpolation=how)


def region_mask(face: Face | None, region: Region) -> NDArray[np.bool_]:
    """The mask that was found, at the size at which it is painted; empty without a face."""
    x0, y0, x1, y1 = region.rect
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    if face is not None and face.patch.any():
        left, top, right, bottom = face.rect
        mask[top - y0 : bottom - y0, left - x0 : right - x0] = face.patch * np.uint8(255)
    return _resized(mask, region.size)


def to_photo_size(mask: NDArray[np.bool_], region: Region) -> NDArray[np.bool_]:
    """A painted mask of the region's size, carried to the pixels of its photo rectangle."""
    x0, y0, x1, y1 = region.rect
    return _resized(mask.astype(np.uint8) * np.uint8(255), (x1 - x0, y1 - y0))


def _resized(mask: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.bool_]:
    how = cv2.INTER_AREA if size[0] < mask.shape[1] else cv2.INTER_LINEAR
    return cv2.resize(mask, size, interpolation=how) > 127


def fill_again(
    uncoverer: Uncoverer,
    photo: Photo,
    faces: Sequence[Face],
    regions: Sequence[Region],
    corrections: Sequence[Correction],
    blend: Blend = "feather",
    samples: int = 1,
) -> Result:
    """Paint a photo anew, with faces left out and masks changed as the corrections say.

    Args:
        faces: as `Uncoverer` found them.
        regions: from `make_regions` for these faces.
        corrections: one per region.
        samples: how many different faces to paint; the first is the best guess.

    Returns:
        The painted photo. A face that is struck out has the reason "struck out", one that is to
        be filled but has no mask the reason "no mask pixels found".

    Raises:
        UncoverError: several samples of a generator that has one answer.
    """
    layers = [photo.rgb.copy() for _ in range(samples)]
    shape = photo.rgb.shape[:2]
    done: list[Face] = []
    jobs: list[tuple[Face, NDArray[np.bool_] | None]] = []
    for region, change in zip(regions, corrections, strict=True):
        mask = None
        if change.mask is not None and change.mask.any():
            mask = np.zeros(shape, bool)
            mask[region.rect[1] : region.rect[3], region.rect[0] : region.rect[2]] = change.mask
        if region.face is None:
            if change.fill and mask is not None:
                missed = uncoverer.fill(photo, mask, blend=blend, samples=samples)
                layers = [pixels.copy() for pixels in (missed.pixels, *missed.others)]
                done += missed.faces
            continue
        face = faces[region.face]
        emptied = change.mask is not None and mask is None
        if not change.fill:
            done.append(_aside(face, face.reason or "struck out"))
        elif emptied or (mask is None and not face.patch.any()):
            done.append(_aside(face, "no mask pixels found"))
        else:
            jobs.append((face, mask))
    listed = {region.face for region in regions}
    jobs += [
        (face, None) for i, face in enumerate(faces) if i not in listed and face.reason is None
    ]
    done += [face for i, face in enumerate(faces) if i not in listed and face.reason is not None]
    jobs.sort(key=lambda job: job[0].area)
    bare = [face for face in faces if face.reason in SPARED]
    for face, mask in jobs:
        if mask is None:
            task = _as_found(uncoverer, photo, face, bare)
        else:
            task = _by_hand(uncoverer, photo, face, mask)
        done.append(_fill_face(uncoverer, layers, task, blend))
    done.sort(key=lambda face: (face.reason is not None, -face.area))
    return Result(photo, layers[0], done, photo.warnings, tuple(layers[1:]))


def _aside(face: Face, reason: str) -> Face:
    return replace(face, reason=reason, rect=(0, 0, 0, 0), patch=np.zeros((0, 0), bool))


def _fill_face(
    uncoverer: Uncoverer, layers: Sequence[NDArray[np.uint8]], task: Task, blend: Blend
) -> Face:
    """Paint one face, another answer into each of `layers`."""
    filled = answers(uncoverer.generator, task.seen[None], task.hole[None], len(layers))[:, 0]
    for pixels, picture in zip(layers, filled, strict=True):
        paint_task(pixels, task, picture, blend, uncoverer.generator)
    return replace(task.face, reason=None, roll=task.crop.roll, crop=task.crop)


def _as_found(uncoverer: Uncoverer, photo: Photo, face: Face, bare: Sequence[Face]) -> Task:
    """What painted a face at first: which pixels were hidden its mask alone does not tell."""
    crop = face.crop
    if crop is not None:
        seen = crop.extract(photo.rgb)
        probability = uncoverer.segmenter.segment(seen[None]).probability[0]
        settings = replace(uncoverer.settings, fill_chin=True)
        config = uncoverer.segmenter.config
        found = judge(face, crop, seen, probability, config, settings)
        if isinstance(found, Judged):
            (found,) = uncoverer.finder(settings).with_outside(photo, [found])
            task = task_for(found, bare, config, settings)
            if isinstance(task, Task):
                return task
    return _by_hand(uncoverer, photo, face, face.mask)


def _by_hand(uncoverer: Uncoverer, photo: Photo, face: Face, mask: NDArray[np.bool_]) -> Task:
    """What paints a face where a mask, bool (H, W), not empty, says."""
    crop = face.crop
    if crop is None:
        rough = FaceCrop.from_box(face.box, int(uncoverer.generator.config.resolution))
        points = uncoverer.segmenter.segment(rough.extract(photo.rgb)[None]).points[0]
        crop = refine(rough, points) or rough
    part = whole_mask(mask)
    body, straps = apart(part.painted, crop, part.at)
    beside = None
    if body.any() and straps.any():
        beside = Patch(part.rect, straps.astype(np.float32))
        part = replace(part, painted=body)
    crop = widened_to(crop, part.painted, at=part.at)
    face = replace(face, rect=part.rect, patch=part.painted, polygon=outline(mask))
    alpha = soft_edge(face, uncoverer.settings.feather * crop.size / crop.scale)
    hole = hole_in_crop(crop, face.patch, face.rect, face.size)
    seen = crop.extract(photo.rgb)
    patch = Patch(face.rect, alpha)
    return Task(joined(face, beside), crop, seen, patch, hole, beside=beside)


def soft_edge(face: Face, ring: float) -> NDArray[np.float32]:
    """Weights for a face's painted pixels: 1 inside, falling off over the outer `ring` pixels.

    Returns:
        float32 (h, w) of the face's rectangle, above 0 exactly where it is painted. At the
        photo's own edge nothing falls off.
    """
    height, width = face.size
    x0, y0, x1, y1 = face.rect
    inside = face.patch.astype(np.uint8)
    pads = [int(y0 > 0), int(y1 < height), int(x0 > 0), int(x1 < width)]
    framed = cv2.copyMakeBorder(inside, *pads, cv2.BORDER_CONSTANT, value=0)
    if framed.all():
        return inside.astype(np.float32)
    distance = cv2.distanceTransform(framed, cv2.DIST_L2, 5)
    distance = distance[pads[0] : pads[0] + y1 - y0, pads[2] : pads[2] + x1 - x0]
    ramp = np.clip(distance / max(ring, 1.0), 0, 1)
    alpha = (ramp * ramp * (3 - 2 * ramp)).astype(np.float32)
    return np.where(face.patch, np.maximum(alpha, np.float32(1 / 256)), np.float32(0))
