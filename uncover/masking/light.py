"""What a photo tells about its light, focus and grain, so that a drawn mask can share them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from uncover.masking.face import Camera, Floats

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
# Skin that a mask or a beard rarely hides, face units: forehead, cheek bones, nose, temples.
_SKIN = np.array(
    [
        (-0.5, -0.5, 0.0),
        (0.0, -0.5, 0.2),
        (0.5, -0.5, 0.0),
        (0.0, 0.1, 0.3),
        (0.0, 0.5, 0.5),
        (-0.45, 0.35, 0.15),
        (0.45, 0.35, 0.15),
        (-0.7, 0.45, 0.0),
        (0.7, 0.45, 0.0),
        (-0.6, 0.7, 0.05),
        (0.6, 0.7, 0.05),
    ]
)
_MIDDLE = 4  # the nose


@dataclass(frozen=True)
class Light:
    """Light on a face as the photo shows it.

    Attributes:
        slope: (2,) relative change of skin brightness per face unit, along image x and y.
        direction: (3,) unit vector to the light in image axes (x right, y down, z to the viewer).
        tint: (3,) colour of a white fabric in this light, 0..1 per channel.
        chroma: 0 (a grey photo) ... 1.
        blur: standard deviation of the photo's own blur near the face, pixels.
        grain: standard deviation of its noise, levels of 255.
    """

    slope: Floats
    direction: Floats
    tint: NDArray[np.float32]
    chroma: float
    blur: float
    grain: float


def read_light(image: NDArray[np.uint8], camera: Camera) -> Light:
    """Estimate the light on the face that `camera` shows in an RGB image (H, W, 3)."""
    h, w = image.shape[:2]
    unit = camera.scale
    at = camera.project(_SKIN)
    centre = at[_MIDDLE]
    x0, y0 = np.clip(np.floor(centre - 1.5 * unit), 0, (w - 8, h - 8)).clip(0).astype(int)
    x1, y1 = np.clip(np.ceil(centre + 1.5 * unit), (x0 + 8, y0 + 8), (w, h)).astype(int)
    x1, y1 = max(x1, min(x0 + 8, w)), max(y1, min(y0 + 8, h))
    face = image[y0:y1, x0:x1]
    small = cv2.resize(face, (24, 24), interpolation=cv2.INTER_AREA).astype(np.float32)

    cell = (at - (x0, y0)) / (x1 - x0, y1 - y0) * 24 - 0.5
    inside = ((cell > -0.5) & (cell < 23.5)).all(1)
    spots = np.clip(np.rint(cell), 0, 23).astype(int)
    luma = small @ _LUMA
    skin = luma[spots[:, 1], spots[:, 0]]
    slope = np.zeros(2)
    if inside.sum() >= 5:
        offset = (at[inside] - at[inside].mean(0)) / unit
        level = max(float(skin[inside].mean()), 12.0)
        ridge = 0.4 * np.eye(2)
        slope = np.linalg.solve(offset.T @ offset + ridge, offset.T @ (skin[inside] / level - 1.0))
        slope = np.clip(slope, -0.55, 0.55)
    direction = np.array([1.6 * slope[0], min(1.2 * slope[1] - 0.35, -0.12), 0.85])
    direction /= np.linalg.norm(direction)

    ranked = np.sort(luma, axis=None)
    bright = ranked[int(0.96 * ranked.size)]
    level = np.clip(0.34 + 0.74 * bright / 235.0, 0.4, 1.04)
    lit = small[luma >= ranked[int(0.85 * ranked.size)]].mean(0)
    cast = lit / max(float(lit.max()), 1.0)
    colour = float(np.ptp(small, axis=2).mean())
    chroma = min(1.0, colour / 14.0)
    tint = level * (
        0.76 + 0.24 * (cast * cast.max() / max(float(cast.mean()), 0.2)).clip(0.6, 1.15)
    )
    tall, wide = y1 - y0, x1 - x0
    sharp = face[tall // 6 : tall * 3 // 5 + 1, wide // 6 : wide * 5 // 6 + 1]  # brows to nose
    grey = cv2.cvtColor(sharp, cv2.COLOR_RGB2GRAY)
    blur, grain = _focus(grey)
    return Light(slope, direction, np.clip(tint, 0.1, 1.05).astype(np.float32), chroma, blur, grain)


def _focus(grey: NDArray[np.uint8]) -> tuple[float, float]:
    """Blur (pixels) and grain (levels) of a grey picture.

    Natural pictures carry about as much contrast in every octave; blur takes the finest first.
    The ratio of the two finest octaves at strong edges, calibrated on sharp faces blurred by known
    amounts, gives the blur; where it says little, half the picture's size says more. Grain is what
    the flattest parts still show in the finest octave.
    """
    ratio, grain = _octaves(grey)
    blur = float(np.interp(-ratio, _RATIO, _BLUR))
    h, w = grey.shape
    if ratio < 0.48 and min(h, w) > 32:
        half = cv2.resize(grey, (w // 2, h // 2), interpolation=cv2.INTER_AREA)
        blur = max(blur, 2 * float(np.interp(-_octaves(half)[0], _RATIO, _BLUR)))
    return blur, min(grain, 6.0)


def _octaves(grey: NDArray[np.uint8]) -> tuple[float, float]:
    sharp = grey.astype(np.float32)
    soft = cv2.GaussianBlur(sharp, (5, 5), 0.8)
    softer = cv2.GaussianBlur(soft, (7, 7), 1.4)
    fine = cv2.absdiff(sharp, soft)
    coarse = cv2.absdiff(soft, softer)
    flat = np.sort(fine[::3, ::3], axis=None)
    grain = 1.3 * float(flat[int(0.3 * flat.size)])
    edges = np.sort(coarse[::3, ::3], axis=None)
    strong = (coarse > max(float(edges[int(0.9 * edges.size)]), 1.0)).astype(np.float32)
    coarse_sum = float((coarse * strong).sum())
    if coarse_sum == 0:
        return 0.56, grain
    return float((fine * strong).sum()) / coarse_sum, grain


_RATIO = -np.array([0.74, 0.70, 0.613, 0.564, 0.529, 0.496, 0.474])
_BLUR = np.array([0.3, 0.4, 0.6, 0.8, 1.0, 1.3, 1.6])
