"""The mask as a surface over the 3-D face: a grid in mask space (u, v) for every cut.

u runs from -1 (edge at the image's left) to 1, v from 0 (top edge) to 1 (bottom edge). Each row
is an arc from one edge of the mask over the middle of the face to the other; each cut says where
the top and bottom edges lie, how wide the mask is, and how far it stands off the face.
All lengths in face units (see :mod:`uncover.masking.face`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from uncover.masking.face import Floats
from uncover.masking.style import MaskStyle

COLUMNS = 33
ROWS = 15
U = np.sin(np.linspace(-np.pi / 2, np.pi / 2, COLUMNS))
V = np.linspace(0.0, 1.0, ROWS)

_JAW_Y = np.array([0.02, 0.31, 0.60, 0.886, 1.153, 1.384, 1.579, 1.80, 3.5])
_JAW_X = np.array([1.126, 1.124, 1.096, 1.036, 0.925, 0.80, 0.74, 0.72, 0.80])
_JAW_Z = np.array([-0.67, -0.63, -0.61, -0.60, -0.546, -0.45, -0.42, -0.50, -0.6])
_CHEEK_Y = np.array([0.0, 0.4, 0.9, 1.3, 1.7, 1.9, 2.2, 3.5])
_CHEEK_Z = np.array([0.10, 0.22, 0.25, 0.17, 0.0, -0.18, -0.30, -0.30])
# Midline of the face with a cloth stretched over it from the nose tip to the chin.
_MIDDLE_Y = np.array([0.0, 0.18, 0.37, 0.56, 0.70, 1.0, 1.3, 1.6, 1.77, 1.88, 2.05, 2.4, 3.5])
_MIDDLE_Z = np.array(
    [0.28, 0.36, 0.45, 0.54, 0.52, 0.40, 0.27, 0.14, 0.0, -0.14, -0.28, -0.3, -0.3]
)
# The same without the nose and with the lips, for a mask worn under it.
_UNDER_Z = np.array([0.28, 0.30, 0.32, 0.33, 0.34, 0.31, 0.22, 0.12, 0.0, -0.14, -0.28, -0.3, -0.3])


@dataclass(frozen=True)
class _Outline:
    top: float  # y of the top edge at the middle
    top_side: float  # ... and at the ends
    bottom: float
    bottom_side: float
    peak: float = 0.42  # width of the rise over the nose
    belly: float = 2.0  # power with which the bottom edge falls from the ends to the chin
    width: float = 0.92  # of the face's half width at the top corner
    width_low: float = 0.92  # ... at the bottom corner
    bow: float = 0.0  # how far the side edges bend outwards between the corners
    corner: float = 0.06  # rounding of the corners
    stand: float = 0.03  # distance from the face everywhere
    bulge: float = 0.0  # further distance in the middle
    bulge_at: float = 0.5  # v of the furthest point
    ridge: float = 0.2  # 0: round cross-section; 1: pointed, along a vertical seam
    sweep: float = 0.0  # top edge rises again towards the ears


def _outline(style: MaskStyle) -> _Outline:
    fit, top, width = style.fit, style.top, style.width
    if style.cut == "pleated":
        shape = _Outline(
            top=0.46 - 0.34 * top,
            top_side=0.60 - 0.16 * top,
            bottom=1.80 + 0.16 * fit,
            bottom_side=1.22 + 0.14 * fit,
            belly=2.0 + 0.8 * fit,
            width=0.80 + 0.18 * width,
            width_low=0.86 + 0.14 * width,
            bow=0.02 - 0.05 * fit,
            corner=0.03,
            stand=0.02 + 0.03 * fit,
            bulge=0.05 + 0.10 * fit,
            ridge=0.25,
            sweep=0.06,
        )
    elif style.cut == "fold":
        shape = _Outline(
            top=0.36 - 0.32 * top,
            top_side=0.80 - 0.14 * top,
            bottom=1.80 + 0.12 * fit,
            bottom_side=1.12 + 0.06 * fit,
            peak=0.55,
            belly=1.35,
            width=0.84 + 0.15 * width,
            width_low=0.86 + 0.14 * width,
            corner=0.09,
            bulge=0.12 + 0.12 * fit,
            bulge_at=0.48,
            ridge=0.75,
        )
    elif style.cut == "cup":
        shape = _Outline(
            top=0.34 - 0.26 * top,
            top_side=0.72,
            bottom=1.79 + 0.10 * fit,
            bottom_side=1.22,
            peak=0.6,
            belly=2.2,
            width=0.66 + 0.14 * width,
            width_low=0.78 + 0.1 * width,
            bow=0.05,
            corner=0.2,
            bulge=0.2 + 0.10 * fit,
            bulge_at=0.55,
            ridge=0.1,
        )
    elif style.cut == "bill":
        shape = _Outline(
            top=0.38 - 0.28 * top,
            top_side=0.66,
            bottom=1.80 + 0.12 * fit,
            bottom_side=1.20,
            peak=0.6,
            belly=1.9,
            width=0.78 + 0.14 * width,
            width_low=0.84 + 0.12 * width,
            corner=0.14,
            bulge=0.3 + 0.15 * fit,
            bulge_at=0.6,
            ridge=0.0,
        )
    elif style.cut == "seamed":
        shape = _Outline(
            top=0.40 - 0.32 * top,
            top_side=0.62 - 0.14 * top,
            bottom=1.80 + 0.10 * fit,
            bottom_side=1.20,
            peak=0.5,
            belly=1.6,
            width=(0.72 if style.fastening == "wide" else 0.78) + 0.16 * width,
            width_low=0.80 + 0.14 * width,
            bow=-0.05,
            corner=0.07,
            stand=0.015,
            bulge=0.04 + 0.14 * fit,
            ridge=0.5,
        )
    elif style.cut == "fitted":
        shape = _Outline(
            top=0.44 - 0.34 * top,
            top_side=0.58 - 0.14 * top,
            bottom=1.78 + 0.16 * fit,
            bottom_side=1.24 + 0.1 * fit,
            peak=0.5,
            belly=2.1,
            width=0.80 + 0.19 * width,
            width_low=0.86 + 0.14 * width,
            corner=0.1,
            stand=0.02,
            bulge=0.04 + 0.12 * fit,
            ridge=0.3,
        )
    else:
        tube = style.cut == "tube"
        shape = _Outline(
            top=0.46 - 0.36 * top,
            top_side=0.46 - 0.26 * top,
            bottom=2.5 + 0.5 * fit if tube else 2.3 + 0.8 * fit,
            bottom_side=2.4 if tube else 1.35,
            peak=0.4,
            belly=2.0 if tube else 1.0,
            width=1.02,
            width_low=1.02 + 0.1 * fit,
            corner=0.02,
            stand=0.03,
            bulge=0.02 + 0.08 * fit,
            ridge=0.25,
            sweep=0.04,
        )
    if style.wear == "nose_out":
        drop = 0.82 - 0.1 * top
        shape = replace(
            shape,
            top=drop,
            top_side=max(shape.top_side, drop - 0.12),
            peak=0.8,
            bottom=max(shape.bottom + 0.06, drop + 0.9),
            bottom_side=max(shape.bottom_side, drop + 0.35),
        )
    elif style.wear == "chin":
        drop = 1.52 - 0.12 * top
        shape = replace(
            shape,
            top=drop,
            top_side=drop - 0.30,
            peak=0.9,
            bottom=max(shape.bottom + 0.15, drop + 0.5),
            bottom_side=max(shape.bottom_side, drop + 0.08),
            bulge=0.3 * shape.bulge,
        )
    return shape


def _arc(u: Floats, ridge: Floats) -> tuple[Floats, Floats]:
    """Sideways and forward course (each 0..1 in size) of a row that bends round the face."""
    half = 1.25
    across = np.sin(half * u) / np.sin(half)
    forward = (np.cos(half * u) - np.cos(half)) / (1 - np.cos(half))
    return across, forward + ridge * (1 - np.sqrt(u * u + 0.004) - forward)


def mask_surface(style: MaskStyle, rng: np.random.Generator) -> Floats:
    """Surface of the mask, (ROWS, COLUMNS, 3) in face units, row 0 along the top edge."""
    shape = _outline(style)
    tilt, shift, scale = rng.normal(0, (0.025, 0.025, 0.02))
    wave = rng.normal(0, 1, (2, 3)) * np.array([0.014, 0.010, 0.006])
    u, v = U[None, :], V[:, None]
    ends = 1 - np.exp(-((U / shape.peak) ** 2))
    ends = ends / ends[-1]
    swing = np.stack([np.cos(np.pi * U * k + k) for k in (1, 2, 3)])
    top = shape.top + (shape.top_side - shape.top) * ends + wave[0] @ swing
    top = top - shape.sweep * np.clip(np.abs(U) - 0.6, 0, 1) / 0.4
    bottom = shape.bottom - (shape.bottom - shape.bottom_side) * np.abs(U) ** shape.belly
    bottom = np.maximum(bottom + wave[1] @ swing, top + 0.12)
    inner = np.clip((np.abs(U) - (1 - shape.corner)) / shape.corner, 0, 1)
    rounding = shape.corner * 1.2 * (1 - np.sqrt(1 - inner**2))
    y = (top + rounding)[None] + (bottom - top - 2 * rounding)[None] * v

    side_y = y[:, :1] * 0.5 + y[:, -1:] * 0.5
    reach = shape.width + (shape.width_low - shape.width) * v + shape.bow * np.sin(np.pi * v)
    half = reach * (1 + scale) * np.interp(side_y, _JAW_Y, _JAW_X) + shape.stand
    jaw = np.interp(side_y, _JAW_Y, _JAW_Z)
    cheek = np.interp(side_y, _CHEEK_Y, _CHEEK_Z)
    edge = jaw + (cheek - jaw) * np.clip(1 - reach**2, 0, 1)

    middle_y = y[:, COLUMNS // 2][:, None]
    profile = _MIDDLE_Z if style.wear == "worn" else _UNDER_Z
    middle = np.interp(middle_y, _MIDDLE_Y, profile) + shape.stand
    at = shape.bulge_at
    hump = np.where(v < at, v / at, (1 - v) / (1 - at))
    hump = hump * hump * (3 - 2 * hump) if style.cut != "bill" else hump
    middle = middle + shape.bulge * hump
    ridge = shape.ridge * (1 - 0.5 * v) if style.cut not in ("fold", "seamed") else shape.ridge
    nose = 0.35 * np.clip(1 - v / 0.45, 0, 1) if style.wear == "worn" else 0.0
    across, forward = _arc(u, np.clip(ridge + nose * (1 - shape.ridge), 0, 1))
    x = across * half
    z = edge + (middle - edge) * forward
    turned = x + shift + tilt * (y - 1.0)
    return np.stack([turned, y - tilt * x, z], axis=-1)


def flat_size(surface: Floats) -> tuple[float, float]:
    """Height and width of the mask laid flat, face units."""
    column = surface[:, COLUMNS // 2]
    row = surface[ROWS // 2]
    tall = np.linalg.norm(np.diff(column, axis=0), axis=1).sum()
    wide = np.linalg.norm(np.diff(row, axis=0), axis=1).sum()
    return max(float(tall), 0.3), max(float(wide), 0.6)
