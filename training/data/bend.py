"""Turning the head of a photo a little: side faces for training, where photos of them are rare.

The 68 landmarks of a rigid mean face say how each part of a face moves when the head turns; in
between the motion is interpolated and away from the face it fades (compare the face profiling of
Zhu et al. 2016, arXiv:1511.07212, which does the same with a dense model). Up to some twenty
degrees the result passes for a photo; what the turn would reveal is stretched skin.
"""

from __future__ import annotations

import cv2
import numpy as np

from uncover.faces import FACE_68, nearest_rotation, pose_from_rotation, rotation_from_pose

FURTHEST = 48.0  # degrees of yaw beyond which no head is turned: its far side would be hidden
_TURNED = 8.0  # degrees of yaw from which a head counts as turned
_GRID = 25  # the motion is worked out at so many places each way
_NEAR = 0.3  # reach of a landmark's motion, in units of the mean face (about 57 mm)
_WIDE, _WIDER = 0.02, 3.0  # weight and reach, over _NEAR, of a second, wide part of it
_FADE = 0.02  # of the motion far from every landmark: the larger, the nearer it ends

# Beside the landmarks: temples, top and back of the head, which turn with the face.
_HEAD = np.array(
    [(-1.35, -1.1, 0.9), (1.35, -1.1, 0.9), (-0.8, -1.75, 0.6), (0.8, -1.75, 0.6), (0, -1.9, 0.5),
     (-1.5, -0.4, 1.4), (1.5, -0.4, 1.4), (-1.2, 1.3, 1.1), (1.2, 1.3, 1.1), (0, 1.9, 0.7)]
)  # fmt: skip
_POINTS = np.concatenate([FACE_68, _HEAD])
_CENTRE = FACE_68.mean(0)
_SOLVER = np.linalg.pinv(FACE_68 - _CENTRE)
_PIVOT = np.array([0, 0, 0.6])  # what a head turns about lies behind the face


def away(landmarks: np.ndarray, degrees: float) -> float:
    """The degrees, signed so that a head that is turned already is turned on and not back.

    Turned back it would show its far side, of which the photo has nothing. landmarks: (68, 2) in
    pixels.
    """
    yaw = pose_from_rotation(_pose(landmarks)[0])[0]
    return float(np.copysign(degrees, yaw)) if abs(yaw) > _TURNED else degrees


class Bend:
    """A head turned in its photo.

    Attributes:
        degrees: by how much, the nose to image right.
        landmarks: where the photo's 68 landmarks come to lie, (68, 2) in pixels.
    """

    def __init__(self, landmarks: np.ndarray, degrees: float) -> None:
        """Turn the head of these landmarks, (68, 2) in pixels; at most to `FURTHEST`."""
        rotation, self._unit = _pose(landmarks)
        yaw = pose_from_rotation(rotation)[0]
        limit = max(FURTHEST, abs(yaw))
        self.degrees = float(np.clip(yaw + degrees, -limit, limit) - yaw)
        turn = rotation @ rotation_from_pose(self.degrees, 0, 0) - rotation
        self._motion = self._unit * (_POINTS - _PIVOT) @ turn[:2].T
        head = self._unit * (_HEAD - _CENTRE) @ rotation[:2].T + landmarks.mean(0)
        self._goal = np.concatenate([landmarks, head]) + self._motion
        self.landmarks = self._goal[:68]

    def sources(self, places: np.ndarray) -> np.ndarray:
        """Where in the photo the pixels at `places`, (N, 2), of the turned photo come from."""
        gap = ((places[:, None] - self._goal) ** 2).sum(-1) / (self._unit * _NEAR) ** 2
        near = np.exp(-gap / 2) + _WIDE * np.exp(-gap / (2 * _WIDER**2))
        return places - near @ self._motion / (near.sum(1, keepdims=True) + _FADE)

    def pixels(self, matrix: np.ndarray, size: int) -> np.ndarray:
        """Where in the photo the pixels of a crop of the turned photo come from.

        matrix: (2, 3), takes the turned photo's pixels to the crop's.

        Returns:
            float32 (size, size, 2), x and y, as `cv2.remap` takes them.
        """
        line = np.linspace(0, size - 1, _GRID)
        grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
        back = cv2.invertAffineTransform(np.asarray(matrix, np.float64))
        found = self.sources(grid @ back[:, :2].T + back[:, 2])
        # Bilinear, the grid's corners on the crop's (cv2 resizes by steps of a 32nd of a cell).
        between = np.linspace(0, _GRID - 1, size)[:, None] - np.arange(_GRID)
        weights = np.maximum(1 - np.abs(between), 0)
        field = found.reshape(_GRID, _GRID, 2).transpose(2, 0, 1)
        return (weights @ field @ weights.T).transpose(1, 2, 0).astype(np.float32)


def _pose(landmarks: np.ndarray) -> tuple[np.ndarray, float]:
    """Rotation (3, 3) of the mean face and its unit in pixels, in scaled orthography."""
    return nearest_rotation((_SOLVER @ (landmarks - landmarks.mean(0))).T)
