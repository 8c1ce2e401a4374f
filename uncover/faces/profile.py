"""The 68 points of a head in full profile, on which the face mesh does not hold.

BlazeFace, which finds the face there too, also marks six points of it: eyes, nose tip, mouth and
ears. The mean face is turned until its own six lie there (a similarity in closed form for each of
a grid of poses), and its 68 points are the answer. It has nobody's nose or chin, so this is rougher
than the mesh: good for framing a face and drawing a mask on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from uncover.faces.mean_face import FACE_68, rotation_from_pose
from uncover.faces.mesh import Floats, Found, Square, find_faces

SIX = np.array(
    [
        *[(-0.6, -0.7, 0.16), (0.6, -0.7, 0.16), (0, -0.14, -0.78)],
        *[(0, 0.52, -0.43), (-1.27, -0.25, 1.53), (1.27, -0.25, 1.53)],
    ]
)
"""Eyes, nose tip, mouth and ears of the mean face, in its units, as BlazeFace marks them: fitted to
its marks on 650 faces of FairFace's train and val splits with the pose of their meshes."""
_MIRROR_6 = np.array([1, 0, 2, 3, 5, 4])


@dataclass(frozen=True)
class ProfileSettings:
    """Numbers chosen by looking at 96 train photos of FairFace that the face mesh fails on.

    windows: sides of the looks, in sides of the box; each is taken at the mirror image as well.
    found: least score of a look that counts. looks: how many must see the face. apart: how far
    their marks may lie from their median, in units of the mean face. misfit: the same of the median
    from the turned mean face. turned: least yaw in degrees; other faces are the mesh's. ears: the
    weight of a mark on an ear, a rougher one. pitch: degrees that count as `slack` of misfit.
    """

    windows: tuple[float, ...] = (2.0, 1.6)
    found: float = 0.3
    looks: int = 3
    apart: float = 0.4
    misfit: float = 0.12
    turned: float = 30.0
    ears: float = 0.5
    pitch: float = 40.0
    slack: float = 0.1


PROFILE = ProfileSettings()
_POSES = [(yaw, pitch) for yaw in range(-90, 91, 5) for pitch in range(-40, 41, 5)]
_VIEWS = np.array([rotation_from_pose(yaw, pitch, 0)[:2] for yaw, pitch in _POSES])
_WEIGHTS = np.array([1, 1, 1, 1, PROFILE.ears, PROFILE.ears])


def profile_points(image: np.ndarray, found: Found) -> Floats | None:
    """float64 (68, 2) in picture pixels, iBUG 300-W order; None where looks differ or nothing fits.

    Args:
        image: uint8 (H, W, 3) RGB.
        found: BlazeFace's find in it.
    """
    marks = _marks(image, found.square)
    if len(marks) < PROFILE.looks:
        return None
    middle = np.median(marks, axis=0)
    yaw, scale, misfit, points = turned_mean_face(middle)
    apart = np.median(np.linalg.norm(marks - middle, axis=2), axis=1).max() / scale
    if apart > PROFILE.apart or misfit > PROFILE.misfit or abs(yaw) < PROFILE.turned:
        return None
    return points


def _marks(image: np.ndarray, square: Square) -> Floats:
    """(n, 6, 2): what the looks that see the face mark on it."""
    last = image.shape[1] - 1
    marks = []
    for mirrored in (False, True):
        view = cv2.flip(image, 1) if mirrored else image
        x, y = square.centre
        centre = np.array([last - x if mirrored else x, y])
        for side in PROFILE.windows:
            finds = find_faces(view, Square(centre, side * square.side), PROFILE.found)
            near = [
                find
                for find in finds
                if np.linalg.norm(find.square.centre - centre) < 0.5 * square.side
            ]
            if near and mirrored:
                marks.append((near[0].marks * (-1, 1) + (last, 0))[_MIRROR_6])
            elif near:
                marks.append(near[0].marks)
    return np.array(marks).reshape(-1, 6, 2)


def turned_mean_face(marks: Floats) -> tuple[float, float, float, Floats]:
    """The mean face in the pose in which its six points lie best on `marks` (6, 2).

    Returns:
        Yaw in degrees, pixels per unit, root mean square misfit in units, and its 68 points.
    """
    weights = _WEIGHTS / _WEIGHTS.sum()
    shown = np.einsum("rij,kj->rki", _VIEWS, SIX) @ (1, 1j)  # plane points as complex numbers
    target = marks @ (1, 1j)
    middle = (shown * weights).sum(1, keepdims=True)
    centre = (target * weights).sum()
    shown = shown - middle
    turn = (shown.conj() * (target - centre) * weights).sum(1)
    turn /= (np.abs(shown) ** 2 * weights).sum(1)
    off = np.abs(turn[:, None] * shown - (target - centre)) ** 2
    misfits = (off * weights).sum(1) / np.abs(turn) ** 2
    bowed = np.array([pitch for _, pitch in _POSES]) / PROFILE.pitch
    best = int((misfits + (PROFILE.slack * bowed) ** 2).argmin())
    placed = turn[best] * (FACE_68 @ _VIEWS[best].T @ (1, 1j) - middle[best]) + centre
    points = np.stack([placed.real, placed.imag], axis=1)
    return float(_POSES[best][0]), float(abs(turn[best])), float(np.sqrt(misfits[best])), points
