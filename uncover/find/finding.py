"""Finds the faces of a photo, frames them, and says which are to be filled, and where."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from uncover.crop import FaceCrop, is_same_face, moved, overlap, refine
from uncover.find.overhang import find_overhang, is_cut_off, is_scarf, pulled_down, wider
from uncover.find.skin import skin_like, without_ears
from uncover.find.tasks import (
    BARE,
    MASKED,
    SAME_FACE,
    SPARED,
    Found,
    Judged,
    Task,
    believed,
    is_part_of,
    judge,
    task_for,
    why_not,
)
from uncover.find.turning import (
    TURNING,
    Way,
    chosen,
    frame_of_box,
    turned,
    turned_back,
)
from uncover.images import Photo
from uncover.results import Face, Reason
from uncover.settings import Detector, Segmenter, Settings, Watch, unwatched

T = TypeVar("T")


class Look(NamedTuple):
    """What the segmenter says of a crop.

    Attributes:
        seen: uint8 (S, S, 3), the crop.
        probability: float32 (S, S), that a pixel is mask.
        points: float32 (5, 2), the face's five points in crop pixels.
        presence: the probability that the crop shows a face.
    """

    seen: NDArray[np.uint8]
    probability: NDArray[np.float32]
    points: NDArray[np.float32]
    presence: float


class Examined(NamedTuple):
    """A face that was looked at closely, its upright frame, and what that shows."""

    face: Face
    crop: FaceCrop
    look: Look


@dataclass(frozen=True, eq=False)
class FaceFinder:
    """Looks for the faces of photos: which there are, which to fill, and which of their pixels.

    Attributes:
        side: side of the crops that are looked at, in pixels.
        watch: told of the stages "detect", "align" and "segment".
    """

    detector: Detector
    segmenter: Segmenter
    settings: Settings
    side: int
    watch: Watch = unwatched

    def detections(self, photo: Photo, quarter: int = 0) -> list[Found]:
        """What the detector finds, best first, one find per face.

        quarter: quarter turns, counter-clockwise, that make the photo upright.
        """
        found = self._detected(turned(photo.rgb, quarter))
        wide, high = photo.width, photo.height
        return [f._replace(box=turned_back(f.box, quarter, wide, high)) for f in found]

    def _detected(self, rgb: NDArray[np.uint8]) -> list[Found]:
        with self.watch("detect"):
            found = self.detector.detect([rgb])[0]
        order = np.argsort(-np.asarray(found.scores), kind="stable")
        kept: list[Found] = []
        for i in order:
            x0, y0, x1, y1 = (float(v) for v in found.boxes[i])
            box = (x0, y0, x1, y1)
            usable = np.isfinite(box).all() and x1 > x0 and y1 > y0
            if usable and all(overlap(box, other.box) < SAME_FACE.overlap for other in kept):
                kept.append(Found(box, str(found.labels[i]), float(found.scores[i])))
        return kept

    def analyse(self, photo: Photo) -> tuple[list[Face], list[Task]]:
        """Faces that are left alone, each with its reason, and those to fill.

        Bare ones that are large enough are looked at as closely as masked ones, since a detector
        hardly sees a mask that hangs on the chin, and overlooks a worn one now and then.
        """
        aside: list[Face] = []
        judged: list[Judged] = []
        overruled: list[tuple[Face, Judged]] = []  # called bare, and surely masked
        unclear = False
        examined = self._examined(photo, aside)
        upright = _way(0, [(each.face.score, each.look.presence) for each in examined])
        if not upright.sure and (examined or not aside):
            way = chosen(upright, self._turned_ways(photo))
            unclear = way is None
            if way is not None and way.quarter:
                aside = []
                examined = self._examined(photo, aside, way.quarter)
        config = self.segmenter.config
        for face, crop, look in examined:
            if believed(look.presence, face.score) < config.presence:
                reason = Reason.BARE if face.label == BARE else Reason.NO_FACE
                aside.append(replace(face, reason=reason))
                continue
            face = replace(face, roll=crop.roll, points=crop.to_photo(look.points), crop=crop)
            found = judge(face, crop, look.seen, look.probability, config, self.settings)
            if isinstance(found, Face):
                aside.append(found)
            elif unclear:
                aside.append(replace(found.face, reason=Reason.UNCLEAR))
            elif face.label == BARE and found.face.label == MASKED:
                overruled.append((face, found))
            else:
                judged.append(found)
        for face, found in overruled:
            if any(is_same_face(found.crop, other.crop) for other in judged):
                continue
            if any(is_part_of(found.face, other.face) for other in judged):
                aside.append(replace(face, reason=Reason.BARE))
            else:
                judged.append(found)
        judged = self.with_overhang(photo, judged)
        spare = [face for face in aside if face.reason in SPARED]
        tasks: list[Task] = []
        for each in judged:
            task = task_for(each, spare, config, self.settings)
            if isinstance(task, Face):
                aside.append(task)
            else:
                tasks.append(task)
        return aside, tasks

    def with_overhang(self, photo: Photo, judged: list[Judged]) -> list[Judged]:
        """The same, and of masks that their crops cut off what lies outside."""
        cut = [i for i, each in enumerate(judged) if is_cut_off(each.mask)]
        frames = [wider(judged[i].crop) for i in cut]
        judged = list(judged)
        for i, frame, look in zip(cut, frames, self.looked_at(photo, frames), strict=True):
            threshold, feather = self.segmenter.config.threshold, self.settings.feather
            visible = frame.shows(photo.width, photo.height)
            overhang = find_overhang(look.probability, judged[i].mask, threshold, feather, visible)
            overhang = without_ears(overhang, skin_like(look.seen, look.probability))
            judged[i] = replace(judged[i], overhang=overhang)
            if is_scarf((look.probability >= threshold) & visible, judged[i].mask):
                judged[i] = replace(judged[i], mask=pulled_down(judged[i].mask))
        return judged

    def _turned_ways(self, photo: Photo) -> list[Way]:
        """How sure the best face would be if the photo, seen small, lay on another side."""
        zoom = min(1.0, TURNING.side / max(photo.width, photo.height))
        size = max(1, round(zoom * photo.width)), max(1, round(zoom * photo.height))
        small = cv2.resize(photo.rgb, size, interpolation=cv2.INTER_AREA) if zoom < 1 else photo.rgb
        ways: list[Way] = []
        for quarter in (1, 2, 3):
            rgb = turned(small, quarter)
            found = [f for f in self._detected(rgb) if f.score >= self.settings.reported_score]
            found = found[: TURNING.faces]
            rough = [FaceCrop.from_box(f.box, self.side) for f in found]
            looks = self._looks(rgb, rough)
            level = [refine(crop, look.points) for crop, look in zip(rough, looks, strict=True)]
            kept = [(crop, f) for crop, f in zip(level, found, strict=True) if crop is not None]
            looks = self._looks(rgb, [crop for crop, _ in kept])
            sure = [(f.score, look.presence) for (_, f), look in zip(kept, looks, strict=True)]
            ways.append(_way(quarter, sure))
        return ways

    def _examined(self, photo: Photo, aside: list[Face], quarter: int = 0) -> list[Examined]:
        """The faces worth a closer look; the others are put `aside`. Of two masked finds that the
        points bring to the same face the first counts."""
        settings = self.settings
        worth: list[Face] = []
        for box, label, score in self.detections(photo, quarter):
            if score < min(settings.reported_score, settings.min_score):
                continue
            face = Face(box=box, label=label, score=score, size=(photo.height, photo.width))
            reason = why_not(face, settings)
            if reason is None or (reason == Reason.BARE and min(face.sides) >= settings.chin_box):
                worth.append(face)
            else:
                aside.append(replace(face, reason=reason))
        rough = [frame_of_box(face.box, self.side, quarter) for face in worth]
        framed: list[tuple[Face, FaceCrop]] = []
        for face, level, coarse in zip(worth, self.aligned(photo, rough), rough, strict=True):
            if level is None and face.label == BARE:
                aside.append(replace(face, reason=Reason.BARE))
            elif level is None and face.score < settings.trusted_score:
                aside.append(replace(face, reason=Reason.NO_FACE))
            elif face.label == BARE or not any(
                other.label != BARE and is_same_face(level or coarse, crop)
                for other, crop in framed
            ):
                framed.append((face, level or coarse))
        with self.watch("segment"):
            crops = [crop for _, crop in framed]
            looks = self.looked_at(photo, crops)
            # Where a second look moves the frame far the first one was misled.
            better = [moved(crop, look.points) for crop, look in zip(crops, looks, strict=True)]
            again = iter(self.looked_at(photo, [crop for crop in better if crop is not None]))
        return [
            Examined(face, crop, look) if found is None else Examined(face, found, next(again))
            for (face, crop), look, found in zip(framed, looks, better, strict=True)
        ]

    def aligned(self, photo: Photo, rough: list[FaceCrop]) -> list[FaceCrop | None]:
        """The canonical crop for each rough one; None where the points cannot be right."""
        with self.watch("align"):
            looks = self.looked_at(photo, rough)
        return [refine(crop, look.points) for crop, look in zip(rough, looks, strict=True)]

    def looked_at(self, photo: Photo, crops: list[FaceCrop]) -> list[Look]:
        """The segmenter's answers, all faces of a photo in one batch (of at most `batch`)."""
        return self._looks(photo.rgb, crops)

    def _looks(self, rgb: NDArray[np.uint8], crops: list[FaceCrop]) -> list[Look]:
        """The same of a picture, uint8 (H, W, 3)."""
        looks: list[Look] = []
        for chunk in in_chunks(crops, self.settings.batch):
            seen = np.stack([crop.extract(rgb) for crop in chunk])
            found = self.segmenter.segment(seen)
            presence = [1.0] * len(chunk) if found.presence is None else found.presence.tolist()
            each = zip(seen, found.probability, found.points, presence, strict=True)
            looks += itertools.starmap(Look, each)
        return looks


def _way(quarter: int, faces: list[tuple[float, float]]) -> Way:
    """A turn with its best face; faces as (score, presence)."""
    ways = [Way(quarter, score, seen, believed(seen, score)) for score, seen in faces]
    return max(ways, key=lambda way: (way.sure, way.belief), default=Way(quarter))


def in_chunks(items: list[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
