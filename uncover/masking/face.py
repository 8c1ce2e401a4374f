"""A 3-D face under the 68 landmarks, and the camera that shows it as the photo does.

Face units: the distance between the eye centres is 1, the origin lies between them, x points to
the image's right, y down, z towards the viewer. The mean shape was estimated from the landmarks
of about a thousand faces with known pose by alternating scaled-orthographic factorisation (after
Tomasi and Kanade, "Shape and motion from image streams under orthography", 1992).

It is a second mean face beside `uncover.faces.mean_face`, and stays one on purpose: outlines
and straps of every mask are written in its units and sit on its surface. On the other shape each
drawn mask would be another, and with it each training draw and each score of the benchmark.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from uncover.faces import MIRROR_68, nearest_rotation

Floats = NDArray[np.float64]

# Image-left half of each left-right pair, and the midline: (landmark, x, y, z).
_HALF = (
    (0, -1.126, 0.022, -0.666),
    (1, -1.124, 0.309, -0.633),
    (2, -1.096, 0.600, -0.614),
    (3, -1.036, 0.886, -0.607),
    (4, -0.925, 1.153, -0.546),
    (5, -0.749, 1.384, -0.417),
    (6, -0.532, 1.579, -0.255),
    (7, -0.286, 1.730, -0.085),
    (8, 0.0, 1.769, -0.023),
    (17, -0.915, -0.222, -0.172),
    (18, -0.772, -0.336, -0.031),
    (19, -0.575, -0.363, 0.089),
    (20, -0.373, -0.330, 0.192),
    (21, -0.184, -0.250, 0.270),
    (27, 0.0, -0.016, 0.279),
    (28, 0.0, 0.175, 0.359),
    (29, 0.0, 0.366, 0.450),
    (30, 0.0, 0.562, 0.541),
    (31, -0.235, 0.686, 0.276),
    (32, -0.122, 0.727, 0.323),
    (33, 0.0, 0.763, 0.345),
    (36, -0.696, 0.001, -0.068),
    (37, -0.573, -0.070, -0.004),
    (38, -0.423, -0.067, 0.021),
    (39, -0.292, 0.030, 0.029),
    (40, -0.434, 0.054, 0.025),
    (41, -0.583, 0.052, -0.004),
    (48, -0.455, 1.030, -0.049),
    (49, -0.290, 0.967, 0.144),
    (50, -0.120, 0.937, 0.260),
    (51, 0.0, 0.966, 0.270),
    (59, -0.296, 1.187, 0.089),
    (58, -0.131, 1.259, 0.187),
    (57, 0.0, 1.272, 0.199),
    (60, -0.387, 1.040, -0.027),
    (61, -0.123, 1.038, 0.235),
    (62, 0.0, 1.050, 0.248),
    (67, -0.124, 1.104, 0.208),
    (66, 0.0, 1.119, 0.218),
)


def _mean_shape() -> Floats:
    shape = np.zeros((68, 3))
    for i, x, y, z in _HALF:
        shape[i] = (x, y, z)
        shape[MIRROR_68[i]] = (-x, y, z)
    return shape


SHAPE = _mean_shape()

# Mouth and lids move with expression, and the jaw's landmarks slide along the visible contour of
# a turned head: both say little about pose.
_WEIGHT = np.ones(68)
_WEIGHT[:17] = 0.2
_WEIGHT[48:] = 0.5
_WEIGHTS = np.broadcast_to(_WEIGHT[:, None], (68, 2)).sum(0)
_CENTRE = np.average(SHAPE, axis=0, weights=_WEIGHT)
_SOLVER = np.linalg.pinv((SHAPE - _CENTRE) * np.sqrt(_WEIGHT)[:, None]) * np.sqrt(_WEIGHT)

_REACH = 0.34  # how far a landmark's own departure from the model spreads, face units
_STIFFNESS = 0.35
_SHAPE_XY = SHAPE[:, :2].T.astype(np.float32)
_SHAPE_SQUARES = (_SHAPE_XY**2).sum(0, keepdims=True)


def cross(a: Floats, b: Floats) -> Floats:
    """Vector product (..., 3), as np.cross gives it but without its many checks."""
    product = np.empty(a.shape)
    for k in range(3):
        i, j = (k + 1) % 3, (k + 2) % 3
        product[..., k] = a[..., i] * b[..., j] - a[..., j] * b[..., i]
    return product


def check_landmarks(landmarks: NDArray[np.generic]) -> Floats:
    """Landmarks as float64 (68, 2).

    Raises:
        ValueError: another shape, not numbers, not finite, or all in one place.
    """
    array = np.asarray(landmarks)
    if array.shape != (68, 2):
        raise ValueError(f"landmarks must have shape (68, 2), got {array.shape}")
    if array.dtype.kind not in "fiu":
        raise ValueError(f"landmarks must be numbers, got dtype {array.dtype}")
    points = array.astype(np.float64)
    if not np.isfinite(points).all():
        raise ValueError("landmarks must be finite, got NaN or infinity")
    if np.ptp(points[17:48], axis=0).max() < 4.0:
        raise ValueError("landmarks span less than 4 pixels: no face to put a mask on")
    if np.abs(points).max() > 1e6:
        raise ValueError("landmarks lie more than a million pixels away from the image")
    return points


@dataclass(frozen=True)
class Camera:
    """Scaled-orthographic view of the face that meets the landmarks.

    Attributes:
        rotation: (3, 3); rows are the image's x and y axes and the direction to the viewer, in
            face axes.
        scale: pixels per face unit.
        offset: (2,) image position of the model's centre.
        residual: (68, 2) what the rigid face misses of each landmark, pixels.
        weight: (68,) how far each residual is believed.
    """

    rotation: Floats
    scale: float
    offset: Floats
    residual: Floats
    weight: Floats

    @classmethod
    def fit(cls, landmarks: Floats) -> Camera:
        """Camera for landmarks (68, 2) in pixels, by least squares."""
        offset = (landmarks * _WEIGHT[:, None]).sum(0) / _WEIGHTS
        affine = (_SOLVER @ (landmarks - offset)).T
        rotation, scale = nearest_rotation(affine)
        rigid = offset + scale * (SHAPE - _CENTRE) @ rotation[:2].T
        weight = np.ones(68)
        turn = float(rotation[2, 0])  # > 0: the viewer sees more of the image-right cheek
        far = slice(0, 7) if turn > 0 else slice(10, 17)
        weight[far] = np.exp(-((turn / 0.35) ** 2))
        weight[48:] = 0.3
        return cls(rotation, scale, offset, landmarks - rigid, weight)

    def project(self, points: Floats) -> Floats:
        """Image positions (..., 2) in pixels of face points (..., 3)."""
        flat = points.reshape(-1, 3)
        place = self.scale * flat @ self.rotation[:2].T
        place += self.offset - self.scale * self.rotation[:2] @ _CENTRE
        # Kernel regression of the residuals; single precision is plenty for a correction.
        xy = flat[:, :2].astype(np.float32)
        gap = (xy * xy).sum(1, keepdims=True) + _SHAPE_SQUARES - 2.0 * (xy @ _SHAPE_XY)
        near = np.exp(gap * np.float32(-0.5 / _REACH**2))
        pull = np.column_stack([self.residual * self.weight[:, None], self.weight])
        drift = near @ pull.astype(np.float32)
        place += drift[:, :2] / (drift[:, 2:] + _STIFFNESS)
        return place.reshape(*points.shape[:-1], 2)

    def depth(self, points: Floats) -> Floats:
        """Nearness to the viewer (...) of face points (..., 3), face units."""
        return (points - _CENTRE) @ self.rotation[2]
