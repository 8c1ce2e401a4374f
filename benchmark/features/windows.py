"""The two looks of a feature network that `c2st` judges by.

`texture`: features averaged over a window around the hole. They see skin, grain and blur first.
`structure`: features on a 6 x 6 grid of a window that the eyes align, after a low-pass at 1/40 of
its side, so that blur alone does not decide; what is where in the face does. The channels are
mixed down to 64 by a fixed random projection, which keeps distances (Johnson and Lindenstrauss).
"""

from __future__ import annotations

import cv2
import numpy as np

from uncover.crop import FaceCrop
from uncover.faces import five_points

SIDE = 224
"""Side in pixels at which the network sees a window."""
MARGIN = 0.1
GRID = 6
LOW_PASS = 1 / 40
CHANNELS = 64


def around_hole(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """The square around the hole with a tenth more on each side, uint8 (224, 224, 3).

    Args:
        picture: uint8 (S, S, 3). hole: bool (S, S), not empty.
    """
    rows, columns = np.flatnonzero(hole.any(1)), np.flatnonzero(hole.any(0))
    top, left = rows[0], columns[0]
    high, wide = rows[-1] + 1 - top, columns[-1] + 1 - left
    side = min(max(high, wide) * (1 + 2 * MARGIN), *picture.shape[:2])
    side = max(1, round(side))
    y = int(np.clip(round(top + high / 2 - side / 2), 0, picture.shape[0] - side))
    x = int(np.clip(round(left + wide / 2 - side / 2), 0, picture.shape[1] - side))
    part = picture[y : y + side, x : x + side]
    how = cv2.INTER_AREA if side > SIDE else cv2.INTER_CUBIC
    return cv2.resize(part, (SIDE, SIDE), interpolation=how)


def aligned_by_eyes(picture: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """The face in its canonical frame, eyes level, low-passed, uint8 (224, 224, 3).

    The blur is a Gaussian of 1/40 of the side.

    Args:
        picture: uint8 (S, S, 3). landmarks: (68, 2) of the bare face, in its pixels.
    """
    crop = FaceCrop.from_points(five_points(landmarks), SIDE).extract(picture)
    return cv2.GaussianBlur(crop, (0, 0), LOW_PASS * SIDE)


def projection(width: int) -> np.ndarray:
    """float32 (width, 64): the fixed mixing of channels; the identity, filled up
    with zeros, for 64 channels or fewer."""
    if width <= CHANNELS:
        return np.eye(width, CHANNELS, dtype=np.float32)
    rng = np.random.default_rng(64)
    return (rng.standard_normal((width, CHANNELS)) / np.sqrt(CHANNELS)).astype(np.float32)
