"""What the pipeline gives back: faces, and the painted photo."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from uncover.crop import FaceCrop, Rect
from uncover.images import Photo, encoded, write_image


class Reason(StrEnum):
    """Why a face is left alone. Programs read these texts: they stand in JSON output."""

    BARE = "bare"
    TOO_SMALL = "too small"
    ON_CHIN = "mask on the chin"
    NO_MASK = "no mask pixels found"
    COVERED = "covered by something else than a mask"
    LOW_SCORE = "low score"
    NO_FACE = "no face under the mask"
    UNCLEAR = "not clear which way is up"
    STRUCK_OUT = "struck out"


DOUBTFUL = (Reason.LOW_SCORE, Reason.NO_FACE)
"""Reasons for which a find is hardly a face at all."""


@dataclass(frozen=True, eq=False)
class Face:
    """One face of a photo.

    Attributes:
        box: (x0, y0, x1, y1) in photo pixels, around the whole face.
        label: "with_mask", "without_mask", "mask_worn_incorrectly", or "covered" by something that
            is no mask.
        score: the detector's confidence, 0..1.
        size: (height, width) of the photo.
        reason: None when the face was (or, from `detect`, would be) filled; else why not.
        points: float64 (5, 2) in photo pixels: eyes, nose tip, mouth corners, as the image shows
            them left to right; under a mask they are estimates. None when not looked for.
        roll: tilt of the head in degrees, positive when the eye line falls to the image's right.
        polygon: outline of the mask in photo pixels, before it is widened for painting.
        rect, patch: the painted pixels as bool (y1 - y0, x1 - x0) in a photo rectangle.
        crop: the upright frame in which it was filled; None when it was not looked at so closely.
        outlined: whose the mask is: "found" by the networks, "given" to `Uncoverer.fill` and
            painted exactly, or "corrected" in `Uncoverer.refill` and painted soft at its edge.
    """

    box: tuple[float, float, float, float]
    label: str
    score: float
    size: tuple[int, int]
    reason: Reason | None = None
    points: NDArray[np.float64] | None = None
    roll: float | None = None
    polygon: list[tuple[float, float]] = field(default_factory=list)
    rect: Rect = (0, 0, 0, 0)
    patch: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), bool))
    crop: FaceCrop | None = None
    outlined: Literal["found", "given", "corrected"] = "found"

    @property
    def mask(self) -> NDArray[np.bool_]:
        """The painted pixels, bool (H, W) of the photo; built anew at each call."""
        full = np.zeros(self.size, bool)
        x0, y0, x1, y1 = self.rect
        full[y0:y1, x0:x1] = self.patch
        return full

    @property
    def doubtful(self) -> bool:
        """Whether this is hardly a face: listed for programs, and nothing to tell people of."""
        return self.reason in DOUBTFUL

    @property
    def sides(self) -> tuple[float, float]:
        """Width and height of the box in pixels."""
        return self.box[2] - self.box[0], self.box[3] - self.box[1]

    @property
    def area(self) -> float:
        """Area of the box in square pixels."""
        return self.sides[0] * self.sides[1]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; coordinates in photo pixels."""
        return {
            "box": [round(v, 1) for v in self.box],
            "label": self.label,
            "score": round(self.score, 4),
            "filled": self.reason is None,
            "reason": None if self.reason is None else str(self.reason),
            "doubtful": self.doubtful,
            "roll": None if self.roll is None else round(self.roll, 1),
            "points": None if self.points is None else np.round(self.points, 1).tolist(),
            "polygon": [list(point) for point in self.polygon],
            "painted_pixels": int(self.patch.sum()),
        }


@dataclass(frozen=True, eq=False)
class Result:
    """A painted photo. What was painted is a guess, never an identification.

    Attributes:
        photo: the input.
        pixels: uint8 (H, W, 3), the painted picture as RGB.
        faces: every face found; those that were filled first, doubtful finds last, larger
            ones before smaller.
        warnings: what the user should know, one line each.
        others: where several samples were asked for, the pixels of all but the first.
    """

    photo: Photo
    pixels: NDArray[np.uint8]
    faces: list[Face]
    warnings: tuple[str, ...] = ()
    others: tuple[NDArray[np.uint8], ...] = ()

    @cached_property
    def image(self) -> Image.Image:
        """The painted photo, of the input's size and mode; unpainted pixels are identical."""
        return self._painted(self.pixels)

    @cached_property
    def images(self) -> list[Image.Image]:
        """All samples, each as `image` is, which is the first."""
        return [self.image, *(self._painted(pixels) for pixels in self.others)]

    @property
    def uncertainty(self) -> NDArray[np.float32]:
        """How far the samples differ: float32 (H, W), the standard deviation of a pixel's levels
        (0..127.5) over the samples, mean of the channels; 0 where nothing is painted."""
        spread = np.zeros(self.pixels.shape[:2], np.float32)
        for face in self.filled if self.others else ():
            x0, y0, x1, y1 = face.rect
            cut = [pixels[y0:y1, x0:x1] for pixels in (self.pixels, *self.others)]
            spread[y0:y1, x0:x1] = np.stack(cut).astype(np.float32).std(0).mean(-1)
        return spread

    def _painted(self, pixels: NDArray[np.uint8]) -> Image.Image:
        return self.photo.repainted(pixels, [(face.rect, face.patch) for face in self.filled])

    @cached_property
    def original(self) -> Image.Image:
        """The input photo, upright, in its own mode."""
        return self.photo.repainted(self.photo.rgb, [])

    def __repr__(self) -> str:
        """One line: the photo's size, and how many faces were found and filled."""
        size = f"{self.photo.width}x{self.photo.height}"
        faces = "1 face" if len(self.faces) == 1 else f"{len(self.faces)} faces"
        samples = f", {1 + len(self.others)} samples" if self.others else ""
        return f"<Result {size}: {faces}, {len(self.filled)} filled{samples}>"

    def _repr_png_(self) -> bytes:
        """The painted photo as a PNG, as notebooks show it."""
        return encoded(self.image, "PNG", self.photo)

    @property
    def filled(self) -> list[Face]:
        """The faces that were painted."""
        return [face for face in self.faces if face.reason is None]

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the painted photo with its metadata and a note that parts are generated.

        Raises:
            ImageError: the ending is unknown or the file cannot be written.
        """
        return write_image(self.image, path, self.photo)

    def save_samples(self, path: str | PathLike[str]) -> list[Path]:
        """Write every sample as `save` does, to the names of `sample_paths`.

        The last of several is a picture of `uncertainty`: four grey levels for each of it.
        """
        targets = sample_paths(path, 1 + len(self.others))
        for image, target in zip(self.images, targets, strict=False):
            write_image(image, target, self.photo)
        if self.others:
            levels = np.clip(self.uncertainty * 4, 0, 255).astype(np.uint8)
            write_image(Image.fromarray(levels), targets[-1])
        return targets

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "width": self.photo.width,
            "height": self.photo.height,
            "faces": [face.to_dict() for face in self.faces],
            "warnings": list(self.warnings),
        }


def sample_paths(path: str | PathLike[str], samples: int) -> list[Path]:
    """Where `Result.save_samples` writes: the path itself, and for several samples
    NAME_sample2, NAME_sample3, ... beside it and NAME_uncertainty.png."""
    first = Path(path)
    if samples == 1:
        return [first]
    names = [f"{first.stem}_sample{number}{first.suffix}" for number in range(2, samples + 1)]
    return [first, *(first.with_name(n) for n in [*names, f"{first.stem}_uncertainty.png"])]
