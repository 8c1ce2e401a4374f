"""What a bare face looks like below the eyes: smile, open mouth, beard, each measured in 0..1.

Shape comes from the 68 landmarks, darkness from small patches beside them. The figures are crude on
purpose: they only have to tell a generator which of its possible answers is meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

PROPERTIES = ("smile", "open", "beard")
"""How widely the mouth smiles, how far it opens, how dark beard and moustache are; 0..1 each."""


@dataclass(frozen=True)
class LookScale:
    """Raw measures that count as 0 and as 1: near the 5th and the 95th percentile of bare adult
    faces (820 of UTKFace).

    smile: width of the mouth over the distance of the outer corners of the eyes, and how far the
    corners lie above the middle of the lips, added. open: gap of the inner lips over that distance.
    beard: how much darker chin and upper lip are than the cheeks.
    """

    smile: tuple[float, float] = (0.55, 1.03)
    open: tuple[float, float] = (0.0, 0.17)
    beard: tuple[float, float] = (0.05, 0.40)


SCALE = LookScale()


def raw_look(image: NDArray[np.uint8], landmarks: NDArray[np.floating]) -> NDArray[np.float64]:
    """The three raw measures of a face; image: uint8 (H, W, 3); landmarks: (68, 2) in its pixels.

    NaN where a patch lies outside the picture.
    """
    points = np.asarray(landmarks, np.float64)
    across = points[45] - points[36]
    width = max(float(np.hypot(*across)), 1e-6)
    right = across / width
    down = np.array([-right[1], right[0]])
    mouth = float(np.hypot(*(points[54] - points[48]))) / width
    middle = (points[51] + points[57]) / 2
    lift = float((middle - (points[48] + points[54]) / 2) @ down) / width
    gap = np.mean([(points[b] - points[a]) @ down for a, b in ((61, 67), (62, 66), (63, 65))])
    chin = points[57] + 0.55 * (points[8] - points[57])
    lip = (points[33] + points[51]) / 2
    cheeks = [(points[eye] + points[side]) / 2 for eye, side in ((41, 48), (46, 54))]
    radius = max(1, round(0.05 * width))
    light = [_lightness(image, at, radius) for at in (*cheeks, chin, lip)]
    cheek = max(float(np.mean(light[:2])), 1.0)
    beard = 1 - (light[2] + light[3]) / 2 / cheek
    return np.array([mouth + 1.5 * lift, float(gap) / width, beard])


def look_of(image: NDArray[np.uint8], landmarks: NDArray[np.floating]) -> NDArray[np.float32]:
    """smile, open and beard of a face, float32 (3,) in 0..1; NaN where it cannot be measured."""
    raw = raw_look(image, landmarks)
    low, high = np.array([SCALE.smile, SCALE.open, SCALE.beard]).T
    return np.clip((raw - low) / (high - low), 0, 1).astype(np.float32)


def look_size(latent: int) -> int:
    """Length of a look vector: value and "is known" of each property, then the latent."""
    return 2 * len(PROPERTIES) + latent


def asked_look(wanted: Mapping[str, float | None], count: int, latent: int) -> NDArray[np.float32]:
    """Look vectors (count, look_size) that ask the same of each face, with a latent of zero.

    wanted: properties in 0..1; None or missing is unknown. Raises ValueError for other names.
    """
    if unknown := sorted(set(wanted) - set(PROPERTIES)):
        raise ValueError(f"unknown property {unknown[0]!r}; there are: {', '.join(PROPERTIES)}")
    row = np.zeros(look_size(latent), np.float32)
    for place, name in enumerate(PROPERTIES):
        value = wanted.get(name)
        if value is not None:
            row[place], row[place + len(PROPERTIES)] = 2 * value - 1, 1
    return np.tile(row, (count, 1))


def _lightness(image: NDArray[np.uint8], at: NDArray[np.float64], radius: int) -> float:
    """Mean linear grey of a square patch, 0..255; NaN outside the picture."""
    x, y = (round(float(v)) for v in at)
    height, width = image.shape[:2]
    if x < radius or y < radius or x >= width - radius or y >= height - radius:
        return float("nan")
    patch = image[y - radius : y + radius + 1, x - radius : x + radius + 1]
    return float(cv2.cvtColor(np.ascontiguousarray(patch), cv2.COLOR_RGB2GRAY).mean())
