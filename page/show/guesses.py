"""Several answers to one masked face as pictures: each guess, and where they differ."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from page.show.annotate import fitted, zoom_rect
from uncover.results import Result

FULL = 12.0
"""Spread of the guesses, in levels of a pixel, from which on the map is at its brightest."""


class GuessPicture(NamedTuple):
    """One answer to a face, or the map of where its answers differ.

    Attributes:
        pixels: uint8 (h, w, 3).
        caption: one line for people.
        face: place of the face among the painted ones, from 0.
        guess: which answer, from 0; None for the map.
    """

    pixels: NDArray[np.uint8]
    caption: str
    face: int
    guess: int | None


def guess_pictures(result: Result, most: int, side: int = 256) -> list[GuessPicture]:
    """Each painted face: all its guesses, the best first, then the map of where they differ.

    Args:
        result: of several samples; of one, nothing comes back.
        most: faces shown, the larger ones first.
        side: longer side of a picture in pixels.

    Returns:
        One picture more for a face than there are samples.
    """
    pictures: list[GuessPicture] = []
    if not result.others:
        return pictures
    answers, spread = (result.pixels, *result.others), result.uncertainty
    for number, face in enumerate(result.filled[:most], 1):
        x0, y0, x1, y1 = zoom_rect(face.box, result.pixels.shape)
        for place, pixels in enumerate(answers, 1):
            name = "best guess" if place == 1 else f"guess {place} of {len(answers)}"
            text = f"Face {number}, {name}: not an identification"
            cut = fitted(pixels[y0:y1, x0:x1], side)
            pictures.append(GuessPicture(cut, text, number - 1, place - 1))
        shown = spread_map(result.pixels[y0:y1, x0:x1], spread[y0:y1, x0:x1])
        text = f"Face {number}, where the guesses differ: the brighter, the less is known"
        pictures.append(GuessPicture(fitted(shown, side), text, number - 1, None))
    return pictures


def spread_map(pixels: NDArray[np.uint8], spread: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A picture (H, W, 3) in dim grey, with a spread (H, W), as `Result.uncertainty`, in colour.

    The colour covers the grey more and runs from red to yellow as the spread goes from 0 to `FULL`.
    """
    share = np.clip(spread / np.float32(FULL), 0, 1)
    levels = (110 + 145 * share).astype(np.uint8)
    colours = cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[..., ::-1]
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None] * np.float32(0.5)
    weight = np.sqrt(share)[..., None]
    return (weight * colours + (1 - weight) * grey).round().astype(np.uint8)
