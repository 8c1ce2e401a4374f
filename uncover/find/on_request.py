"""What to paint where a person says so: where a mask is given, and in a result put right."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from uncover.crop import FaceCrop, frame_around_mask
from uncover.find.finding import FaceFinder
from uncover.find.given_masks import Part, split_mask
from uncover.find.given_tasks import corrected, frame_for, from_mask
from uncover.find.tasks import SPARED, Found, Judged, Task, judge, task_for
from uncover.images import Photo
from uncover.results import Face, Reason


def tasks_given(finder: FaceFinder, photo: Photo, painted: NDArray[np.bool_]) -> list[Task]:
    """The tasks that paint exactly a mask, bool (H, W), not empty: one for each face it lies on.

    The frame of a face is guessed from the mask where no face is found.
    """
    # The mask says that there is a face: less is asked of the detector.
    faces = [f for f in finder.detections(photo) if f.score >= finder.settings.reported_score]
    parts = split_mask(painted, faces)
    rough = [
        FaceCrop.from_box(part.found.box, finder.side)
        if part.found
        else frame_around_mask(part.painted, finder.side, part.at)
        for part in parts
    ]
    level = finder.aligned(photo, rough)
    frames = [frame_for(*each) for each in zip(parts, level, rough, strict=True)]
    return [from_mask(p, c, photo.rgb) for p, c in zip(parts, frames, strict=True)]


def tasks_again(
    finder: FaceFinder,
    photo: Photo,
    faces: Sequence[Face],
    masks: Mapping[int, NDArray[np.bool_]],
    skip: Collection[int],
) -> tuple[list[Face], list[Task]]:
    """What to paint of faces that were found before, with masks put right by hand.

    Args:
        faces: as a `Result` holds them.
        masks: bool (H, W) by a face's place among them, in place of the mask it had.
        skip: places of faces that are left alone.

    Returns:
        Faces that are left alone, each with its reason, and those to fill.
    """
    aside: list[Face] = []
    tasks: list[Task] = []
    as_found: list[tuple[Face, FaceCrop]] = []
    for place, face in enumerate(faces):
        crop, mask = face.crop, masks.get(place)
        if place in skip:
            aside.append(_unpainted(face, face.reason or Reason.STRUCK_OUT))
        elif mask is not None and not mask.any():
            aside.append(_unpainted(face, Reason.NO_MASK))
        elif mask is None and face.reason is not None:
            aside.append(face)
        elif mask is None and crop is not None and face.outlined == "found":
            as_found.append((face, crop))
        elif mask is None and crop is not None and face.outlined == "given":
            part = Part(face.rect, face.patch, Found(face.box, face.label, face.score))
            tasks.append(from_mask(part, crop, photo.rgb))
        else:
            tasks.append(_corrected(finder, photo, face, face.mask if mask is None else mask))
    spare = [face for face in faces if face.reason in SPARED]
    return aside, [*tasks, *_as_found(finder, photo, as_found, spare)]


def _as_found(
    finder: FaceFinder, photo: Photo, found: Sequence[tuple[Face, FaceCrop]], spare: Sequence[Face]
) -> list[Task]:
    """What painted faces at first, which their masks alone do not tell: what of them fades,
    and what lies outside their crops. A face that is judged otherwise now keeps its mask."""
    config = finder.segmenter.config
    settings = replace(finder.settings, fill_chin=True, fill_any=True)
    looks = finder.looked_at(photo, [crop for _, crop in found])
    judged = [
        judge(face, crop, look.seen, look.probability, config, settings)
        for (face, crop), look in zip(found, looks, strict=True)
    ]
    worn = iter(finder.with_overhang(photo, [each for each in judged if isinstance(each, Judged)]))
    tasks: list[Task] = []
    for (face, _), each in zip(found, judged, strict=True):
        again = each if isinstance(each, Face) else task_for(next(worn), spare, config, settings)
        if isinstance(again, Face):
            again = _corrected(finder, photo, face, face.mask)
        tasks.append(again)
    return tasks


def _corrected(finder: FaceFinder, photo: Photo, face: Face, mask: NDArray[np.bool_]) -> Task:
    """What paints a face where a mask, bool (H, W), not empty, says."""
    crop = face.crop
    if crop is None:
        rough = FaceCrop.from_box(face.box, finder.side)
        crop = finder.aligned(photo, [rough])[0] or rough
    return corrected(face, mask, crop, photo.rgb, finder.settings.feather)


def _unpainted(face: Face, reason: Reason) -> Face:
    return replace(face, reason=reason, rect=(0, 0, 0, 0), patch=np.zeros((0, 0), bool))
