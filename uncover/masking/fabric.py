"""Colour of the fabric in mask space: dye, bindings, seams and valves, before any light."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from uncover.masking.prints import PRINTS, SHIFT, Painter, Picture, disc, line, plain, tone
from uncover.masking.style import Colour, MaskStyle


def fabric_colour(
    style: MaskStyle, rng: np.random.Generator, size: tuple[int, int], unit: float
) -> Picture:
    """Draw the unlit fabric.

    Args:
        style: the mask.
        rng: source of chance for the print.
        size: (rows, columns) of the texture; row 0 is the top edge.
        unit: texture pixels per face unit.

    Returns:
        uint8 (rows, columns, 3) RGB.
    """
    h, w = size
    style = replace(
        style,
        colour=fabric_dye(style, style.colour),
        accent=fabric_dye(style, style.accent),
    )
    canvas = np.empty((h, w, 3), np.uint8)
    cv2.rectangle(canvas, (0, 0), (w, h), style.colour, -1)
    PRINTS[style.pattern](canvas, style, rng, unit)
    _CONSTRUCTION.get(style.cut, plain)(canvas, style, rng, unit)
    if style.trim and style.kind in ("surgical", "cloth"):
        _binding(canvas, style, rng, unit)
    if style.valve and style.kind in ("n95", "cloth"):
        _valve(canvas, style, rng, unit)
    return canvas


def fabric_dye(style: MaskStyle, colour: Colour) -> Colour:
    """Colour as cloth shows it: no fabric is quite black, and a shiny one less so."""
    floor = 12 + 36 * style.shine
    r, g, b = (int(c + floor * (1 - c / 255)) for c in colour)
    return r, g, b


def _binding(canvas: Picture, style: MaskStyle, rng: np.random.Generator, unit: float) -> None:
    """Bound edges: a band along the rim, with a row of stitches or weld points inside it."""
    h, w = canvas.shape[:2]
    band = unit * rng.uniform(0.05, 0.085)
    thin = max(1, round(band))
    canvas[:thin] = style.accent
    canvas[h - thin :] = style.accent
    side = max(1, round(band * rng.uniform(0.7, 1.2)))
    canvas[:, :side] = style.accent
    canvas[:, w - side :] = style.accent
    ink = tone(style.accent, 0.84)
    gap = max(3.0, unit * 0.045)
    xs = np.arange(gap, w - gap, gap * 1.6)
    for y in (band * 0.45, h - band * 0.45):
        _dashes(canvas, xs, y, (gap * 0.6, 0), ink)
    if style.kind == "surgical" and rng.random() < 0.6:
        ink = tone(style.colour, 0.88)
        _dashes(canvas, np.arange(gap, w - gap, gap), band * 1.7, (0, gap * 0.35), ink)


def _dashes(
    canvas: Picture, xs: NDArray[np.float64], y: float, step: tuple[float, float], ink: Colour
) -> None:
    start = np.stack([xs, np.full(len(xs), y)], 1)
    ends = np.stack([start, start + step], 1)
    cv2.polylines(canvas, list(np.rint(ends * 16).astype(np.int32)), False, ink, 1, 16, SHIFT)


def _sewn(canvas: Picture, style: MaskStyle, rng: np.random.Generator, unit: float) -> None:
    h, w = canvas.shape[:2]
    ink = tone(style.colour, 0.72 if sum(style.colour) > 240 else 1.35)
    if style.cut == "seamed":
        bend = rng.uniform(-0.02, 0.02) * w
        xs = w / 2 + bend * np.sin(np.linspace(0, np.pi, 8))
        seam = np.rint(np.stack([xs, np.linspace(0, h, 8)], 1) * 16).astype(np.int32)
        cv2.polylines(canvas, [seam], False, ink, 1, cv2.LINE_AA, SHIFT)
    rim = unit * rng.uniform(0.03, 0.06)
    if rng.random() < 0.6:
        for y in (rim, h - rim):
            line(canvas, (0, y), (w, y), ink, 1)


def _respirator(canvas: Picture, style: MaskStyle, rng: np.random.Generator, unit: float) -> None:
    h, w = canvas.shape[:2]
    ink = tone(style.colour, 0.9 if sum(style.colour) > 240 else 1.3)
    if style.cut == "fold":
        line(canvas, (w / 2, 0), (w / 2, h), ink, max(1, round(0.02 * unit)))
    if style.cut == "cup" and rng.random() < 0.7:
        metal = (168, 170, 174)
        half, tall = 0.28 * unit, 0.05 * unit
        y = 0.10 * unit
        line(canvas, (w / 2 - half, y), (w / 2 + half, y), metal, round(tall))
        line(canvas, (w / 2 - half, y), (w / 2 + half, y), (206, 208, 210), round(tall / 3))
    weld = unit * rng.uniform(0.05, 0.08)
    for y in (weld, h - weld):
        gap = max(3.0, 0.045 * unit)
        _dashes(canvas, np.arange(0, w, gap), y, (0.3 * gap, 0), ink)
    if style.trim:
        for x in (weld, w - weld):
            line(canvas, (x, 0), (x, h), ink, 1)


_CONSTRUCTION: dict[str, Painter] = {
    "fold": _respirator,
    "cup": _respirator,
    "bill": _respirator,
    "seamed": _sewn,
    "pleated": plain,
    "fitted": _sewn,
}


def _valve(canvas: Picture, style: MaskStyle, rng: np.random.Generator, unit: float) -> None:
    """An exhalation valve: a plastic disc or box with slots, lit from above."""
    h, w = canvas.shape[:2]
    x = w / 2 + style.valve * unit * rng.uniform(0.36, 0.5)
    if style.cut == "cup" and rng.random() < 0.6:
        x = w / 2
    y, size = h * rng.uniform(0.46, 0.58), unit * rng.uniform(0.15, 0.2)
    pick = int(rng.integers(4))
    base = ((232, 232, 230), (196, 200, 204), (58, 60, 64), tone(style.accent, 0.9))[pick]
    disc(canvas, x + 0.1 * size, y + 0.14 * size, size * 1.08, tone(style.colour, 0.7))
    disc(canvas, x, y, size, tone(base, 0.85))
    disc(canvas, x - 0.03 * size, y - 0.05 * size, size * 0.92, base)
    disc(canvas, x, y, size * 0.66, tone(base, 0.86))
    disc(canvas, x + 0.02 * size, y + 0.04 * size, size * 0.6, tone(base, 1.03))
    for k in np.linspace(-0.4, 0.4, 4):
        ends = (x - size * 0.42, y + k * size), (x + size * 0.42, y + k * size)
        line(canvas, *ends, tone(base, 0.6), round(0.05 * size))
