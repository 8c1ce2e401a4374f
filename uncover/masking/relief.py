"""Relief of the fabric (folds, pleats, seams) and how light falls on it, in mask space."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from uncover.masking.coverage import Placed
from uncover.masking.face import cross
from uncover.masking.light import Light
from uncover.masking.style import MaskStyle
from uncover.masking.surface import COLUMNS, U

Image = NDArray[np.float32]

_EVEN = np.linspace(-1, 1, COLUMNS)
_RESAMPLE = np.stack([np.interp(_EVEN, U, row) for row in np.eye(COLUMNS)])  # (from, to)

_FOLD_U = np.linspace(-1, 1, 30)[None]
_FOLD_V = np.linspace(0, 1, 20)[:, None]
_FOLD_ANGLES = np.linspace(-1.7, 1.7, 14)


def noise_field(rng: np.random.Generator, cells: tuple[int, int], size: tuple[int, int]) -> Image:
    """Smooth noise of about unit size; cells and size are (rows, columns)."""
    coarse = rng.standard_normal((cells[0] + 1, cells[1] + 1)).astype(np.float32)
    return cv2.resize(coarse, (size[1], size[0]), interpolation=cv2.INTER_CUBIC)


def body_shade(placed: Placed, light: Light, size: tuple[int, int]) -> Image:
    """Light on the smooth shape of the mask, float32 `size`, about 1 where it faces the viewer."""
    surface = placed.surface
    du, dv = np.empty_like(surface), np.empty_like(surface)
    du[:, 1:-1] = surface[:, 2:] - surface[:, :-2]
    du[:, [0, -1]] = surface[:, [1, -1]] - surface[:, [0, -2]]
    dv[1:-1] = surface[2:] - surface[:-2]
    dv[[0, -1]] = surface[[1, -1]] - surface[[0, -2]]
    normal = cross(dv, du)
    normal *= np.where(normal[..., 2:] < 0, -1.0, 1.0)
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9)
    seen = normal @ placed.camera.rotation.T
    lit = 0.5 + 0.5 * seen @ light.direction
    lit = 0.42 + 0.67 * lit - 0.10 * np.clip(-seen[..., 2] + 0.35, 0, 1)
    offset = (placed.points - placed.camera.offset) / placed.camera.scale
    lit = lit * np.clip(1 + 0.8 * offset @ light.slope, 0.5, 1.5)
    even = (lit @ _RESAMPLE).astype(np.float32)
    return cv2.resize(even, (size[1], size[0]), interpolation=cv2.INTER_LINEAR)


def relief(style: MaskStyle, rng: np.random.Generator, size: tuple[int, int]) -> Image:
    """Height of the fabric above its smooth shape, float32 `size`, face units."""
    h, w = size
    u = np.linspace(-1, 1, w, dtype=np.float32)[None]
    v = np.linspace(0, 1, h, dtype=np.float32)[:, None]
    much = style.wrinkles * (0.5 + 0.5 * style.fit)
    height = noise_field(rng, (3, 5), size) * np.float32(0.05 * much)
    grain = 0.0008 if style.kind in ("cloth", "gaiter") else 0.0004
    height += rng.standard_normal(size, np.float32) * np.float32(grain)  # weave
    if style.kind in ("surgical", "cloth", "gaiter"):
        folds = noise_field(rng, (7, 4), size)
        height += np.float32(0.045 * much) * (1 - np.abs(folds))
        height += _corner_folds(style, rng, size) * np.float32(0.07 * much)
    else:
        dents = noise_field(rng, (5, 9), size)
        height += np.float32(0.010 * much) * dents
    if style.kind == "gaiter":
        swags = noise_field(rng, (11, 3), size)
        height += np.float32(0.03 * much) * (1 - np.abs(swags)) * np.sqrt(v)
    if style.cut == "pleated":
        height += _pleats(style, rng, u, v)
    if style.cut == "bill":
        height += np.float32(0.016) * np.exp(-(((v - 0.6 + 0.1 * u * u) / 0.03) ** 2))
    if style.cut == "fold":
        height += np.float32(0.018) * np.exp(-((u / 0.022) ** 2))
        for edge in (0.10, 0.93):
            height -= np.float32(0.006) * np.exp(-(((v - edge) / 0.012) ** 2))
        slant = v - (0.30 + 0.25 * np.abs(u))
        height -= np.float32(0.006) * np.exp(-((slant / 0.012) ** 2)) * (np.abs(u) > 0.2)
    if style.cut == "cup":
        for edge in (0.06, 0.94):
            height += np.float32(0.01) * np.exp(-(((v - edge) / 0.025) ** 2))
    if style.cut in ("seamed", "fitted"):
        middle = 0.02 * np.sin(3 * v) * float(rng.uniform(-1, 1))
        depth = 0.02 if style.cut == "seamed" else 0.008
        height -= np.float32(depth) * np.exp(-(((u - middle) / 0.014) ** 2))
    return height.astype(np.float32)


def _pleats(style: MaskStyle, rng: np.random.Generator, u: Image, v: Image) -> Image:
    """Fabric folded down over itself: each pleat is a step that drops quickly, rises slowly."""
    count = 3 if style.kind == "surgical" or rng.random() < 0.5 else 2
    height = np.zeros(np.broadcast_shapes(u.shape, v.shape), np.float32)
    deep = float(rng.uniform(0.010, 0.024))
    first, last = rng.uniform(0.24, 0.34), rng.uniform(0.62, 0.76)
    if style.wear == "chin":
        first, last = 0.3, 0.75
    for at in np.linspace(first, last, count).tolist():
        bend = rng.normal(0, 0.02) + 0.05 * (at - 0.45)
        line = at + rng.normal(0, 0.012) + bend * (1 - u * u) + rng.normal(0, 0.012) * u
        past = v - line
        open_ = 1 - 0.55 * style.fit * np.exp(-((u / 0.5) ** 2))
        step = np.where(past < 0, np.exp(past / 0.09), -0.25 * np.exp(-past / 0.03))
        height += (deep * open_ * step).astype(np.float32)
    return height


def _corner_folds(style: MaskStyle, rng: np.random.Generator, size: tuple[int, int]) -> Image:
    """Folds that run together where the straps pull."""
    u, v = _FOLD_U, _FOLD_V
    total = np.zeros((v.size, u.size))
    for side in (-1.05, 1.05):
        for corner in (0.05, 0.95) if style.kind != "gaiter" else (0.15,):
            angle = np.arctan2(v - corner, (u - side) * -side)
            waves = np.interp(angle, _FOLD_ANGLES, rng.standard_normal(14))
            far = (u - side) ** 2 + 0.8 * (v - corner) ** 2
            total += waves * np.exp(-far / 0.25) * np.minimum(1, far / 0.02)
    return cv2.resize(total.astype(np.float32), (size[1], size[0]), interpolation=cv2.INTER_CUBIC)


def relief_shade(height: Image, light: Light, unit: float) -> Image:
    """Change of brightness from the relief's slope towards the light, float32, about 0."""
    pixel = unit  # texture pixels per face unit
    gx = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=pixel / 8)
    gy = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=pixel / 8)
    lx, ly = float(light.direction[0]), float(light.direction[1])
    if abs(lx) < 0.2:
        lx = 0.2 if lx >= 0 else -0.2
    shade = gx * np.float32(-lx) + gy * np.float32(-ly)
    reach = 2 * max(1, round(0.05 * unit)) + 1
    hollow = height - cv2.blur(height, (reach, reach))
    shade += hollow * np.float32(5.0)
    return np.clip(shade * np.float32(1.5), -0.5, 0.28)
