"""Uncoverer: photo -> faces -> crops -> masks -> fill -> paste -> Result.

The three networks are reached through numpy arrays only, so anything with the same methods (an
ONNX session, a fake in a test) can stand in for them, and importing this module loads no PyTorch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from .alignment import Box, face_box, frame_around_mask, overlap, refine, widened_to
from .compositing import (
    Blend,
    Patch,
    match_colours,
    paste,
    patch_from_crop,
    patch_from_mask,
    spared,
)
from .errors import UncoverError
from .geometry import FaceCrop
from .images import ImageLike, MaskLike, read_image, read_mask
from .photo import Photo
from .regions import clean_mask, hole_in_crop, is_on_chin, outline, soft_region
from .results import Face, Result
from .settings import Detector, Painter, Segmenter, Settings

__all__ = ["Face", "Result", "Settings", "Uncoverer"]

BARE = "without_mask"
ON_CHIN = "mask on the chin"
NO_MASK = "no mask pixels found"
NO_FACE = "no face under the mask"

Found = tuple[Box, str, float]
Part = tuple[NDArray[np.bool_], FaceCrop, Found | None]
T = TypeVar("T")


@dataclass
class _Task:
    """A face to fill: its crop, the photo pixels to paint, the crop pixels to hide (S, S)."""

    face: Face
    crop: FaceCrop
    patch: Patch
    hole: NDArray[np.bool_]


class Uncoverer:
    """Finds face masks in photos and paints plausible faces under them.

    The faces are guesses, never identifications.
    """

    def __init__(
        self,
        detector: Detector,
        segmenter: Segmenter,
        generator: Painter,
        settings: Settings | None = None,
    ) -> None:
        self.detector = detector
        self.segmenter = segmenter
        self.generator = generator
        self.settings = settings or Settings()

    @classmethod
    def from_pretrained(
        cls,
        source: str | None = None,
        revision: str | None = None,
        device: str = "auto",
        local_files_only: bool = False,
        backend: str = "torch",
        **settings: Any,
    ) -> Uncoverer:
        """Load the three networks.

        Args:
            source: a weights folder, a Hub repository "user/repo", or None for the embedded ones.
            revision: branch, tag or commit of a Hub repository.
            device: "auto" (a GPU if there is one), "cpu", or "cuda".
            local_files_only: never ask the Hub, use what was downloaded before.
            backend: "torch", or "onnx" for the weights' ONNX files on the CPU, without PyTorch.
            settings: fields of `Settings`.

        Raises:
            WeightsError: the weights cannot be found, trusted or loaded.
            UncoverError: no such device or setting.
        """
        unknown = set(settings) - set(Settings.__dataclass_fields__)
        if unknown:
            raise UncoverError(f"unknown setting {', '.join(sorted(unknown))}")
        chosen = Settings(**settings)
        if device not in ("auto", "cpu", "cuda"):
            raise UncoverError(f"device must be auto, cpu or cuda, not {device!r}")
        if backend not in ("torch", "onnx"):
            raise UncoverError(f"backend must be torch or onnx, not {backend!r}")
        if backend == "onnx":
            from .onnx_backend import load

            if device == "cuda":
                raise UncoverError("the onnx backend runs on the CPU: leave out --device cuda")
            return cls(*load(source, revision, local_files_only), settings=chosen)
        import torch

        from .weights import load_bundle

        if device == "cuda" and not torch.cuda.is_available():
            raise UncoverError("PyTorch sees no CUDA device here: use --device cpu or auto")
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        bundle = load_bundle(source, revision=revision, local_files_only=local_files_only)
        networks = (bundle.detector, bundle.segmenter, bundle.generator)
        detector, segmenter, generator = (network.to(device).eval() for network in networks)
        return cls(detector, segmenter, generator, chosen)

    def __call__(
        self,
        image: ImageLike,
        *,
        blend: Blend | None = None,
        fill_chin: bool | None = None,
        min_score: float | None = None,
    ) -> Result:
        """Fill every masked face of a photo.

        Args:
            image: a path, a PIL image, or a uint8 (H, W, 3) RGB array.
            blend, fill_chin, min_score: as in `Settings`, for this photo only.

        Raises:
            ImageError: the picture cannot be used.
        """
        settings = self._settings(blend=blend, fill_chin=fill_chin, min_score=min_score)
        photo = read_image(image)
        faces, tasks = self._analyse(photo, settings)
        return self._paint(photo, faces, tasks, settings)

    def detect(
        self, image: ImageLike, *, fill_chin: bool | None = None, min_score: float | None = None
    ) -> list[Face]:
        """The faces of a photo, without painting; `mask` holds the pixels that would be painted."""
        settings = self._settings(fill_chin=fill_chin, min_score=min_score)
        faces, tasks = self._analyse(read_image(image), settings)
        return _sorted([*faces, *(task.face for task in tasks)])

    def fill(self, image: ImageLike, mask: MaskLike, *, blend: Blend | None = None) -> Result:
        """Paint exactly where a mask says, without asking the detector whether it is a mask.

        A square picture up to `Settings.whole_crop` pixels is taken as one face crop, as it is.
        Otherwise the face is found around the mask; if none is found its frame is guessed from
        the mask, which then is taken to span the bridge of the nose to the chin.

        Args:
            image: a path, a PIL image, or a uint8 (H, W, 3) RGB array.
            mask: bool (H, W), True = paint; also a uint8 array, PIL image or path (over 127).

        Raises:
            ImageError: the picture cannot be used, or the mask is empty or of another size.
        """
        settings = self._settings(blend=blend)
        photo = read_image(image)
        painted = read_mask(mask, photo)
        if photo.width == photo.height and photo.width <= settings.whole_crop:
            whole = FaceCrop.whole(photo.width, photo.height, self._side)
            parts: list[Part] = [(painted, whole, None)]
        else:
            parts = self._faces_around(photo, painted)
        tasks = []
        for part, crop, found in parts:
            crop = widened_to(crop, part)
            patch = patch_from_mask(part)
            face = Face(
                box=found[0] if found else face_box(crop, photo.width, photo.height),
                label=found[1] if found else "with_mask",
                score=found[2] if found else 1.0,
                size=painted.shape,
                roll=crop.roll,
                polygon=outline(part),
                rect=patch.rect,
                patch=patch.painted,
            )
            tasks.append(_Task(face, crop, patch, hole_in_crop(crop, part)))
        return self._paint(photo, [], tasks, settings)

    @property
    def _side(self) -> int:
        return int(self.generator.config.resolution)

    def _settings(self, **changes: Any) -> Settings:
        given = {name: value for name, value in changes.items() if value is not None}
        return replace(self.settings, **given) if given else self.settings

    def _detections(self, photo: Photo) -> list[Found]:
        """(box, label, score) of each face, best first, one per face."""
        found = self.detector.detect([photo.rgb])[0]
        order = np.argsort(-np.asarray(found.scores), kind="stable")
        kept: list[Found] = []
        for i in order:
            x0, y0, x1, y1 = (float(v) for v in found.boxes[i])
            box = (x0, y0, x1, y1)
            usable = np.isfinite(box).all() and x1 > x0 and y1 > y0
            if usable and all(overlap(box, other[0]) < 0.5 for other in kept):
                kept.append((box, str(found.labels[i]), float(found.scores[i])))
        return kept

    def _analyse(self, photo: Photo, settings: Settings) -> tuple[list[Face], list[_Task]]:
        """Faces that are left alone, each with its reason, and those to fill."""
        size = (photo.height, photo.width)
        aside: list[Face] = []
        chosen: list[Face] = []
        for box, label, score in self._detections(photo):
            if score < min(settings.reported_score, settings.min_score):
                continue
            face = Face(box=box, label=label, score=score, size=size)
            reason = _why_not(face, settings)
            if reason is None:
                chosen.append(face)
            else:
                aside.append(replace(face, reason=reason))
        rough = [FaceCrop.from_box(f.box, self._side) for f in chosen]
        pairs = list(zip(chosen, self._aligned(photo, rough), rough, strict=True))
        chosen, crops = [], []
        for face, level, coarse in pairs:
            if level is None and face.score < settings.trusted_score:
                aside.append(replace(face, reason=NO_FACE))
            else:
                chosen.append(face)
                crops.append(level or coarse)
        bare = [face for face in aside if face.reason == "bare"]
        tasks: list[_Task] = []
        for chunk in _chunks(list(zip(chosen, crops, strict=True)), settings.batch):
            found = self.segmenter.segment(np.stack([crop.extract(photo.rgb) for _, crop in chunk]))
            for (face, crop), probability, points in zip(
                chunk, found.probability, found.points, strict=True
            ):
                face = replace(face, roll=crop.roll, points=crop.to_photo(points), crop=crop)
                task = self._region(face, crop, probability, bare, settings)
                if isinstance(task, Face):
                    aside.append(task)
                else:
                    tasks.append(task)
        return aside, tasks

    def _aligned(self, photo: Photo, rough: list[FaceCrop]) -> list[FaceCrop | None]:
        """The canonical crop for each rough one; None where the points cannot be right."""
        crops: list[FaceCrop | None] = []
        for chunk in _chunks(rough, self.settings.batch):
            found = self.segmenter.segment(np.stack([crop.extract(photo.rgb) for crop in chunk]))
            for crop, points in zip(chunk, found.points, strict=True):
                crops.append(refine(crop, points))
        return crops

    def _region(
        self,
        face: Face,
        crop: FaceCrop,
        probability: NDArray[np.float32],
        bare: list[Face],
        settings: Settings,
    ) -> _Task | Face:
        """What to paint for one face; the face with a reason when nothing is."""
        config = self.segmenter.config
        mask = clean_mask(np.asarray(probability, np.float32), float(config.threshold))
        if not mask.any():
            return replace(face, reason=NO_MASK)
        face = replace(face, polygon=outline(mask, crop))
        if is_on_chin(mask) and not settings.fill_chin:
            return replace(face, reason=ON_CHIN)
        alpha = soft_region(mask, float(config.dilation), settings.feather)
        height, width = face.size
        patch = patch_from_crop(alpha, crop, width, height)
        patch = patch and spared(patch, face.box, [other.box for other in bare])
        if patch is None:
            return replace(face, reason=NO_MASK)
        face = replace(face, rect=patch.rect, patch=patch.painted)
        return _Task(face, crop, patch, alpha > 0)

    def _faces_around(self, photo: Photo, painted: NDArray[np.bool_]) -> list[Part]:
        """Split a mask into one part per face, each with its crop and the face found, if any."""
        _, labels = cv2.connectedComponents(painted.astype(np.uint8), connectivity=8)
        owners: dict[int, list[int]] = {}
        faces = [face for face in self._detections(photo) if face[2] >= self.settings.min_score]
        for index in range(1, int(labels.max()) + 1):
            ys, xs = np.nonzero(labels == index)
            inside = [
                float(((xs >= b[0]) & (xs < b[2]) & (ys >= b[1]) & (ys < b[3])).mean())
                for b, _, _ in faces
            ]
            best = int(np.argmax(inside)) if inside and max(inside) >= 0.3 else -1
            owners.setdefault(best, []).append(index)
        parts = []
        for owner, indices in owners.items():
            part = np.isin(labels, indices)
            found = faces[owner] if owner >= 0 else None
            rough = (
                FaceCrop.from_box(found[0], self._side)
                if found
                else frame_around_mask(part, self._side)
            )
            parts.append((part, self._aligned(photo, [rough])[0] or rough, found))
        return parts

    def _paint(
        self, photo: Photo, aside: list[Face], tasks: list[_Task], settings: Settings
    ) -> Result:
        """Fill all tasks in batches; smaller faces first, so that nearer ones lie on top."""
        pixels = photo.rgb.copy() if tasks else photo.rgb
        tasks = sorted(tasks, key=lambda task: task.face.area)
        for chunk in _chunks(tasks, settings.batch):
            crops = np.stack([task.crop.extract(photo.rgb) for task in chunk])
            filled = self.generator.fill(crops, np.stack([task.hole for task in chunk]))
            for task, seen, picture in zip(chunk, crops, filled, strict=True):
                if settings.blend == "feather":
                    picture = match_colours(picture, seen, task.hole)
                paste(pixels, picture, task.crop, task.patch, settings.blend)
        faces = _sorted([*aside, *(task.face for task in tasks)])
        return Result(photo, pixels, faces, photo.warnings)


def _why_not(face: Face, settings: Settings) -> str | None:
    """Why a detected face is not to be filled; None when it is."""
    x0, y0, x1, y1 = face.box
    if face.score < settings.min_score:
        return "low score"
    if face.label == BARE:
        return "bare"
    if min(x1 - x0, y1 - y0) < settings.min_box:
        return "too small"
    return None


def _chunks(items: list[T], size: int) -> Iterator[list[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _sorted(faces: list[Face]) -> list[Face]:
    """Faces that are filled first; larger before smaller."""
    return sorted(faces, key=lambda face: (face.reason is not None, -face.area))
