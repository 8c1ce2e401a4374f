"""Prints on the fabric, drawn in mask space: stripes, flowers, words, mouths."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from uncover.masking.relief import noise_field
from uncover.masking.style import Colour, MaskStyle

Picture = NDArray[np.uint8]
Painter = Callable[[Picture, MaskStyle, np.random.Generator, float], None]
SHIFT = 4  # fractional bits of cv2's coordinates


def plain(canvas: Picture, style: MaskStyle, rng: np.random.Generator, unit: float) -> None:
    del canvas, style, rng, unit


def tone(colour: Colour, factor: float) -> Colour:
    r, g, b = (int(min(max(c * factor, 0), 255)) for c in colour)
    return r, g, b


def _fixed(*points: tuple[float, float]) -> NDArray[np.int32]:
    return np.rint(np.array(points) * (1 << SHIFT)).astype(np.int32)


def line(
    canvas: Picture, start: tuple[float, float], end: tuple[float, float], colour: Colour, wide: int
) -> None:
    a, b = _fixed(start, end)
    cv2.line(canvas, a.tolist(), b.tolist(), colour, max(1, wide), cv2.LINE_AA, SHIFT)


def disc(canvas: Picture, x: float, y: float, radius: float, colour: Colour) -> None:
    centre = (round(x * 16), round(y * 16))
    cv2.circle(canvas, centre, max(6, round(radius * 16)), colour, -1, cv2.LINE_AA, SHIFT)


def _stripes(canvas: Picture, style: MaskStyle, rng: np.random.Generator, unit: float) -> None:
    h, w = canvas.shape[:2]
    angle = float(rng.choice((0.0, np.pi / 2, np.pi / 4, -np.pi / 4))) + rng.normal(0, 0.05)
    period = unit * rng.uniform(0.06, 0.3)
    y, x = np.ogrid[:h, :w]
    phase = (x * np.cos(angle) + y * np.sin(angle)) / period % 1.0
    share = rng.uniform(0.25, 0.6)
    ramp = np.clip((share / 2 - np.abs(phase - 0.5)) * period + 0.5, 0, 1)
    _blend(canvas, ramp, style.accent)


def _checks(canvas: Picture, style: MaskStyle, rng: np.random.Generator, unit: float) -> None:
    h, w = canvas.shape[:2]
    period = unit * rng.uniform(0.12, 0.35)
    turn = rng.normal(0, 0.06) + (np.pi / 4 if rng.random() < 0.25 else 0.0)
    y, x = np.ogrid[:h, :w]
    for angle in (turn, turn + np.pi / 2):
        phase = (x * np.cos(angle) + y * np.sin(angle)) / period % 1.0
        ramp = np.clip((0.25 - np.abs(phase - 0.5)) * period + 0.5, 0, 1)
        _blend(canvas, ramp * 0.55, style.accent)


def _blend(canvas: Picture, weight: NDArray[np.floating], colour: Colour) -> None:
    alpha = weight.astype(np.float32)[..., None]
    canvas[:] = canvas + alpha * (np.array(colour, np.float32) - canvas)


def _dots(canvas: Picture, style: MaskStyle, rng: np.random.Generator, unit: float) -> None:
    h, w = canvas.shape[:2]
    period = unit * rng.uniform(0.12, 0.32)
    radius = period * rng.uniform(0.14, 0.3)
    for row, y in enumerate(np.arange(0, h + period, period * 0.8)):
        for x in np.arange(period * 0.5 * (row % 2), w + period, period):
            disc(canvas, x, y, radius, style.accent)


def _flowers(canvas: Picture, style: MaskStyle, rng: np.random.Generator, unit: float) -> None:
    h, w = canvas.shape[:2]
    first, second, last = style.accent
    third = tone((last, second, first), rng.uniform(0.7, 1.2))
    count = int(rng.integers(14, 34))
    places = rng.random((count, 2)) * (w, h)
    sizes = unit * rng.uniform(0.03, 0.10, count)
    for k in range(count):
        (x, y), size = places[k], sizes[k]
        petals = int(rng.integers(4, 7))
        hue = style.accent if k % 3 else third
        if k % 4 == 3:  # a leaf
            axes = (max(16, round(size * 16)), max(8, round(size * 6)))
            at = (round(x * 16), round(y * 16))
            green = (60, 110, 70)
            cv2.ellipse(canvas, at, axes, k * 47 % 360, 0, 360, green, -1, cv2.LINE_AA, SHIFT)
            continue
        for angle in np.linspace(k, k + 2 * np.pi, petals, endpoint=False):
            disc(canvas, x + size * np.cos(angle), y + size * np.sin(angle), size * 0.62, hue)
        disc(canvas, x, y, size * 0.45, tone(style.colour, 0.7))


def _camouflage(canvas: Picture, style: MaskStyle, rng: np.random.Generator, unit: float) -> None:
    h, w = canvas.shape[:2]
    colours = (style.accent, tone(style.colour, 0.55), tone(style.accent, 0.6))
    for k, colour in enumerate(colours):
        field = noise_field(rng, (7 + 2 * k, 12 + 2 * k), (h, w))
        _blend(canvas, np.clip((field - 0.45) * 0.12 * unit, 0, 1), colour)


_WORDS = (
    "KN95",
    "N95",
    "FFP2 NR",
    "LOVE",
    "2020",
    "HOPE",
    "NYC",
    "STAY SAFE",
    "VOTE",
    "CITY",
    "XO",
)


def _text(canvas: Picture, style: MaskStyle, rng: np.random.Generator, unit: float) -> None:
    h, w = canvas.shape[:2]
    ink = style.accent
    if sum(abs(a - b) for a, b in zip(ink, style.colour, strict=True)) < 120:
        ink = (60, 62, 70) if sum(style.colour) > 330 else (220, 220, 222)
    font = int(rng.choice((cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX)))
    if style.kind in ("n95", "duckbill"):
        code = f"GB{rng.integers(1000, 9999)}-20{rng.integers(6, 21):02d}"
        lines = [_WORDS[int(rng.integers(3))], code, "NIOSH CE"][: int(rng.integers(1, 4))]
        x, y = w * rng.uniform(0.58, 0.64), h * rng.uniform(0.4, 0.55)
        if style.cut == "cup":
            x, y = w * 0.40, h * rng.uniform(0.3, 0.45)
        tall = 0.085 * unit
    else:
        lines = [str(rng.choice(_WORDS))]
        tall = unit * rng.uniform(0.12, 0.36)
        x, y = w * rng.uniform(0.18, 0.4), h * rng.uniform(0.45, 0.65)
    for k, words in enumerate(lines):
        size = tall / 21.0 * (1.0 if k == 0 else 0.62)
        at = (int(x), int(y + k * tall * 1.25))
        thick = max(1, round(size * (2.6 if k == 0 else 1.5)))
        cv2.putText(canvas, words, at, font, size, ink, thick, cv2.LINE_AA)


def _logo(canvas: Picture, style: MaskStyle, rng: np.random.Generator, unit: float) -> None:
    h, w = canvas.shape[:2]
    x = w * float(rng.choice((rng.uniform(0.62, 0.8), rng.uniform(0.2, 0.38), 0.5)))
    y = h * rng.uniform(0.35, 0.7)
    size = unit * rng.uniform(0.05, 0.16)
    ink = style.accent
    if sum(abs(a - b) for a, b in zip(ink, style.colour, strict=True)) < 90:
        ink = (200, 30, 40)
    shape = int(rng.integers(4))
    if shape == 0:
        disc(canvas, x, y, size, ink)
        disc(canvas, x, y, size * 0.6, style.colour)
    elif shape == 1:
        for k in range(3):
            line(canvas, (x - size, y + k * size * 0.5), (x + size, y - size + k * size), ink, 2)
    elif shape == 2:
        turns = np.arange(10) * np.pi / 5 - np.pi / 2
        radii = size * np.where(np.arange(10) % 2, 0.42, 1.0)
        star = np.stack([x + radii * np.cos(turns), y + radii * np.sin(turns)], 1)
        cv2.fillPoly(canvas, [_fixed(*star)], ink, cv2.LINE_AA, SHIFT)
    else:
        cv2.rectangle(
            canvas,
            _fixed((x - size, y - size / 2))[0].tolist(),
            _fixed((x + size, y + size / 2))[0].tolist(),
            ink,
            -1,
            cv2.LINE_AA,
            SHIFT,
        )


def _teeth(canvas: Picture, style: MaskStyle, rng: np.random.Generator, unit: float) -> None:
    h, w = canvas.shape[:2]
    x, y = w * 0.5, h * rng.uniform(0.5, 0.62)
    wide, tall = unit * rng.uniform(0.4, 0.75), unit * rng.uniform(0.12, 0.26)
    lip = (160, 40, 50) if rng.random() < 0.6 else style.accent
    at = (round(x * 16), round(y * 16))
    for grow, colour in ((1.22, lip), (1.0, (40, 12, 16))):
        axes = (round(wide * grow * 16), round(tall * grow * 16))
        cv2.ellipse(canvas, at, axes, 0, 0, 360, colour, -1, cv2.LINE_AA, SHIFT)
    count = int(rng.integers(6, 11))
    for k in range(count):
        t = (k + 0.5) / count * 2 - 1
        reach = tall * np.sqrt(max(1 - t * t, 0.0))
        half = wide / count * 0.86
        for sign in (-1, 1):
            tip = y + sign * reach * 0.12
            base = y + sign * reach * 0.96
            corners = _fixed(
                (x + t * wide - half, base),
                (x + t * wide + half, base),
                (x + t * wide + half * 0.8, tip),
                (x + t * wide - half * 0.8, tip),
            )
            cv2.fillConvexPoly(canvas, corners, (236, 232, 222), cv2.LINE_AA, SHIFT)


PRINTS: dict[str, Painter] = {
    "plain": plain,
    "stripes": _stripes,
    "checks": _checks,
    "dots": _dots,
    "flowers": _flowers,
    "camouflage": _camouflage,
    "text": _text,
    "logo": _logo,
    "teeth": _teeth,
}
