"""The mean face in three dimensions: 68 points that head pose and drawn faces stand on.

The shape was fitted by structure from motion (scaled orthography, left-right symmetric, robustly
weighted) to dlib's 68 landmarks of some 3,500 adult faces, so it is an average and nobody's face.
Axes as in a photo: x to image right, y down, z into the scene (the nose is negative). Units: the
root mean square distance of the points from their centre in the x-y plane is 1, which is about
57 mm on a grown-up.
"""

from __future__ import annotations

import numpy as np

# fmt: off
FACE_68 = np.array([
    # jaw, image left to right, chin = 8
    (-1.32, -0.54, 1.03), (-1.31, -0.2, 0.93), (-1.28, 0.13, 0.85), (-1.22, 0.47, 0.79),
    (-1.1, 0.78, 0.66), (-0.9, 1.04, 0.45), (-0.64, 1.24, 0.2), (-0.35, 1.38, -0.07),
    (0, 1.41, -0.16), (0.35, 1.38, -0.07), (0.64, 1.24, 0.2), (0.9, 1.04, 0.45),
    (1.1, 0.78, 0.66), (1.22, 0.47, 0.79), (1.28, 0.13, 0.85), (1.31, -0.2, 0.93),
    (1.32, -0.54, 1.03),
    # brows
    (-1.09, -0.9, 0.35), (-0.93, -1.08, 0.16), (-0.69, -1.15, -0.01), (-0.45, -1.13, -0.15),
    (-0.22, -1.05, -0.25), (0.22, -1.05, -0.25), (0.45, -1.13, -0.15), (0.69, -1.15, -0.01),
    (0.93, -1.08, 0.16), (1.09, -0.9, 0.35),
    # nose bridge (tip = 30), nostrils
    (0, -0.79, -0.3), (0, -0.57, -0.44), (0, -0.36, -0.61), (0, -0.15, -0.77),
    (-0.28, 0.04, -0.42), (-0.14, 0.08, -0.49), (0, 0.12, -0.54), (0.14, 0.08, -0.49),
    (0.28, 0.04, -0.42),
    # eyes
    (-0.82, -0.69, 0.15), (-0.68, -0.78, 0.09), (-0.51, -0.78, 0.05), (-0.35, -0.68, 0.02),
    (-0.52, -0.65, 0.02), (-0.69, -0.65, 0.06), (0.35, -0.68, 0.02), (0.51, -0.78, 0.05),
    (0.68, -0.78, 0.09), (0.82, -0.69, 0.15), (0.69, -0.65, 0.06), (0.52, -0.65, 0.02),
    # outer lips
    (-0.55, 0.5, -0.02), (-0.35, 0.4, -0.27), (-0.15, 0.35, -0.42), (0, 0.38, -0.44),
    (0.15, 0.35, -0.42), (0.35, 0.4, -0.27), (0.55, 0.5, -0.02), (0.36, 0.67, -0.25),
    (0.16, 0.73, -0.4), (0, 0.75, -0.42), (-0.16, 0.73, -0.4), (-0.36, 0.67, -0.25),
    # inner lips
    (-0.47, 0.51, -0.06), (-0.15, 0.46, -0.41), (0, 0.48, -0.43), (0.15, 0.46, -0.41),
    (0.47, 0.51, -0.06), (0.15, 0.56, -0.37), (0, 0.58, -0.39), (-0.15, 0.56, -0.37),
], dtype=np.float64)  # (68, 3)

LIPS = slice(48, 60)
"""Of the 68 points: the outer outline of the lips."""

# MIRROR_68[i] is the landmark that point i becomes when the picture is flipped left to right.
MIRROR_68 = np.array([
    *range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31,
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
    54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65,
])
# fmt: on


def rotation_from_pose(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Rotation (3, 3) float64 that takes the frontal mean face to a pose given in degrees.

    Signs are those a viewer sees: yaw > 0 turns the nose to image right, pitch > 0 bows the head
    (nose down), roll > 0 tilts it clockwise (the eye on image right sinks). The order is
    R = Rz(roll) Ry(yaw) Rx(pitch): the head nods, then turns, then tilts in the image.
    """
    y, p, r = np.radians([-yaw, pitch, roll])
    about_z = [[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]]
    about_y = [[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]]
    about_x = [[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]]
    return np.array(about_z) @ np.array(about_y) @ np.array(about_x)


def pose_from_rotation(rotation: np.ndarray) -> tuple[float, float, float]:
    """(yaw, pitch, roll) in degrees of a rotation (3, 3); inverse of `rotation_from_pose`."""
    yaw = np.degrees(np.arcsin(np.clip(rotation[2, 0], -1.0, 1.0)))
    pitch = np.degrees(np.arctan2(rotation[2, 1], rotation[2, 2]))
    roll = np.degrees(np.arctan2(rotation[1, 0], rotation[0, 0]))
    return float(yaw), float(pitch), float(roll)


def nearest_rotation(affine: np.ndarray) -> tuple[np.ndarray, float]:
    """The scaled-orthographic view nearest to an affine one, (2, 3): which way a face is turned.

    Returns:
        The rotation (3, 3), whose first two rows are the picture's axes, and the scale.
    """
    left, sizes, right = np.linalg.svd(affine, full_matrices=False)
    rows = left @ right
    return np.vstack([rows, np.cross(rows[0], rows[1])]), float(sizes.mean())
