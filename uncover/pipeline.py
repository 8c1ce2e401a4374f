"""Uncoverer: photo -> faces -> crops -> masks -> fill -> paste -> Result.

The three networks are reached through numpy arrays only, so anything with the same methods (an
ONNX session, a fake in a test) can stand in for them, and importing this module loads no PyTorch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .alignment import frame_around_mask, overlap, refine
from .answers import answers, check_samples, is_varied
from .compositing import Blend, match_colours, paste
from .errors import UncoverError
from .geometry import FaceCrop
from .images import ImageLike, MaskLike, read_image, read_mask
from .photo import Photo
from .results import Face, Result
from .settings import Detector, Painter, Segmenter, Settings
from .tasks import (
    NO_FACE,
    ON_CHIN,
    Found,
    Part,
    Task,
    believed,
    from_mask,
    from_segmentation,
    split_mask,
    whole_mask,
    why_not,
)

__all__ = ["ON_CHIN", "Face", "Result", "Settings", "Uncoverer"]

T = TypeVar("T")
Look = tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32], float]
"""A crop (S, S, 3), the probability (S, S) that its pixels are mask, its five points (5, 2), and
the probability that it shows a face."""


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
            backend: "torch"; or, for the weights' ONNX files on the CPU and without PyTorch, "onnx"
                (onnxruntime) or "openvino".
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
        if backend not in ("torch", "onnx", "openvino"):
            raise UncoverError(f"backend must be torch, onnx or openvino, not {backend!r}")
        if backend != "torch":
            from .onnx_backend import load

            if device == "cuda":
                raise UncoverError(
                    f"the {backend} backend runs on the CPU: leave out --device cuda"
                )
            runtime: Any = backend
            return cls(*load(source, revision, local_files_only, runtime=runtime), settings=chosen)
        import torch

        from .lean_import import import_torchvision
        from .weights import load_bundle

        import_torchvision()
        from .blocks import fold

        if device == "cuda" and not torch.cuda.is_available():
            raise UncoverError("PyTorch sees no CUDA device here: use --device cpu or auto")
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        bundle = load_bundle(source, revision=revision, local_files_only=local_files_only)
        networks = (bundle.detector, bundle.segmenter, bundle.generator)
        detector, segmenter, generator = (network.to(device).eval() for network in networks)
        return cls(detector, segmenter, fold(generator), chosen)

    def __call__(
        self,
        image: ImageLike,
        *,
        blend: Blend | None = None,
        fill_chin: bool | None = None,
        min_score: float | None = None,
        samples: int | None = None,
    ) -> Result:
        """Fill every masked face of a photo.

        Args:
            image: a path, a PIL image, or a uint8 (H, W, 3) RGB array.
            blend, fill_chin, min_score, samples: as in `Settings`, for this photo only.

        Raises:
            ImageError: the picture cannot be used.
            UncoverError: several samples of a generator that has one answer.
        """
        settings = self._settings(
            blend=blend, fill_chin=fill_chin, min_score=min_score, samples=samples
        )
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

    def fill(
        self,
        image: ImageLike,
        mask: MaskLike,
        *,
        blend: Blend | None = None,
        samples: int | None = None,
    ) -> Result:
        """Paint exactly where a mask says, without asking the detector whether it is a mask.

        A square picture up to `Settings.whole_crop` pixels is taken as one face crop, as it is.
        Otherwise the face is found around the mask; if none is found its frame is guessed from
        the mask, which then is taken to span the bridge of the nose to the chin.

        Args:
            image: a path, a PIL image, or a uint8 (H, W, 3) RGB array.
            mask: bool (H, W), True = paint; also a uint8 array, PIL image or path (over 127).
            blend, samples: as in `Settings`, for this photo only.

        Raises:
            ImageError: the picture cannot be used, or the mask is empty or of another size.
            UncoverError: several samples of a generator that has one answer.
        """
        settings = self._settings(blend=blend, samples=samples)
        photo = read_image(image)
        painted = read_mask(mask, photo)
        if photo.width == photo.height and photo.width <= settings.whole_crop:
            whole = FaceCrop.whole(photo.width, photo.height, self._side)
            tasks = [from_mask(whole_mask(painted), whole, photo.rgb)]
        else:
            faces = [f for f in self._detections(photo) if f[2] >= settings.min_score]
            parts = split_mask(painted, faces)
            crops = self._framed(photo, parts)
            tasks = [from_mask(p, c, photo.rgb) for p, c in zip(parts, crops, strict=True)]
        return self._paint(photo, [], tasks, settings)

    @property
    def varied(self) -> bool:
        """Whether several different `samples` of a face can be had from these weights."""
        return is_varied(self.generator)

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

    def _analyse(self, photo: Photo, settings: Settings) -> tuple[list[Face], list[Task]]:
        """Faces that are left alone, each with its reason, and those to fill."""
        size = (photo.height, photo.width)
        aside: list[Face] = []
        chosen: list[Face] = []
        for box, label, score in self._detections(photo):
            if score < min(settings.reported_score, settings.min_score):
                continue
            face = Face(box=box, label=label, score=score, size=size)
            reason = why_not(face, settings)
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
        tasks: list[Task] = []
        looks = self._segmented(photo, crops)
        config = self.segmenter.config
        least = float(getattr(config, "presence", 0.0))
        for face, crop, look in zip(chosen, crops, looks, strict=True):
            seen, probability, points, presence = look
            if believed(presence, face.score) < least:
                aside.append(replace(face, reason=NO_FACE))
                continue
            face = replace(face, roll=crop.roll, points=crop.to_photo(points), crop=crop)
            task = from_segmentation(face, crop, seen, probability, bare, config, settings)
            if isinstance(task, Face):
                aside.append(task)
            else:
                tasks.append(task)
        return aside, tasks

    def _aligned(self, photo: Photo, rough: list[FaceCrop]) -> list[FaceCrop | None]:
        """The canonical crop for each rough one; None where the points cannot be right."""
        looks = self._looked_at(photo, rough)
        return [refine(crop, look[2]) for crop, look in zip(rough, looks, strict=True)]

    def _segmented(self, photo: Photo, crops: list[FaceCrop]) -> list[Look]:
        """What the upright crops show."""
        return self._looked_at(photo, crops)

    def _looked_at(self, photo: Photo, crops: list[FaceCrop]) -> list[Look]:
        """The segmenter's answers, all faces of a photo in one batch (of at most `batch`)."""
        looks: list[Look] = []
        for chunk in _chunks(crops, self.settings.batch):
            seen = np.stack([crop.extract(photo.rgb) for crop in chunk])
            found = self.segmenter.segment(seen)
            presence = getattr(found, "presence", None)  # not every segmenter says so
            present = [1.0] * len(chunk) if presence is None else [float(p) for p in presence]
            looks += zip(seen, found.probability, found.points, present, strict=True)
        return looks

    def _framed(self, photo: Photo, parts: list[Part]) -> list[FaceCrop]:
        """The frame of the face that each part of a mask lies on, guessed where none is found."""
        rough = [
            FaceCrop.from_box(part.found[0], self._side)
            if part.found
            else frame_around_mask(part.painted, self._side, part.at)
            for part in parts
        ]
        level = self._aligned(photo, rough)
        return [better or guess for better, guess in zip(level, rough, strict=True)]

    def _paint(
        self, photo: Photo, aside: list[Face], tasks: list[Task], settings: Settings
    ) -> Result:
        """Fill all tasks in batches; smaller faces first, so that nearer ones lie on top."""
        tasks = sorted(tasks, key=lambda task: task.face.area)
        answers = self._filled(tasks, settings.samples)
        first, *others = (self._pasted(photo, tasks, filled, settings) for filled in answers)
        faces = _sorted([*aside, *(task.face for task in tasks)])
        return Result(photo, first, faces, photo.warnings, tuple(others))

    def _filled(self, tasks: list[Task], samples: int) -> list[list[NDArray[np.uint8]]]:
        """The generator's crops, once for each sample, all faces of a photo in one batch (of at
        most `batch`)."""
        check_samples(self.generator, samples)
        kept: list[list[NDArray[np.uint8]]] = [[] for _ in range(samples)]
        for chunk in _chunks(tasks, self.settings.batch):
            crops = np.stack([task.seen for task in chunk])
            holes = np.stack([task.hole for task in chunk])
            filled = answers(self.generator, crops, holes, samples)
            for answer, pictures in zip(kept, filled, strict=True):
                answer += list(pictures)
        return kept

    def _pasted(
        self,
        photo: Photo,
        tasks: list[Task],
        filled: list[NDArray[np.uint8]],
        settings: Settings,
    ) -> NDArray[np.uint8]:
        """One copy of the photo with all faces painted in, each within its own rectangle."""
        pixels = photo.rgb.copy() if tasks else photo.rgb
        for task, picture in zip(tasks, filled, strict=True):
            if settings.blend == "feather":
                picture = match_colours(picture, task.seen, task.hole)
            paste(pixels, picture, task.crop, task.patch, settings.blend)
        return pixels


def _chunks(items: list[T], size: int) -> Iterator[list[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _sorted(faces: list[Face]) -> list[Face]:
    """Faces that are filled first; larger before smaller."""
    return sorted(faces, key=lambda face: (face.reason is not None, -face.area))
