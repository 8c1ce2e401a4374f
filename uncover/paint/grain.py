"""Grain and skin texture: what is painted gets as much of it as the face around it has.

A crop that is enlarged to a photo's resolution has none of the photo's noise and pores and shows as
a smooth patch. Their spectrum is measured on plain skin above the mask, that of the painted skin
is taken off, and noise of what is missing is added (texture from a power spectrum and random
phases: Galerne, Gousseau and Morel, "Random phase textures", 2011).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from uncover.crop import FaceCrop, Patch


@dataclass(frozen=True)
class Grain:
    """How a photo's grain is measured and added; docs/history.md says what it brings, on 40 photos.

    Set by eye on real photos; not measured one by one.

    Attributes:
        skin_left, skin_top, skin_right, skin_bottom: the part of an upright crop, in its sides, in
            which skin is looked for.
        whole: a painted pixel whose weight is above this shows nothing of the photo's own grain.
        heart: pixels around the middle of the noise's kernel that are more than nothing.
        block: side in photo pixels of the blocks on which the spectrum is measured.
        blocks: looked at, at most about so many.
        least: plain blocks that both the face and what is painted must have.
        plain: share of the blocks, the plainest ones, that count.
        smooth: coarser than this (sigma in photo pixels) is shape, not grain.
        sharp: crop pixels per photo pixel from which a crop keeps what fine detail there is.
        weakest, strongest: standard deviation, in grey levels, below which nothing is added, and
            of what is added at most.
    """

    skin_left: float = 0.22
    skin_top: float = 0.08
    skin_right: float = 0.78
    skin_bottom: float = 0.6
    whole: float = 0.99
    heart: int = 5
    block: int = 16
    blocks: int = 200
    least: int = 6
    plain: float = 0.15
    smooth: float = 2.5
    sharp: float = 0.9
    weakest: float = 0.25
    strongest: float = 3.0


GRAIN = Grain()


def with_grain(
    placed: NDArray[np.uint8], photo: NDArray[np.uint8], crop: FaceCrop, patch: Patch
) -> NDArray[np.uint8]:
    """The painted picture with the grain of the photo's skin.

    Args:
        placed: uint8 (h, w, 3), the painted picture in the patch's rectangle.
        photo: uint8 (H, W, 3), the photo. crop: the face's upright frame.
        patch: where it is painted.

    Returns:
        uint8 (h, w, 3); the input itself where the crop is hardly enlarged, so that the generator
        sees the grain itself, where there is too little skin to go by, or no less grain in it than
        in the photo. The same arguments give the same grain.
    """
    if crop.scale >= GRAIN.sharp:
        return placed
    seen = _spectrum(*_skin_above(photo, crop, patch))
    if seen is None:
        return placed
    own = _spectrum(_fine(placed), patch.alpha > GRAIN.whole)
    if own is None:
        return placed
    missing = np.maximum(seen - own, 0)
    deviation = float(np.sqrt(missing.mean()))
    if deviation < GRAIN.weakest:
        return placed
    missing *= min(1.0, GRAIN.strongest / deviation) ** 2
    kernel = np.fft.fftshift(np.fft.ifft2(np.sqrt(missing)).real)
    rng = np.random.default_rng(0)
    white = rng.standard_normal(patch.alpha.shape, np.float32)
    heart = slice(GRAIN.block // 2 - GRAIN.heart, GRAIN.block // 2 + GRAIN.heart + 1)
    noise = cv2.filter2D(white, -1, kernel[heart, heart].astype(np.float32))
    return cv2.add(placed, cv2.merge([noise] * 3), dtype=cv2.CV_8U)


def _skin_above(
    photo: NDArray[np.uint8], crop: FaceCrop, patch: Patch
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The fine part of the photo around the eyes, and where in it the face is not painted."""
    height, width = photo.shape[:2]
    left, right = GRAIN.skin_left, GRAIN.skin_right
    above, below = GRAIN.skin_top, GRAIN.skin_bottom
    skin = np.array([[left, above], [right, above], [right, below], [left, below]])
    corners = crop.to_photo(skin * crop.size)
    x0, y0 = np.clip(np.floor(corners.min(0)).astype(int), 0, (width, height))
    x1, y1 = np.clip(np.ceil(corners.max(0)).astype(int), 0, (width, height))
    if x1 <= x0 or y1 <= y0:
        return np.zeros((0, 0), np.float32), np.zeros((0, 0), bool)
    free = np.zeros((y1 - y0, x1 - x0), np.uint8)
    cv2.fillConvexPoly(free, np.round(corners - (x0, y0)).astype(np.int32), 1)
    px0, py0, px1, py1 = patch.rect
    xs, ys = (max(x0, px0), min(x1, px1)), (max(y0, py0), min(y1, py1))
    if xs[0] < xs[1] and ys[0] < ys[1]:
        painted = patch.painted[ys[0] - py0 : ys[1] - py0, xs[0] - px0 : xs[1] - px0]
        free[ys[0] - y0 : ys[1] - y0, xs[0] - x0 : xs[1] - x0][painted] = 0
    return _fine(photo[y0:y1, x0:x1]), free > 0


def _fine(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What of the brightness is finer than `GRAIN.smooth`, float32 (h, w)."""
    grey = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY).astype(np.float32)
    return grey - cv2.GaussianBlur(grey, (0, 0), GRAIN.smooth)


def _spectrum(fine: NDArray[np.float32], where: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    """Mean power spectrum of the plainest blocks, (B, B) for blocks of side B, 1 for white noise of
    one grey level; None where there are too few."""
    if min(fine.shape) < GRAIN.block:
        return None
    step = max(GRAIN.block // 2, round((fine.size / GRAIN.blocks) ** 0.5))
    views = np.lib.stride_tricks.sliding_window_view
    whole = views(where, (GRAIN.block, GRAIN.block))[::step, ::step].all(axis=(2, 3))
    blocks = views(fine, (GRAIN.block, GRAIN.block))[::step, ::step][whole]
    if len(blocks) < GRAIN.least:
        return None
    order = np.argsort(blocks.std(axis=(1, 2)), kind="stable")
    plain = blocks[order[: max(GRAIN.least, round(GRAIN.plain * len(blocks)))]]
    window = np.outer(np.hanning(GRAIN.block), np.hanning(GRAIN.block))
    power = np.abs(np.fft.fft2(plain * window)) ** 2
    return power.mean(0) / (window**2).sum()
