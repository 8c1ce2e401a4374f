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
        (0.0, 0.4, 0.45),
        (-0.45, 0.35, 0.15),
        (0.45, 0.35, 0.15),
        (-0.7, 0.45, 0.0),
        (0.7, 0.45, 0.0),
        (-0.6, 0.7, 0.05),
        (0.6, 0.7, 0.05),
    ]
)


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
    centre = camera.project(np.array([[0.0, 0.5, 0.2]]))[0]
    x0, y0 = np.clip(np.floor(centre - 1.5 * unit), 0, (w - 8, h - 8)).clip(0).astype(int)
    x1, y1 = np.clip(np.ceil(centre + 1.5 * unit), (x0 + 8, y0 + 8), (w, h)).astype(int)
    x1, y1 = max(x1, min(x0 + 8, w)), max(y1, min(y0 + 8, h))
    face = image[y0:y1, x0:x1]
    small = cv2.resize(face, (24, 24), interpolation=cv2.INTER_AREA).astype(np.float32)

    at = camera.project(_SKIN)
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
    direction = np.array([1.6 * slope[0], 1.2 * slope[1] - 0.35, 0.85])
    direction /= np.linalg.norm(direction)

    bright = np.percentile(luma, 96)
    level = np.clip(0.30 + 0.72 * bright / 235.0, 0.34, 1.0)
    lit = small[luma >= np.percentile(luma, 85)].mean(0)
    cast = lit / max(float(lit.max()), 1.0)
    colour = float(np.ptp(small, axis=2).mean())
    chroma = min(1.0, colour / 14.0)
    tint = level * (
        0.62 + 0.38 * (cast * cast.max() / max(float(cast.mean()), 0.2)).clip(0.6, 1.15)
    )
    grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
    blur, grain = _focus(grey)
    return Light(slope, direction, np.clip(tint, 0.1, 1.0).astype(np.float32), chroma, blur, grain)


def _focus(grey: NDArray[np.uint8]) -> tuple[float, float]:
    """Blur (pixels) and grain (levels) of a grey picture.

    Natural pictures carry about as much contrast in every octave; blur takes the finest first.
    The ratio of the two finest octaves, calibrated on sharp faces blurred by known amounts,
    gives the blur. Grain is what the flattest parts still show in the finest octave.
    """
    sharp = grey.astype(np.float32)
    soft = cv2.GaussianBlur(sharp, (5, 5), 0.8)
    softer = cv2.GaussianBlur(sharp, (9, 9), 1.6)
    fine = np.abs(sharp - soft)
    coarse = np.abs(soft - softer)
    grain = 1.4 * float(np.percentile(fine[::2, ::2], 30)) / 0.385 * 0.8
    top = float(np.percentile(coarse[::2, ::2], 90))
    strong = coarse > max(top, 1.0)
    ratio = float(fine[strong].mean() / coarse[strong].mean()) if strong.any() else 0.5
    blur = float(np.interp(-ratio, -_RATIO, _BLUR))
    return blur, min(grain, 6.0)


_RATIO = np.array([1.0, 0.8, 0.6, 0.45, 0.35, 0.28])
_BLUR = np.array([0.35, 0.5, 0.8, 1.2, 1.8, 2.6])
