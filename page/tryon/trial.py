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
from uncover.masking import MaskStyle
from uncover.paint import Blend
from uncover.pipeline import Uncoverer

Picture = NDArray[np.uint8]


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
        self._most = most

    def masked(self, path: Path, style: MaskStyle) -> Masked:
        """A visitor's photo with a mask on.

        Raises:
            UncoverError: the photo cannot be used.
            NoFaceError: no bare face in it.
        """
        return put_on(open_photo(path), style)

    def run(self, path: Path, style: MaskStyle, blend: Blend = "feather") -> Trial:
        """Put the mask on and take it off again. Errors as `masked`."""
        photo = open_photo(path)
        key = None
        if hashlib.sha256(path.read_bytes()).digest() == self._example:
            key = (style, blend)
            if key in self._kept:
                return self._kept[key]
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


def saved_pair(trial: Trial, folder: Path) -> tuple[Path, Path]:
    """The whole photo, true and guessed, as PNG files in `folder`."""
    paths = folder / "truth.png", folder / "guess.png"
    for path, pixels in zip(paths, (trial.truth, trial.guess), strict=True):
        Image.fromarray(pixels).save(path, compress_level=4)
    return paths
