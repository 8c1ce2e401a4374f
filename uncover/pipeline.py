"""Uncoverer: photo -> faces -> crops -> masks -> fill -> paste -> Result.

The networks are reached through numpy arrays only, so anything with the same methods (an
ONNX session, a fake in a test) can stand in for them, and importing this module loads no PyTorch.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from uncover.crop import FaceCrop
from uncover.errors import UncoverError
from uncover.find import (
    FaceFinder,
    Task,
    check_places,
    from_mask,
    in_chunks,
    read_masks,
    tasks_again,
    tasks_given,
    whole_mask,
)
from uncover.forks import survive_forks
from uncover.images import ImageLike, MaskLike, Photo, read_image, read_mask
from uncover.loading import load_networks
from uncover.paint import (
    Closer,
    answers,
    check_look,
    check_samples,
    closer_look,
    is_varied,
    paint_task,
)
from uncover.results import Face, Result
from uncover.settings import (
    Blend,
    Detailer,
    Detector,
    Painter,
    Segmenter,
    Settings,
    Watch,
    unwatched,
)

__all__ = ["Face", "Result", "Settings", "Uncoverer"]


class Uncoverer:
    """Finds face masks in photos and paints plausible faces under them.

    The faces are guesses, never identifications.

    Attributes:
        watch: told of each stage that a photo passes through; to measure them.
    """

    def __init__(
        self,
        detector: Detector,
        segmenter: Segmenter,
        generator: Painter,
        settings: Settings | None = None,
        enlarger: Detailer | None = None,
    ) -> None:
        self.detector = detector
        self.segmenter = segmenter
        self.generator = generator
        self.enlarger = enlarger
        self.settings = settings or Settings()
        self.watch: Watch = unwatched
        survive_forks()

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
        """Load the networks.

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
        detector, segmenter, generator, enlarger = load_networks(
            source, revision, device, local_files_only, backend
        )
        return cls(detector, segmenter, generator, settings=chosen, enlarger=enlarger)

    def __call__(
        self,
        image: ImageLike,
        *,
        blend: Blend | None = None,
        fill_chin: bool | None = None,
        fill_any: bool | None = None,
        min_score: float | None = None,
        samples: int | None = None,
        smile: float | None = None,
        open: float | None = None,
        beard: float | None = None,
    ) -> Result:
        """Fill every masked face of a photo.

        Args:
            image: a path, bytes, an open file, a PIL image, or a uint8 (H, W, 3) RGB array.
            blend, fill_chin, fill_any, min_score, samples, smile, open, beard: as in `Settings`,
                for this photo only.

        Raises:
            ImageError: the picture cannot be used.
            UncoverError: several samples of a generator that has one answer, or a look of one
                that cannot be told.
        """
        settings = self._settings(
            blend=blend,
            fill_chin=fill_chin,
            fill_any=fill_any,
            min_score=min_score,
            samples=samples,
            smile=smile,
            open=open,
            beard=beard,
        )
        photo = read_image(image)
        faces, tasks = self.finder(settings).analyse(photo)
        return self._paint(photo, faces, tasks, settings)

    def detect(
        self,
        image: ImageLike,
        *,
        fill_chin: bool | None = None,
        fill_any: bool | None = None,
        min_score: float | None = None,
    ) -> list[Face]:
        """The faces of a photo, without painting; `mask` holds the pixels that would be painted."""
        settings = self._settings(fill_chin=fill_chin, fill_any=fill_any, min_score=min_score)
        faces, tasks = self.finder(settings).analyse(read_image(image))
        return _sorted([*faces, *(task.face for task in tasks)])

    def fill(
        self,
        image: ImageLike,
        mask: MaskLike,
        *,
        points: ArrayLike | None = None,
        blend: Blend | None = None,
        samples: int | None = None,
        smile: float | None = None,
        open: float | None = None,
        beard: float | None = None,
    ) -> Result:
        """Paint exactly where a mask says, without asking the detector whether it is a mask.

        A square picture up to `Settings.whole_crop` pixels is taken as one face crop, as it is.
        Otherwise the face is found around the mask; if none is found its frame is guessed from
        the mask, which then is taken to span the bridge of the nose to the chin.

        Args:
            image: a path, bytes, an open file, a PIL image, or a uint8 (H, W, 3) RGB array.
            mask: bool (H, W), True = paint; also a uint8 array, PIL image or path (over 127).
            points: (5, 2), where eyes, nose tip and mouth corners of the one face lie in the photo,
                if that is known: the face is framed by them and not looked for.
            blend, samples, smile, open, beard: as in `Settings`, for this photo only.

        Raises:
            as `__call__`; ImageError, too, if the mask is empty or of another size.
        """
        settings = self._settings(blend=blend, samples=samples, smile=smile, open=open, beard=beard)
        photo = read_image(image)
        painted = read_mask(mask, photo)
        if points is not None:
            frame = FaceCrop.from_points(points, self._side)
            tasks = [from_mask(whole_mask(painted), frame, photo.rgb)]
        else:
            tasks = self._given(photo, painted, settings)
        return self._paint(photo, [], tasks, settings)

    def refill(
        self,
        result: Result,
        *,
        masks: Mapping[int | None, MaskLike] | Sequence[MaskLike | None] | None = None,
        skip: Collection[int] = (),
        blend: Blend | None = None,
        samples: int | None = None,
        smile: float | None = None,
        open: float | None = None,
        beard: float | None = None,
    ) -> Result:
        """Paint the photo of a result anew, with masks put right by hand and faces left out.

        What is not named is painted as it was: with nothing changed the picture is the same.

        Args:
            result: of this `Uncoverer`; its `photo` and `faces` are what counts.
            masks: new masks, of the photo's size, as `fill` takes them: by a face's place in
                `result.faces`, or a list with one for each face, where None keeps the mask. At
                None (in a list: after the last face) stands what belongs to none of them.
            skip: places of faces that are left as they are in the photo.
            blend, samples, smile, open, beard: as in `Settings`, for this photo only.

        Returns:
            As `__call__`. A face that is skipped has the reason "struck out", one whose mask is
            empty "no mask pixels found".

        Raises:
            ImageError: a mask cannot be used, or is of another size.
            UncoverError: there is no such face, or several samples of a generator that has one
                answer, or a look of one that cannot be told.
        """
        settings = self._settings(blend=blend, samples=samples, smile=smile, open=open, beard=beard)
        photo, faces = result.photo, result.faces
        new, missed = read_masks(masks, photo, len(faces))
        check_places(skip, len(faces))
        aside, tasks = tasks_again(self.finder(settings), photo, faces, new, skip)
        if missed.any():
            tasks += self._given(photo, missed, settings)
        return self._paint(photo, aside, tasks, settings)

    def is_one_crop(self, photo: Photo) -> bool:
        """Whether `fill` takes the picture as one face crop, as it is, and looks for no face."""
        return photo.width == photo.height and photo.width <= self.settings.whole_crop

    @property
    def varied(self) -> bool:
        """Whether several different `samples` of a face can be had from these weights."""
        return is_varied(self.generator)

    @property
    def told(self) -> bool:
        """Whether these weights can be told smile, open and beard."""
        return bool(getattr(self.generator, "told", False))

    @property
    def _side(self) -> int:
        return int(self.generator.config.resolution)

    def _settings(self, **changes: Any) -> Settings:
        given = {name: value for name, value in changes.items() if value is not None}
        return replace(self.settings, **given) if given else self.settings

    def finder(self, settings: Settings) -> FaceFinder:
        """What looks for the faces of a photo, with these settings."""
        return FaceFinder(self.detector, self.segmenter, settings, self._side, self.watch)

    def _given(self, photo: Photo, painted: NDArray[np.bool_], settings: Settings) -> list[Task]:
        """The tasks that paint exactly a mask, bool (H, W), not empty."""
        if self.is_one_crop(photo):
            whole = FaceCrop.whole(photo.width, photo.height, self._side)
            return [from_mask(whole_mask(painted), whole, photo.rgb)]
        return tasks_given(self.finder(settings), photo, painted)

    def _paint(
        self, photo: Photo, aside: list[Face], tasks: list[Task], settings: Settings
    ) -> Result:
        """Fill all tasks in batches; smaller faces first, so that nearer ones lie on top."""
        tasks = sorted(tasks, key=lambda task: task.face.area)
        views = [closer_look(photo.rgb, task, self.enlarger) for task in tasks]
        seen = list(zip(tasks, views, strict=True))
        answers = self._filled(seen, settings)
        first, *others = (self._pasted(photo, seen, filled, settings) for filled in answers)
        faces = _sorted([*aside, *(task.face for task in tasks)])
        return Result(photo, first, faces, photo.warnings, tuple(others))

    def _filled(
        self, seen: list[tuple[Task, Closer | None]], settings: Settings
    ) -> list[list[NDArray[np.uint8]]]:
        """The painted crops, once for each sample, faces in batches of at most `batch`."""
        check_samples(self.generator, settings.samples)
        check_look(self.generator, settings.look)
        kept: list[list[NDArray[np.uint8]]] = [[] for _ in range(settings.samples)]
        for chunk in in_chunks(seen, self.settings.batch):
            crops = np.stack([task.seen for task, _ in chunk])
            holes = np.stack([task.hole for task, _ in chunk])
            asked = settings.samples, settings.look
            views = [view for _, view in chunk]
            with self.watch("fill"):
                filled = answers(self.generator, crops, holes, *asked, self.enlarger, views)
            for answer, pictures in zip(kept, filled, strict=True):
                answer += pictures
        return kept

    def _pasted(
        self,
        photo: Photo,
        seen: list[tuple[Task, Closer | None]],
        filled: list[NDArray[np.uint8]],
        settings: Settings,
    ) -> NDArray[np.uint8]:
        """One copy of the photo with all faces painted in, each within its own rectangle."""
        with self.watch("paste"):
            pixels = photo.rgb.copy() if seen else photo.rgb
            for (task, view), picture in zip(seen, filled, strict=True):
                paint_task(pixels, task, picture, settings.blend, self.generator, view)
        return pixels


def _sorted(faces: list[Face]) -> list[Face]:
    """Faces that are filled first, doubtful ones last; larger before smaller."""
    return sorted(faces, key=lambda face: (face.reason is not None, face.doubtful, -face.area))
