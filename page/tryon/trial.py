"""The page's second tab in pictures and words: a mask put on a visitor's photo and taken off."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from page.tryon.tryon import Guess, Masked, in_words, put_on, take_off
from page.visit import open_photo
from uncover.errors import NoFaceError
from uncover.images import Photo, write_image
from uncover.masking import MaskStyle
from uncover.pipeline import Uncoverer
from uncover.settings import Blend

Picture = NDArray[np.uint8]
WORN = (
    "this face wears a mask already: take a photo without one here, or go to the first tab, which "
    "takes masks off"
)


@dataclass(frozen=True, eq=False)
class Trial:
    """A mask taken off again.

    Attributes:
        faces: the face crop, uint8 (S, S, 3): the truth, with the mask, the guess.
        truth, guess: the whole photo, uint8 (H, W, 3).
        words: the scores in Markdown.
    """

    faces: tuple[Picture, Picture, Picture]
    truth: Picture
    guess: Picture
    words: str


class Trials:
    """Puts masks on and takes them off; keeps what it did with the built-in example only."""

    def __init__(self, uncoverer: Uncoverer, example: Path, most: int = 32) -> None:
        self._uncoverer = uncoverer
        self._example = hashlib.sha256(example.read_bytes()).digest()
        self._kept: dict[tuple[MaskStyle, str], Trial] = {}
        self._worn: dict[Path, bool] = {}
        self._most = most

    def masked(self, path: Path, style: MaskStyle) -> Masked:
        """A visitor's photo with a mask on.

        Raises:
            UncoverError: the photo cannot be used.
            NoFaceError: no bare face in it, or its largest face wears a mask already.
        """
        photo = open_photo(path)
        self._check_bare(path, photo)
        return put_on(photo, style)

    def _check_bare(self, path: Path, photo: Photo) -> None:
        """Look once at each photo whether its largest face wears a mask."""
        if path not in self._worn:
            faces = [f for f in self._uncoverer.detect(photo) if not f.doubtful]
            largest = max(faces, key=lambda face: face.area, default=None)
            if len(self._worn) >= self._most:
                self._worn.clear()
            self._worn[path] = largest is not None and largest.label == "with_mask"
        if self._worn[path]:
            raise NoFaceError(WORN)

    def run(self, path: Path, style: MaskStyle, blend: Blend = "feather") -> Trial:
        """Put the mask on and take it off again. Errors as `masked`."""
        photo = open_photo(path)
        key = None
        if hashlib.sha256(path.read_bytes()).digest() == self._example:
            key = (style, blend)
            if key in self._kept:
                return self._kept[key]
        self._check_bare(path, photo)
        masked = put_on(photo, style)
        trial = _trial(masked, take_off(self._uncoverer, masked, blend))
        if key is not None:
            if len(self._kept) >= self._most:
                self._kept.clear()
            self._kept[key] = trial
        return trial


def _trial(masked: Masked, guess: Guess) -> Trial:
    cut = masked.crop.extract
    faces = cut(masked.bare), cut(masked.masked), cut(guess.result.pixels)
    return Trial(faces, masked.bare, guess.result.pixels, in_words(guess))


def saved_strip(trial: Trial, folder: Path) -> Path:
    """Truth, mask and guess of the face side by side, as a PNG file in `folder` to take home."""
    strip = Image.fromarray(np.concatenate(trial.faces, axis=1))
    return write_image(strip, folder / "truth_mask_guess.png")
