"""The straps of a mask: where they leave it, how they run to the ears, and how wide they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from uncover.masking.face import Floats
from uncover.masking.style import MaskStyle
from uncover.masking.surface import ROWS


@dataclass(frozen=True)
class Strap:
    """A strap in face units: its course, and either its width or its other edge.

    Attributes:
        side: -1 image left, 1 image right.
        course: (STRAP_POINTS, 3) from the mask to the ear; the middle of a band, or an edge.
        width: (STRAP_POINTS,) width of the band.
        other: (STRAP_POINTS, 3) the other edge of a piece cut from the fabric, or None.
    """

    side: int
    course: Floats
    width: Floats
    other: Floats | None = None


STRAP_POINTS = 9
_T = np.linspace(0, 1, STRAP_POINTS)[:, None]


def _curve(start: Floats, middle: Floats, end: Floats) -> Floats:
    return (1 - _T) ** 2 * start + 2 * _T * (1 - _T) * middle + _T**2 * end


def mask_straps(style: MaskStyle, surface: Floats, rng: np.random.Generator) -> list[Strap]:
    """Straps of the mask on both sides, whether or not the viewer can see them."""
    if style.fastening == "none" or style.kind == "gaiter":
        return []
    straps = []
    thin = float(rng.uniform(0.035, 0.065))
    sag = rng.normal(0, 0.05, 4)
    twisted = rng.random(4) < 0.25
    level = {"worn": 0.0, "nose_out": 0.06, "chin": 0.16}[style.wear]
    for k, (side, low) in enumerate(((-1, False), (-1, True), (1, False), (1, True))):
        if not (style.strap_left if side < 0 else style.strap_right):
            continue
        end = _anchor(style.fastening, low, level) * np.array([side, 1.0, 1.0])
        column = surface[:, 0 if side < 0 else -1]
        if style.fastening == "wide":
            inner = surface[:, 2 if side < 0 else -3]
            start, root = inner[-1 if low else 0], inner[ROWS // 2]
            tip = end + np.array([0, -0.12 if low else 0.12, 0])
            edge = _curve(start, (start + end) / 2 + (0.02 * side, 0, 0.1), end)
            bay = _curve(root, 0.35 * root + 0.65 * (start + tip) / 2, tip)
            straps.append(Strap(side, edge, np.zeros(STRAP_POINTS), bay))
            continue
        start = column[-2 if low else 1]
        course = _curve(start, (start + end) / 2 + (0.06 * side, sag[k], 0.05), end)
        width = np.full(STRAP_POINTS, thin * (1.3 if style.fastening == "ties" else 1.0))
        if twisted[k]:  # a twisted band shows its edge
            width *= 0.45 + 0.55 * np.abs(np.cos(np.pi * (_T[:, 0] * 1.5 + sag[k])))
        straps.append(Strap(side, course, width))
    return straps


def _anchor(fastening: str, low: bool, level: float) -> Floats:
    if fastening == "head":
        return np.array([1.16, 0.75, -0.9] if low else [1.18, -0.25, -0.8])
    if fastening == "ties":
        return np.array([1.05, 1.45, -1.0] if low else [1.20, -0.35, -0.8])
    if fastening == "wide":
        return np.array([1.18, 0.66 + level, -1.2] if low else [1.22, 0.26 + level, -1.2])
    return np.array([1.15, 0.50 + level, -0.85] if low else [1.17, 0.06 + level, -0.85])
