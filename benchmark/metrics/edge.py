"""Whether the painted face ends as sharply as the photo's: the steepest step across the jaw line.

Along the true jaw line (68-point landmarks 1 to 15, where it runs through the hole) short profiles
of the grey picture are read at right angles to it, a pixel apart. Each has a steepest step: the
largest absolute difference of two places one pixel apart, found to a quarter of a pixel. (On whole
pixels alone an edge that lies between two of them looks half as steep.) A photo's value is the
mean step of the fill over that of the bare face, and a slice's value is the median over its photos:
1 is a jaw as crisp as the photos', less a soft, haloed one.
"""

from __future__ import annotations

import cv2
import numpy as np

JAW = slice(1, 16)
REACH = 0.05
"""Half the profile's length, as a part of the jaw's width. Landmarks of the jaw are that good."""
MIN_PROFILES = 8
FINE = 4
"""Places read a pixel."""


def jaw_profiles(landmarks: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Where to read: float32 (P, K, 2), x and y of P profiles, a quarter of a pixel from place to
    place.

    Args:
        landmarks: (68, 2) in pixels of the picture.
        hole: bool (S, S); only jaw points in it are kept.
    """
    jaw = np.asarray(landmarks, np.float64)[JAW]
    lengths = np.linalg.norm(np.diff(jaw, axis=0), axis=1)
    along = np.r_[0.0, np.cumsum(lengths)]
    if along[-1] <= 0:
        return np.empty((0, 0, 2), np.float32)
    places = np.linspace(0, along[-1], max(2, int(along[-1])))
    line = np.stack([np.interp(places, along, jaw[:, k]) for k in (0, 1)], 1)
    tangent = np.gradient(line, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], 1)
    x, y = np.rint(line).astype(int).T
    height, width = hole.shape
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    inside[inside] = hole[y[inside], x[inside]]
    reach = max(2, round(REACH * float(np.ptp(jaw[:, 0]))))
    steps = np.arange(-reach * FINE, reach * FINE + 1) / FINE
    read = line[inside, None] + normal[inside, None] * steps[None, :, None]
    return read.astype(np.float32)


def steepest_step(picture: np.ndarray, profiles: np.ndarray) -> float:
    """Mean over profiles of the steepest change over one pixel, in grey levels.

    Args:
        picture: uint8 (S, S, 3). profiles: as `jaw_profiles` gives them, not empty.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    read = cv2.remap(
        grey, profiles[..., 0], profiles[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    read = read.astype(np.float64)
    return float(np.abs(read[:, FINE:] - read[:, :-FINE]).max(1).mean())


def edge(
    fill: np.ndarray, truth: np.ndarray, hole: np.ndarray, landmarks: np.ndarray | None
) -> float:
    """The fill's step over the bare face's; NaN without a jaw in the hole or a step there."""
    if landmarks is None:
        return float("nan")
    profiles = jaw_profiles(landmarks, hole)
    if len(profiles) < MIN_PROFILES:
        return float("nan")
    step = steepest_step(truth, profiles)
    return steepest_step(fill, profiles) / step if step > 0 else float("nan")
