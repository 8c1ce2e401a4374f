"""68 facial landmarks (dlib) and head pose (PnP) of a bare face.

Used where a face is known to be bare: preparing training data, the benchmark, and trying a drawn
mask on a photo. Masked faces never pass through here; the detector and segmenter see to those.
"""

from __future__ import annotations

import importlib.util
import threading
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np

from uncover.errors import ImageError, UncoverError
from uncover.faces.mean_face import FACE_68, pose_from_rotation

PREDICTOR_PACKAGE = "face_recognition_models"
PREDICTOR_FILE = "shape_predictor_68_face_landmarks.dat"
MIN_BOX = 40
MAX_SIDE = 1280
# A tolerant search takes detections down to this score (dlib's own limit is 0) if the box is at
# least so large a part of the picture's shorter side; smaller ones are mostly parts of a face.
TOLERANT_SCORE = -0.4
TOLERANT_SIZE = 0.3

# Points that pose is read from: chin, brows, nose, eyes, mouth corners. The rest of the jaw is left
# out: on a turned head dlib slides those points along the silhouette, so they are not fixed points.
_POSE_POINTS = np.r_[8, 17:48, 48, 54]
# Camera distance that PnP assumes, in units of the face model (about 1.1 m): a portrait.
_DISTANCE = 20.0

_lock = threading.Lock()


def _import_dlib() -> ModuleType:
    try:
        import dlib
    except ImportError as error:
        raise UncoverError(
            "landmarks need dlib, which is not installed; run: pip install dlib-bin"
        ) from error
    return dlib


def predictor_path() -> Path:
    """Path of dlib's 68-point predictor, found without importing the package that carries it.

    Raises UncoverError when the package is not installed or lacks the file.
    """
    spec = importlib.util.find_spec(PREDICTOR_PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "models" / PREDICTOR_FILE
        if path.is_file():
            return path
    raise UncoverError(f"{PREDICTOR_FILE} was not found; run: pip install face-recognition-models")


def check_installed() -> None:
    """Raise UncoverError, saying what to install, when dlib or its 68-point model is missing."""
    _import_dlib()
    predictor_path()


@lru_cache(maxsize=1)
def _models() -> tuple[Any, Any]:
    dlib = _import_dlib()
    path = predictor_path()
    return dlib.get_frontal_face_detector(), dlib.shape_predictor(str(path))


def find_all_landmarks(image: np.ndarray, tolerant: bool = False) -> list[np.ndarray]:
    """Landmarks of every bare, roughly upright face that dlib's frontal detector finds.

    Args:
        image: uint8 (H, W, 3) RGB, upright. Pictures longer than 1280 px are searched shrunk.
        tolerant: the picture is known to hold a large face: where none is found, take a doubtful
            detection. dlib misses dark, harshly lit and spectacled faces more often than others.

    Returns:
        One float32 (68, 2) array (x, y in pixels of `image`) per face, in iBUG 300-W order, best
        face first: large and near the centre. Faces whose box is under 40 px are left out.

    Raises:
        ImageError: `image` is not a uint8 RGB array. UncoverError: dlib or its model is missing.
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
    with _lock:
        detector, predictor = _models()
        boxes = list(detector(small, 0)) or list(detector(small, 1))
        if tolerant and not boxes:
            least = TOLERANT_SIZE * min(small.shape[:2])
            doubtful, _, _ = detector.run(small, 1, TOLERANT_SCORE)
            boxes = [box for box in doubtful if box.width() >= least]
        boxes = [box for box in boxes if min(box.width(), box.height()) >= MIN_BOX * scale]
        boxes.sort(key=lambda box: -_prominence(box, small.shape[1], small.shape[0]))
        shapes = [predictor(small, box) for box in boxes]
    grow = np.array([width / small.shape[1], height / small.shape[0]])
    return [
        (np.array([(p.x, p.y) for p in shape.parts()]) * grow).astype(np.float32)
        for shape in shapes
    ]


def _prominence(box: Any, width: int, height: int) -> float:
    """Area of a box, worth less towards the picture's edge (a quarter in the very corner)."""
    centre = box.center()
    off = np.hypot(centre.x / width - 0.5, centre.y / height - 0.5) / np.hypot(0.5, 0.5)
    return float(box.area()) * 0.25**off


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
