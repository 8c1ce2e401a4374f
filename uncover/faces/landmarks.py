"""68 facial landmarks (dlib's, iBUG 300-W order) and head pose (PnP) of a bare face.

The points come from a face mesh (`uncover.faces.mesh`), so that they hold on heads turned up to 90
degrees: each stays on its place of the skin, also where the head hides it. Of full profiles in
which the mesh sees no face they are those of a turned mean face (`uncover.faces.profile`). Used
where a face is known to be bare: preparing training data, the benchmark, and trying a drawn mask on
a photo.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from uncover.errors import ImageError
from uncover.faces.mean_face import FACE_68, pose_from_rotation
from uncover.faces.mesh import SETTINGS, Floats, Found, Square, best_points, distinct, find_faces
from uncover.faces.profile import profile_points

MIN_BOX = 40
MAX_SIDE = 1280

# Points that pose is read from: chin, brows, nose, eyes, mouth corners.
_POSE_POINTS = np.r_[8, 17:48, 48, 54]
# Camera distance that PnP assumes, in units of the face model (about 1.1 m): a portrait.
_DISTANCE = 20.0
# The mesh draws turned heads too frontal. Found yaw is stretched by this factor, and by so much
# more at 45 degrees, growing with its square: the first is the slope against the yaw labels of
# 1,319 UTKFace photos, the second was set by eye on 40 FairFace photos found at 32 to 60 degrees.
_STRETCH, _STRETCH_AT_45 = 1.08, 0.25


@dataclass(frozen=True)
class SearchSettings:
    """Where a picture is searched: windows in sides of the whole picture's longer side.

    room: the whole picture with a border, since tightly cut faces are found when they have room.
    parts: sides of overlapping windows for small faces. smallest: pixels below which a window is
    not worth a look.
    """

    room: tuple[float, ...] = (1.5, 1.0)
    parts: tuple[float, ...] = (0.5, 0.25)
    smallest: int = 160


SEARCH = SearchSettings()


def find_all_landmarks(image: np.ndarray, tolerant: bool = False) -> list[np.ndarray]:
    """Landmarks of every bare, roughly upright face, turned up to 90 degrees.

    Args:
        image: uint8 (H, W, 3) RGB, upright. Pictures longer than 1280 px are searched shrunk.
        tolerant: the picture is known to hold a large face: take a doubtful find and a head in full
            profile, and do not search for small ones once a large one is there.

    Returns:
        One float32 (68, 2) array (x, y in pixels of `image`) per face, in iBUG 300-W order, best
        face first: large and near the centre. Faces whose box is under 40 px are left out.

    Raises:
        ImageError: `image` is not a uint8 RGB array. UncoverError: a network's file is missing.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ImageError(f"landmarks need a uint8 RGB array, not {image.dtype} {image.shape}")
    height, width = image.shape[:2]
    scale = min(1.0, MAX_SIDE / max(height, width))
    small = np.ascontiguousarray(image)
    if scale < 1.0:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    if min(small.shape[:2]) < MIN_BOX:
        return []
    grow = np.array([width / small.shape[1], height / small.shape[0]])
    faces: list[tuple[float, np.ndarray]] = []
    least = 0.0 if tolerant else MIN_BOX * scale
    for found in _search(small, tolerant):
        if found.square.side < least:
            continue
        points: Floats | None
        points, score = best_points(small, found.square)
        if score < SETTINGS.face:
            points = profile_points(small, found) if tolerant else None
        if points is None:
            continue
        points = ((points + 0.5) * grow - 0.5).astype(np.float32)
        faces.append((_prominence(points, width, height), points))
    faces.sort(key=lambda face: -face[0])
    return _without_doubles([points for _, points in faces])


def _search(image: np.ndarray, tolerant: bool) -> list[Found]:
    """Finds of BlazeFace in the whole picture, then in parts of it, best first."""
    height, width = image.shape[:2]
    longer = max(height, width)
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    whole: list[Found] = []
    for room in SEARCH.room:
        whole += find_faces(image, Square(middle, longer * room), SETTINGS.doubtful)
        sure = [find for find in whole if find.score >= SETTINGS.found]
        if tolerant and sure:
            return distinct(sure)[:2]
    if tolerant and whole:
        return distinct(whole)[:2]
    found = sure
    for part in SEARCH.parts:
        side = longer * part
        if side < SEARCH.smallest:
            break
        for y in _steps(height, side):
            for x in _steps(width, side):
                found += find_faces(image, Square(np.array([x, y]), side), SETTINGS.found)
    return distinct(found)


def _steps(length: int, side: float) -> np.ndarray:
    """Centres of windows of one size that overlap by a half and reach both ends of a side."""
    count = max(1, int(np.ceil((length - side) / (side / 2))) + 1)
    if count == 1:
        return np.array([(length - 1) / 2])
    return np.linspace(side / 2, length - side / 2, count) - 0.5


def _prominence(points: np.ndarray, width: int, height: int) -> float:
    """Area of the points' box, worth less towards the picture's edge (a quarter in the corner)."""
    low, high = points.min(axis=0), points.max(axis=0)
    centre = (low + high) / 2
    off = np.hypot(centre[0] / width - 0.5, centre[1] / height - 0.5) / np.hypot(0.5, 0.5)
    return float(max(high - low) ** 2) * 0.25**off


def _without_doubles(faces: list[np.ndarray]) -> list[np.ndarray]:
    """Faces, best first, without those that are a better one found again."""
    kept: list[np.ndarray] = []
    for points in faces:
        reach = 0.3 * float(np.ptp(points, axis=0).max())
        if all(
            np.linalg.norm(points.mean(axis=0) - other.mean(axis=0))
            > max(reach, 0.3 * float(np.ptp(other, axis=0).max()))
            for other in kept
        ):
            kept.append(points)
    return kept


def find_landmarks(image: np.ndarray, tolerant: bool = False) -> np.ndarray | None:
    """Landmarks float32 (68, 2) of the main face (large, near the centre); None without a face.

    Same arguments and errors as `find_all_landmarks`.
    """
    faces = find_all_landmarks(image, tolerant)
    return faces[0] if faces else None


def _check_landmarks(landmarks68: np.ndarray) -> np.ndarray:
    points = np.asarray(landmarks68, dtype=np.float64)
    if points.shape != (68, 2) or not np.isfinite(points).all():
        raise ValueError(f"landmarks must be 68 finite (x, y) points, not shape {points.shape}")
    return points


def five_points(landmarks68: np.ndarray) -> np.ndarray:
    """Float32 (5, 2): centre of the eye on image left and on image right, nose tip, mouth corners.

    "Left" and "right" are the picture's. Raises ValueError unless given 68 finite points.
    """
    p = _check_landmarks(landmarks68)
    eyes = [p[36:42].mean(axis=0), p[42:48].mean(axis=0)]
    return np.array([*eyes, p[30], p[48], p[54]], dtype=np.float32)


def head_pose(landmarks68: np.ndarray, width: int, height: int) -> tuple[float, float, float]:
    """Head pose *estimated* from landmarks: (yaw, pitch, roll) in degrees.

    yaw > 0: the nose points to image right; pitch > 0: the head is bowed; roll > 0: tilted
    clockwise as seen (`uncover.faces.mean_face.rotation_from_pose`).

    PnP of a mean face by SQPnP (Terzakis & Lourakis, ECCV 2020), which needs no starting guess and
    keeps the face before the camera; the iterative solver flips about half of such near-planar,
    far-away faces behind it. The camera is taken to stand at portrait distance and to look
    straight at the face, since a crop does not tell its focal length; `width` and `height` only
    serve to refuse landmarks of another picture.

    Raises ValueError for points that are not 68 finite ones, that lie all in one place, or whose
    centre lies outside the picture.
    """
    points = _check_landmarks(landmarks68)[_POSE_POINTS]
    centre = points.mean(axis=0)
    spread = float(np.sqrt(((points - centre) ** 2).sum(axis=1).mean()))
    if spread < 1e-3:
        raise ValueError("the landmarks lie all in one place")
    if not (0 <= centre[0] <= width and 0 <= centre[1] <= height):
        raise ValueError(f"the landmarks lie outside the {width}x{height} picture")
    camera = np.diag([_DISTANCE, _DISTANCE, 1.0])
    solved, vector, _ = cv2.solvePnP(
        FACE_68[_POSE_POINTS], (points - centre) / spread, camera, None, flags=cv2.SOLVEPNP_SQPNP
    )
    if not solved:
        raise ValueError("no head pose fits the landmarks")
    rotation, _ = cv2.Rodrigues(vector)
    return pose_from_rotation(rotation)


def estimated_pose(landmarks68: np.ndarray, width: int, height: int) -> tuple[float, float, float]:
    """Head pose (yaw, pitch, roll) in degrees of landmarks that were *found*, not drawn.

    As `head_pose`, with the yaw stretched for what the face mesh shrinks: correlation .984 with the
    labels of 1,319 UTKFace photos. Beyond 45 degrees it is rough: good for the pose bins, no more.
    """
    yaw, pitch, roll = head_pose(landmarks68, width, height)
    stretched = yaw * (_STRETCH + _STRETCH_AT_45 * (yaw / 45) ** 2)
    return float(np.clip(stretched, -90, 90)), pitch, roll
