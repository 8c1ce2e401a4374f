"""A drawn mask on a bare face, taken off again: the truth beside the guess, with scores."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uncover.crop import FaceCrop, frame_face
from uncover.errors import ImageError, NoFaceError, UncoverError
from uncover.faces import find_landmarks
from uncover.images import Photo, load_lpips, ssim_map
from uncover.masking import MaskStyle, draw_mask, random_style
from uncover.pipeline import Uncoverer
from uncover.results import Result
from uncover.scores import number

SIDE = 256
_lock = threading.Lock()


@dataclass(frozen=True, eq=False)
class Masked:
    """A photo with a drawn mask.

    Attributes:
        bare, masked: uint8 (H, W, 3).
        covered: bool (H, W), the pixels that the mask hides.
        crop: the face's upright frame of side `SIDE`.
    """

    bare: NDArray[np.uint8]
    masked: NDArray[np.uint8]
    covered: NDArray[np.bool_]
    crop: FaceCrop


@dataclass(frozen=True)
class Scores:
    """How alike guess and truth are on the face crop of side `SIDE`.

    Attributes:
        ssim, lpips: mean over the whole crop; ssim_hole, lpips_hole: over the hole only. SSIM is
            1, LPIPS (SqueezeNet) 0, where they are identical. LPIPS is None when its network is
            not on this machine and cannot be fetched.
        hole: the hole's part of the crop, 0..1.
    """

    ssim: float
    ssim_hole: float
    lpips: float | None
    lpips_hole: float | None
    hole: float


@dataclass(frozen=True, eq=False)
class Guess:
    """A mask taken off again.

    Attributes:
        result: the painted photo.
        found: whether the mask was found as on any photo; if not, its true pixels were filled.
        scores: guess against truth.
    """

    result: Result
    found: bool
    scores: Scores


def make_style(kind: str, colour: str, fit: float, wear: str = "worn", seed: int = 0) -> MaskStyle:
    """A mask of a kind, fit (0 snug to 1 baggy) and wear, in a colour such as "#9fcbe0".

    Colours may also be written "rgb(159, 203, 224)" or "rgba(...)", as colour pickers do.

    Raises:
        UncoverError: no such kind, wear or colour.
    """
    try:
        return random_style(
            np.random.default_rng(seed), kind=kind, colour=_rgb(colour), fit=float(fit), wear=wear
        )
    except (ValueError, TypeError) as error:
        raise UncoverError(f"this mask cannot be drawn: {error}") from None


def _rgb(text: str) -> tuple[int, int, int]:
    text = text.strip().lower()
    if text.startswith("#") and len(text) in (7, 9):
        return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)
    if text.startswith("rgb") and "(" in text:
        parts = text[text.index("(") + 1 :].rstrip(") ").split(",")
        r, g, b = (min(255, max(0, round(float(part)))) for part in parts[:3])
        return r, g, b
    raise ValueError(f"unknown colour {text!r}")


def put_on(photo: Photo, style: MaskStyle) -> Masked:
    """Draw a mask on the main bare face of a photo.

    Raises:
        NoFaceError: no bare face was found.
        UncoverError: a network that finds the landmarks is missing.
    """
    landmarks = find_landmarks(photo.rgb)
    if landmarks is None:
        raise NoFaceError(
            "no bare face was found: take a photo with one face, uncovered, turned to the camera"
        )
    masked, alpha = draw_mask(photo.rgb, landmarks, style)
    covered = alpha > 0.02
    if not covered.any():
        raise NoFaceError("the face lies outside the picture: take another photo")
    return Masked(photo.rgb, masked, covered, frame_face(landmarks, SIDE))


def take_off(
    uncoverer: Uncoverer, masked: Masked, blend: Any = "feather", lpips: bool = True
) -> Guess:
    """Fill a drawn mask as on any photo, and compare with the truth, without LPIPS if so said.

    When the mask is not found on the face, exactly its pixels are filled instead.
    """
    result = uncoverer(masked.masked, blend=blend, fill_chin=True)
    painted = np.zeros(masked.covered.shape, bool)
    for face in result.filled:
        painted |= face.mask
    found = bool((painted & masked.covered).sum() >= 0.5 * masked.covered.sum())
    if not found:
        result = uncoverer.fill(masked.masked, masked.covered, blend=blend)
        painted = masked.covered
    hole = painted | masked.covered
    scores = compare(masked.bare, result.pixels, hole, masked.crop, lpips)
    return Guess(result, found, scores)


def compare(
    truth: NDArray[np.uint8],
    guess: NDArray[np.uint8],
    hole: NDArray[np.bool_],
    crop: FaceCrop,
    lpips: bool = True,
) -> Scores:
    """Score a painted photo against the true one on a face's crop.

    Args:
        truth, guess: uint8 (H, W, 3).
        hole: bool (H, W), what was painted.
        crop: the face's frame.
        lpips: whether LPIPS is wanted; its network is loaded, or fetched, when first used.

    Raises:
        ImageError: the hole lies outside the crop.
    """
    inside = crop.extract(hole.astype(np.uint8) * 255) > 127
    if not inside.any():
        raise ImageError("the mask lies outside the face: take another photo")
    true_crop, guess_crop = crop.extract(truth), crop.extract(guess)
    similarity = ssim_map(guess_crop, true_crop)
    distance = _lpips_map(true_crop, guess_crop) if lpips else None
    return Scores(
        ssim=float(similarity.mean()),
        ssim_hole=float(similarity[inside].mean()),
        lpips=None if distance is None else float(distance.mean()),
        lpips_hole=None if distance is None else float(distance[inside].mean()),
        hole=float(inside.mean()),
    )


def _lpips_map(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    """LPIPS of Zhang et al. (2018) at each pixel, float32 (S, S); None without its network."""
    import torch

    with _lock:
        network = _lpips_network()
    if network is None:
        return None
    x, y = (torch.from_numpy(p).permute(2, 0, 1)[None].float() / 127.5 - 1 for p in (a, b))
    with torch.inference_mode():
        return network(x, y)[0, 0].numpy()


@lru_cache(maxsize=1)
def _lpips_network() -> Any:
    """LPIPS with SqueezeNet; None when its ImageNet weights cannot be had."""
    try:
        return load_lpips("squeeze", spatial=True, seconds=10)
    except UncoverError:
        return None


def in_words(guess: Guess) -> str:
    """The scores as Markdown, with what they mean."""
    s = guess.scores

    def cell(value: float | None) -> str:
        return "not available here" if value is None else number(value, 3)

    lines = [
        "| compared with the true face | in the hole | whole face crop |",
        "|---|---:|---:|",
        f"| SSIM (1 = identical) | **{cell(s.ssim_hole)}** | {cell(s.ssim)} |",
        f"| LPIPS (0 = identical) | **{cell(s.lpips_hole)}** | {cell(s.lpips)} |",
        "",
        f"The mask hid {s.hole:.0%} of the face crop. The hole tells how good the guess is; the "
        "whole crop flatters, since most of it is copied. SSIM compares local structure, LPIPS "
        "what a neural network sees.",
    ]
    if s.lpips is None:
        lines.append("\nLPIPS needs a small network (5 MB) that could not be fetched.")
    if not guess.found:
        lines.append(
            "\nNote: the mask was not found on this photo by itself, so its exact pixels were used."
        )
    return "\n".join(lines)
