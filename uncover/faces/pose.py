"""Head-pose bins over the absolute yaw, once for training and benchmark."""

from __future__ import annotations

import math

from uncover.faces.labels import UNKNOWN

POSE_BINS = ("0-15", "15-30", "30-60", ">60")
_ALIASES = {"60+": ">60", "over60": ">60", "60-90": ">60", "60-180": ">60"}


def pose_bin(yaw: float | None) -> str:
    """The bin of a yaw in degrees: |yaw| in [0, 15), [15, 30), [30, 60], over 60.

    None and what is not finite give "unknown".
    """
    if yaw is None or not math.isfinite(yaw):
        return UNKNOWN
    turned = abs(yaw)
    if turned < 15:
        return POSE_BINS[0]
    if turned < 30:
        return POSE_BINS[1]
    return POSE_BINS[2] if turned <= 60 else POSE_BINS[3]


def pose_name(text: str) -> str:
    """A bin as a user may write it, such as "60+", under the name of `POSE_BINS`."""
    return _ALIASES.get(text, text)
