"""The holes the generator learns to fill: rendered masks first, and shapes people might paint."""

from __future__ import annotations

import cv2
import numpy as np

from uncover.masking import mask_alpha, random_style

STANDING_OFF = 0.5  # share of the rendered masks that stand off the face's outline


def random_hole(
    landmarks: np.ndarray, size: int, rng: np.random.Generator, variety: bool = True
) -> np.ndarray:
    """A bool (size, size) hole for a face with these 68 landmarks in crop pixels.

    Four in five are masks as `uncover.masking` draws them, grown by what a segmenter's dilation
    and a feathered edge may add. Half of those stand off the face as stiff masks do, so that its
    outline is to be found and not read from the hole's. The others are a jaw polygon, a brushed
    blob or a box over the lower face, so that masks corrected by hand are filled as well.
    With variety off every hole is the plain jaw polygon.
    """
    kind = rng.random() if variety else 0.85
    if kind < 0.8:
        alpha = mask_alpha(landmarks, (size, size), random_style(rng))
        hole = (alpha > 0.02).astype(np.uint8)
        hole = _grow(hole, size, rng.uniform(0.0, 0.05))
        if rng.random() < STANDING_OFF:
            hole = _standing_off(hole, size, rng)
    elif kind < 0.9:
        hole = _jaw_polygon(landmarks, size, rng, variety)
    elif kind < 0.96:
        hole = _brushed(landmarks, size, rng)
    else:
        hole = _box(landmarks, size, rng)
    if not hole.any():  # the mask fell outside the crop: any hole teaches more than none
        hole = _jaw_polygon(landmarks, size, rng, variety)
    return hole > 0


def _standing_off(hole: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """The hole sticking out on one side, wider all around, or rounded out."""
    kind = rng.choice(3, p=(0.45, 0.35, 0.2))
    if kind == 0 or not hole.any():
        return _swept(hole, size, rng)
    if kind == 1:
        return _stretched(hole, size, rng)
    return _rounded(hole, size, rng)


def _stretched(hole: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """The hole and itself enlarged about its centre, by up to a third across, a quarter down."""
    across, down = rng.uniform(1.03, 1.33), rng.uniform(1.0, 1.25)
    rows, columns = np.nonzero(hole)
    x, y = columns.mean(), rows.min() + 0.4 * np.ptp(rows)  # a mask's upper edge hardly moves
    zoom = np.array([[across, 0, (1 - across) * x], [0, down, (1 - down) * y]])
    return hole | cv2.warpAffine(hole, zoom, (size, size), flags=cv2.INTER_NEAREST)


def _rounded(hole: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """The hole and an ellipse about as wide and high: no chin, no jaw to be seen in its outline."""
    rows, columns = np.nonzero(hole)
    centre = np.array([columns.mean(), rows.mean()]) + rng.normal(0, 0.015 * size, 2)
    half = np.array([columns.std(), rows.std()]) * rng.uniform(1.85, 2.2, 2)
    box = tuple(map(float, centre)), tuple(map(float, 2 * half)), float(rng.normal(0, 8))
    grown = hole.copy()
    cv2.ellipse(grown, box, 1, -1)
    return grown


def _swept(hole: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """The hole and all it passes over when moved sideways or down, by up to a tenth of the side."""
    angle, reach = rng.uniform(-0.3, np.pi + 0.3), rng.uniform(0.02, 0.1) * size
    end = np.round(reach * np.array([np.cos(angle), np.sin(angle)])).astype(int)
    middle = int(np.abs(end).max())
    kernel = np.zeros((2 * middle + 1, 2 * middle + 1), np.uint8)
    cv2.line(kernel, (middle, middle), (middle - int(end[0]), middle - int(end[1])), 1)
    return cv2.dilate(hole, kernel)


def _grow(hole: np.ndarray, size: int, share: float) -> np.ndarray:
    radius = round(share * size)
    if radius < 1:
        return hole
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return cv2.dilate(hole, kernel)


def _jaw_polygon(
    landmarks: np.ndarray, size: int, rng: np.random.Generator, vary: bool
) -> np.ndarray:
    """Jaw line from cheek to cheek, closed over the nose bridge or its tip."""
    first = int(rng.integers(1, 4)) if vary else 2
    top = int(rng.integers(28, 31)) if vary else 29
    points = np.concatenate([landmarks[first : 17 - first], landmarks[top : top + 1]])
    if vary:
        centre = points.mean(0)
        points = centre + (points - centre) * rng.uniform(0.95, 1.12)
    hole = np.zeros((size, size), np.uint8)
    cv2.fillPoly(hole, [np.round(points).astype(np.int32)], 1)
    return hole


def _brushed(landmarks: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """A thick random stroke over nose and mouth, as a brush in a page would leave it."""
    hole = np.zeros((size, size), np.uint8)
    centre = landmarks[[30, 48, 54, 57]].mean(0)
    face = max(float(np.ptp(landmarks[:17, 0])), size * 0.1)
    points = centre + rng.normal(0, 0.16 * face, (int(rng.integers(4, 10)), 2))
    thickness = max(3, int(rng.uniform(0.18, 0.4) * face))
    cv2.polylines(hole, [np.round(points).astype(np.int32)], False, 1, thickness)
    return hole


def _box(landmarks: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    hole = np.zeros((size, size), np.uint8)
    x0, y0 = landmarks[[2, 28]].min(0)
    x1, y1 = landmarks[[8, 14]].max(0)
    jitter = rng.uniform(-0.08, 0.08, 4) * size
    box = np.array([x0, landmarks[28, 1], x1, y1]) + jitter
    x0, y0, x1, y1 = np.clip(np.round(box), 0, size).astype(int)
    hole[y0:y1, x0:x1] = 1
    return hole
