"""Head-pose bins over the absolute yaw, and the yaw of a bare face where labels give none."""

from __future__ import annotations

import math

import numpy as np

from uncover.errors import UncoverError

BINS = ("0-15", "15-30", "30-60", ">60")
UNKNOWN = "unknown"
_ALIASES = {"60+": ">60", "over60": ">60", "60-90": ">60", "60-180": ">60"}


def pose_bin(yaw: float | None) -> str:
    """The bin of a yaw in degrees: |yaw| in [0, 15), [15, 30), [30, 60], over 60.

    None or NaN gives "unknown".
    """
    if yaw is None or math.isnan(yaw):
        return UNKNOWN
    turned = abs(yaw)
    if turned < 15:
        return BINS[0]
    if turned < 30:
        return BINS[1]
    return BINS[2] if turned <= 60 else BINS[3]


def pose_name(text: str) -> str:
    """A bin as a user may write it, such as "60+", under the name the benchmark gives it."""
    return _ALIASES.get(text, text)


def estimate_yaw(landmarks: np.ndarray, width: int, height: int) -> float:
    """Yaw in degrees of a bare face, from its (68, 2) landmarks in photo pixels.

    Raises:
        UncoverError: the landmarks do not determine a pose.
    """
    from uncover.faces import estimated_pose

    try:
        return float(estimated_pose(landmarks, width, height)[0])
    except ValueError as error:
        raise UncoverError(f"its head pose cannot be estimated: {error}") from error
