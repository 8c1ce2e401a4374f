"""The yaw of a bare face where labels give none."""

from __future__ import annotations

import numpy as np

from uncover.errors import UncoverError


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
