"""Face boxes and face meshes: two small networks of MediaPipe, run by OpenCV.

BlazeFace (Bazarevsky et al. 2019, arXiv:1907.05047) finds faces; the face mesh (Kartynnik et al.
2019, arXiv:1907.06724) puts 468 points of a known surface on one of them, the hidden ones too, so
that it holds on heads turned up to 90 degrees. Both files come from the `mediapipe` package
(Apache-2.0, see models/LICENSE) and lie beside this file: 1.5 MB for that package's 130.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from uncover.errors import UncoverError
from uncover.faces.mean_face import MIRROR_68
from uncover.faces.mesh_points import points_68

MODELS = Path(__file__).parent / "models"
DETECTOR_FILE, MESH_FILE = "face_detection_short_range.tflite", "face_landmark.tflite"
DETECTOR_SIDE, MESH_SIDE = 128, 192
MESH_POINTS = 468

Floats = NDArray[np.float64]
_lock = threading.Lock()  # a network of cv2.dnn answers one question at a time


@dataclass(frozen=True)
class MeshSettings:
    """Numbers chosen on 600 val photos of FairFace, 28 in 100 of them turned by 30 degrees or more.

    found: score from which BlazeFace's find is looked at. doubtful: the same where a picture is
    known to hold a face. overlap: two finds that share so much of their area are one. reach: side
    of the mesh's square in sides of BlazeFace's box. again: the same around a mesh, for the second
    look. sure: the mesh's own score from which no other look is tried. face: from which its points
    are believed. more: sides for further looks, each with and without BlazeFace's tilt, at the
    picture and at its mirror image: profiles are found best in wide squares (of 600 photos the
    first look leaves 27 below `face`, all looks together 8). settled, settling: side and number of
    the last looks at a sure face, of which the last two are averaged, chosen on 40 faces of
    All-Age-Faces and OMI, each in its photo and in one cut at brows and chin: the corners of a
    256 px frame differ by .8 px in the median and 1.7 at most (without 1.3 and 6.9).
    """

    found: float = 0.5
    doubtful: float = 0.08
    overlap: float = 0.3
    reach: float = 1.5
    again: float = 1.5
    sure: float = 0.9
    face: float = 0.5
    more: tuple[float, ...] = (1.8, 2.1, 1.3)
    settled: float = 1.4
    settling: int = 3


SETTINGS = MeshSettings()


@dataclass(frozen=True, eq=False)
class Square:
    """A tilted square in a picture: centre (x, y), side in pixels, angle in radians (clockwise)."""

    centre: Floats
    side: float
    angle: float = 0.0

    def matrix(self, size: int) -> Floats:
        """float64 (2, 3), square pixels (`size` a side) -> picture pixels."""
        step = self.side / size
        cos, sin = step * np.cos(self.angle), step * np.sin(self.angle)
        linear = np.array([[cos, -sin], [sin, cos]])
        return np.column_stack([linear, self.centre - linear @ np.full(2, (size - 1) / 2)])

    def cut(
        self, image: NDArray[np.uint8], size: int, border: int = cv2.BORDER_CONSTANT
    ) -> NDArray[np.uint8]:
        """The square as uint8 (size, size, 3); beyond the picture black, or OpenCV's `border`."""
        matrix = self.matrix(size)
        step = self.side / size
        if step > 2:  # shrink first, so that no pixel is skipped
            factor = 1 / step
            wide = (max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor)))
            ratio = np.array([wide[0] / image.shape[1], wide[1] / image.shape[0]])
            image = cv2.resize(image, wide, interpolation=cv2.INTER_AREA)
            matrix = np.column_stack(
                [matrix[:, :2] * ratio[:, None], (matrix[:, 2] + 0.5) * ratio - 0.5]
            )
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(image, matrix, (size, size), flags=flags, borderMode=border)


@dataclass(frozen=True, eq=False)
class Found:
    """A find of BlazeFace: square around it, score in 0..1, and float64 (6, 2) in picture pixels:
    eye on image left and right, nose tip, mouth, ear on image left and right."""

    square: Square
    score: float
    marks: Floats


@dataclass(frozen=True, eq=False)
class Mesh:
    """points: float64 (468, 3), x and y in picture pixels, z in the same unit, towards the viewer
    negative. score: 0..1, how sure the network is that it sees a face."""

    points: Floats
    score: float


@lru_cache(maxsize=1)
def _networks() -> tuple[cv2.dnn.Net, cv2.dnn.Net]:
    paths = [MODELS / DETECTOR_FILE, MODELS / MESH_FILE]
    for path in paths:
        if not path.is_file():
            raise UncoverError(f"{path.name} is missing beside uncover.faces; install uncover anew")
    # OpenCV 5's new engine gives only the first of a file's two answers, its classic one both.
    engine = {"engine": cv2.dnn.ENGINE_CLASSIC} if hasattr(cv2.dnn, "ENGINE_CLASSIC") else {}
    detector, mesh = (cv2.dnn.readNetFromTFLite(str(path), **engine) for path in paths)
    return detector, mesh


@lru_cache(maxsize=1)
def _anchors() -> Floats:
    """(896, 2): centres, in 0..1, that BlazeFace's answers are relative to."""
    rows = []
    for cells, each in ((16, 2), (8, 6)):
        y, x = np.mgrid[0:cells, 0:cells]
        rows.append(np.repeat(np.stack([x, y], -1).reshape(-1, 2) + 0.5, each, axis=0) / cells)
    return np.concatenate(rows)


def find_faces(image: NDArray[np.uint8], window: Square, least: float) -> list[Found]:
    """Faces that BlazeFace sees in an upright square window of a picture, best first.

    Args:
        image: uint8 (H, W, 3) RGB.
        window: where to look; faces from about a sixth of its side are found.
        least: score from which a find is given.
    """
    pixels = window.cut(image, DETECTOR_SIDE).astype(np.float32) / 127.5 - 1
    with _lock:
        detector, _ = _networks()
        detector.setInput(np.ascontiguousarray(pixels.transpose(2, 0, 1)[None]))
        regressed, logits = detector.forward(["regressors", "classificators"])
    scores = 1 / (1 + np.exp(-np.clip(logits.reshape(-1).astype(np.float64), -50, 50)))
    keep = np.flatnonzero(scores >= least)
    keep = keep[np.argsort(-scores[keep], kind="stable")]
    values = regressed.reshape(-1, 16)[keep].astype(np.float64) / DETECTOR_SIDE
    anchors = _anchors()[keep]
    marks = values[:, 4:].reshape(-1, 6, 2)
    across = marks[:, 1] - marks[:, 0]
    angles = np.arctan2(across[:, 1], across[:, 0])
    sides = values[:, 2:4].max(axis=1, initial=0) * window.side
    linear, shift = window.matrix(DETECTOR_SIDE)[:, :2].T, window.matrix(DETECTOR_SIDE)[:, 2]
    centres = ((values[:, :2] + anchors) * DETECTOR_SIDE - 0.5) @ linear + shift
    places = ((marks + anchors[:, None]) * DETECTOR_SIDE - 0.5) @ linear + shift
    return [
        Found(
            Square(centres[k], float(sides[k]), float(angles[k])),
            float(scores[keep[k]]),
            places[k],
        )
        for k in _apart(centres, sides)
    ]


def distinct(found: list[Found]) -> list[Found]:
    """Finds, best first, without those that lie on a better one."""
    ordered = sorted(found, key=lambda f: -f.score)
    centres = np.array([find.square.centre for find in ordered]).reshape(-1, 2)
    sides = np.array([find.square.side for find in ordered])
    return [ordered[i] for i in _apart(centres, sides)]


def _apart(centres: Floats, sides: Floats) -> list[int]:
    """Indices of squares (N, 2), (N,), best first, that lie on no better one that is kept.

    Two lie on each other by their intersection, taken upright, over the smaller one's area.
    """
    left = np.arange(len(sides))
    kept = []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(int(best))
        half = sides[left, None] / 2
        low = np.maximum(centres[left] - half, centres[best] - sides[best] / 2)
        high = np.minimum(centres[left] + half, centres[best] + sides[best] / 2)
        smaller = np.minimum(sides[left], sides[best]) ** 2
        left = left[np.maximum(high - low, 0).prod(axis=1) < SETTINGS.overlap * smaller]
    return kept


def fit_mesh(image: NDArray[np.uint8], square: Square, border: int = cv2.BORDER_CONSTANT) -> Mesh:
    """The mesh of the face that fills about two thirds of a square of the picture.

    Args:
        image: uint8 (H, W, 3) RGB.
        square: tilted as the face is.
        border: OpenCV's, for what lies beyond the picture.
    """
    pixels = square.cut(image, MESH_SIDE, border).astype(np.float32) / 255
    with _lock:
        _, network = _networks()
        network.setInput(np.ascontiguousarray(pixels.transpose(2, 0, 1)[None]))
        raw, logit = network.forward(["conv2d_21", "conv2d_31"])
    points = raw.reshape(MESH_POINTS, 3).astype(np.float64)
    matrix = square.matrix(MESH_SIDE)
    flat = (points[:, :2] - 0.5) @ matrix[:, :2].T + matrix[:, 2]
    depth = points[:, 2] * (square.side / MESH_SIDE)
    score = 1 / (1 + np.exp(-np.clip(float(logit.reshape(-1)[0]), -50, 50)))
    return Mesh(np.column_stack([flat, depth]), float(score))


def square_around(mesh: Mesh, reach: float = SETTINGS.again) -> Square:
    """The square in which the face of a mesh is best looked at again; reach: side around it."""
    points = mesh.points[:, :2]
    right, left = points[33], points[263]  # outer corners of the eyes
    tilt = left - right
    depth = mesh.points[263, 2] - mesh.points[33, 2]
    # Of a head in profile the eyes lie behind each other: then the nose's bridge tells the tilt.
    down = points[152] - points[10]
    angle = (
        float(np.arctan2(tilt[1], tilt[0]))
        if np.hypot(*tilt) > abs(depth)
        else float(np.arctan2(-down[0], down[1]))
    )
    cos, sin = np.cos(angle), np.sin(angle)
    turned = points @ np.array([[cos, -sin], [sin, cos]])
    low, high = turned.min(0), turned.max(0)
    centre = np.array([[cos, -sin], [sin, cos]]) @ ((low + high) / 2)
    return Square(centre, float(max(high - low)) * reach, angle)


def best_points(image: NDArray[np.uint8], found: Square) -> tuple[Floats, float]:
    """The 68 points of a face that BlazeFace found, after as many looks as it takes to be sure.

    Args:
        image: uint8 (H, W, 3) RGB.
        found: BlazeFace's square.

    Returns:
        float64 (68, 2) in picture pixels, iBUG 300-W order, and the mesh's score in 0..1.
    """
    first = _two_looks(image, Square(found.centre, found.side * SETTINGS.reach, found.angle))
    best, score = points_68(first.points[:, :2]), first.score
    if score >= SETTINGS.sure:
        return _settled(image, first), score
    # A part of the picture is enough, and cheaper to mirror than the whole.
    x0, y0 = np.maximum(np.floor(found.centre - 2.5 * found.side), 0).astype(int)
    x1, y1 = np.maximum(np.ceil(found.centre + 2.5 * found.side).astype(int), (x0 + 1, y0 + 1))
    part = np.ascontiguousarray(image[y0:y1, x0:x1])
    if not part.size:
        return best, score
    last = part.shape[1] - 1
    centre = found.centre - (x0, y0)
    sides = (
        (part, centre, 1.0),
        (cv2.flip(part, 1), np.array([last - centre[0], centre[1]]), -1.0),
    )
    for reach in SETTINGS.more:
        for angle in (0.0, found.angle):
            for view, middle, sign in sides:
                mesh = _two_looks(view, Square(middle, found.side * reach, sign * angle))
                if mesh.score <= score:
                    continue
                score, best = mesh.score, points_68(mesh.points[:, :2])
                if sign < 0:
                    best = best[MIRROR_68] * (-1, 1) + (last, 0)
                best = best + np.array([x0, y0])
            if score >= SETTINGS.sure:
                return best, score
    return best, score


def _settled(image: NDArray[np.uint8], mesh: Mesh) -> Floats:
    """The 68 points of a sure mesh after looks that depend ever less on where the first one was.

    They see the picture's edge repeated, since black beside a face draws its points there: with
    that, a face has its points where it has them in a wider photo.
    """
    shown = []
    for _ in range(SETTINGS.settling):
        again = fit_mesh(image, square_around(mesh, SETTINGS.settled), cv2.BORDER_REPLICATE)
        if again.score < SETTINGS.sure:
            break
        mesh = again
        shown.append(points_68(mesh.points[:, :2]))
    return np.mean(shown[-2:], axis=0) if shown else points_68(mesh.points[:, :2])


def _two_looks(image: NDArray[np.uint8], square: Square) -> Mesh:
    first = fit_mesh(image, square)
    second = fit_mesh(image, square_around(first))
    return second if second.score >= first.score else first
