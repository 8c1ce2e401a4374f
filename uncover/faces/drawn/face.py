"""Drawn faces with exact landmarks, pose and labels: nobody's face, and no data set is needed.

Tests, `make train-smoke` and `make bench` run on them. A head is a relief (`head`) with a
painted texture (`paint`), turned, lit and put before a background.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from uncover.errors import UncoverError
from uncover.faces.drawn.head import (
    DISTANCE,
    SKULL_AXES,
    SKULL_CENTRE,
    PinholeCamera,
    Relief,
    relief,
    varied_shape,
)
from uncover.faces.drawn.paint import SKIN, DrawnLook, noise, paint_texture, random_look
from uncover.faces.focus import sharpness
from uncover.faces.manifest import (
    FAILED_NAME,
    MANIFEST_COLUMNS,
    MANIFEST_NAME,
    FaceRecord,
    write_info,
    write_rows,
)
from uncover.faces.mean_face import rotation_from_pose

ETHNICITIES = tuple(sorted(SKIN))
MAX_YAW = 45.0
_LABEL_COLUMNS = ("path", "split", "ethnicity", "gender", "yaw", "pitch", "roll")


@dataclass(frozen=True, eq=False)
class DrawnFace:
    """A drawn face and the truth about it.

    `image`: uint8 (size, size, 3) RGB. `landmarks`: float32 (68, 2), x and y in its pixels.
    Angles in degrees, signs as `uncover.faces.mean_face.rotation_from_pose`. `ethnicity` names the
    band of skin tones it was drawn with.
    """

    image: np.ndarray
    landmarks: np.ndarray
    ethnicity: str
    gender: str
    yaw: float
    pitch: float
    roll: float


def draw_face(seed: int, size: int = 256, yaw: float | None = None) -> DrawnFace:
    """Draw the face of a seed; the same seed and size always give the same bytes.

    Args:
        seed: 0 or more; chooses shape, expression, pose, colours, hair, light and background.
        size: side of the square picture in pixels, at least 32.
        yaw: degrees within ±60 instead of the seed's own (|yaw| up to 45; a third over 20).

    Raises:
        UncoverError: size or yaw out of range.
    """
    if size < 32:
        raise UncoverError(f"a drawn face needs at least 32 pixels, not {size}")
    if yaw is not None and abs(yaw) > 60:
        raise UncoverError(f"drawn faces turn up to 60 degrees, not {yaw:g}")
    rng = np.random.default_rng(seed)
    ethnicity = ETHNICITIES[rng.integers(len(ETHNICITIES))]
    gender = ("female", "male")[rng.integers(2)]
    own_yaw = float(np.clip(rng.normal(0.0, 22.0), -MAX_YAW, MAX_YAW))
    yaw = own_yaw if yaw is None else float(yaw)
    pitch, roll = (float(np.clip(rng.normal(0.0, s), -3 * s, 3 * s)) for s in (6.0, 4.0))
    shape = varied_shape(rng)
    look = random_look(rng, ethnicity, gender)
    scale = size * rng.uniform(0.225, 0.26)
    shift = rng.uniform(-0.03, 0.03, 2) * size
    # Point (0, -0.1, 0.3) of the head, about the middle of a portrait, stays near the centre.
    pivot = np.array([0.0, -0.1, 0.3]) @ rotation_from_pose(yaw, pitch, roll).T
    centre = (size - 1) / 2 + shift - pivot[:2] * scale * (DISTANCE / (DISTANCE + pivot[2]))
    camera = PinholeCamera(
        size, float(scale), (float(centre[0]), float(centre[1])), yaw, pitch, roll
    )
    light = _Light(rng)
    canvas = _background(rng, size)
    _behind(canvas, camera, shape, look, gender, light, rng)
    surface = relief(shape)
    _head(canvas, camera, surface, paint_texture(shape, look, rng), look, light)
    image = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.3, 0.6))
    image += rng.normal(0.0, rng.uniform(1.0, 3.5), image.shape).astype(np.float32)
    return DrawnFace(
        image=np.clip(np.round(image), 0, 255).astype(np.uint8),
        landmarks=camera.project(shape).astype(np.float32),
        ethnicity=ethnicity,
        gender=gender,
        yaw=yaw,
        pitch=pitch,
        roll=roll,
    )


class _Light:
    """One lamp from above and to a side, and an ambient share."""

    def __init__(self, rng: np.random.Generator) -> None:
        direction = np.array([rng.uniform(-0.8, 0.8), rng.uniform(-0.9, -0.1), -1.0])
        self.direction = direction / np.linalg.norm(direction)
        self.ambient = rng.uniform(0.45, 0.7)
        self.tint = 1.0 + rng.normal(0.0, 0.02, 3)

    def on(self, normals: np.ndarray) -> np.ndarray:
        """Light (..., 3) on unit normals (..., 3) that point to the camera."""
        lit = np.clip(normals @ self.direction, 0.0, None)
        return ((self.ambient + (1.12 - self.ambient) * lit)[..., None] * self.tint).astype(
            np.float32
        )


def _background(rng: np.random.Generator, size: int) -> np.ndarray:
    """A two-colour gradient with a few soft blobs: float32 (size, size, 3)."""
    one, two = rng.uniform(30, 230, (2, 3))
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size - 0.5
    mix = np.clip(0.5 + x * np.cos(angle) + y * np.sin(angle), 0, 1)[..., None]
    canvas = (one * mix + two * (1 - mix)).astype(np.float32)
    canvas += noise(rng, size, int(rng.integers(4, 12)))[..., None] * rng.uniform(0, 25, 3)
    return np.clip(canvas, 0, 255).astype(np.float32)


def _behind(
    canvas: np.ndarray,
    camera: PinholeCamera,
    shape: np.ndarray,
    look: DrawnLook,
    gender: str,
    light: _Light,
    rng: np.random.Generator,
) -> None:
    """Long hair, shoulders, neck, skull and ears: flat shapes with soft shading, back to front."""
    skin, hair = np.array(look.skin), np.array(look.hair)
    cover = skin * 0.8 if look.bald else hair * 0.85
    if gender == "female" and rng.random() < 0.75:
        length = rng.uniform(0.6, 2.0)
        _ellipsoid(canvas, camera, (0.0, length - 0.9, 1.3), (1.5, 1.5 + length, 1.1), hair * 0.6)
    cloth = rng.uniform(20, 230, 3)
    _ellipsoid(canvas, camera, (0.0, 4.0, 1.6), (3.1, 1.9, 1.2), cloth)
    for part, tone in ((0.62, 0.62), (0.42, 0.72)):
        _ellipsoid(canvas, camera, (0.0, 1.75, 1.0), (part + 0.25, 1.5, part), skin * tone, 3.0)
    jaw = camera.project(shape[3:14] * [0.95, 1.0, 1.0] + [0.0, 0.12, 0.35])
    shadow = np.zeros(canvas.shape[:2], np.uint8)
    cv2.fillPoly(shadow, [np.round(jaw).astype(np.int32)], 255)
    soft = cv2.GaussianBlur(shadow, (0, 0), camera.scale * 0.1)[..., None].astype(np.float32) / 255
    canvas *= 1 - 0.35 * soft
    _ellipsoid(canvas, camera, tuple(SKULL_CENTRE), tuple(SKULL_AXES), cover)
    level = float(light.on(np.array([0.0, 0.0, -1.0])).mean())
    for side in (-1, 1):
        if look.bald or gender == "male" or rng.random() < 0.5:
            place = (side * 1.4, -0.28, 1.15)
            _ellipsoid(canvas, camera, place, (0.2, 0.42, 0.3), skin * 0.9 * level, 1.0)
            place = (side * 1.43, -0.28, 1.1)
            _ellipsoid(canvas, camera, place, (0.1, 0.26, 0.15), skin * 0.65 * level, 2.0)


def _ellipsoid(canvas: np.ndarray, camera: PinholeCamera, centre: tuple[float, ...],
               axes: tuple[float, ...], colour: np.ndarray, blur: float = 1.2) -> None:  # fmt: skip
    """Paint the outline of an ellipsoid of the head's frame (scaled orthography), in place."""
    rotation = rotation_from_pose(camera.yaw, camera.pitch, camera.roll)
    spread = rotation[:2] * np.array(axes) * camera.scale
    values, vectors = np.linalg.eigh(spread @ spread.T)
    x, y = camera.project(np.array([centre]))[0]
    angle = float(np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1])))
    half = np.sqrt(np.maximum(values, 1.0))
    box = ((float(x), float(y)), (float(2 * half[1]), float(2 * half[0])), angle)
    mask = np.zeros(canvas.shape[:2], np.uint8)
    cv2.ellipse(mask, box, 255, -1, cv2.LINE_AA)
    x0, y0, width, height = cv2.boundingRect(mask)
    pad = int(4 * blur)
    rows = slice(max(0, y0 - pad), y0 + height + pad)
    cols = slice(max(0, x0 - pad), x0 + width + pad)
    if width == 0 or height == 0:
        return
    alpha = cv2.GaussianBlur(mask[rows, cols], (0, 0), blur)[..., None].astype(np.float32) / 255
    down = (np.mgrid[rows, 0:1][0][: alpha.shape[0], :, None] - y) / half[1]
    shade = (1.0 - 0.12 * np.clip(down, -1, 1)).astype(np.float32)  # lighter above
    canvas[rows, cols] += (np.asarray(colour, np.float32) * shade - canvas[rows, cols]) * alpha


def _head(
    canvas: np.ndarray,
    camera: PinholeCamera,
    surface: Relief,
    texture: np.ndarray,
    look: DrawnLook,
    light: _Light,
) -> None:
    """Paint the lit relief into `canvas`."""
    texels, covered = camera.trace(surface)
    u, v = texels[..., 0], texels[..., 1]
    colour = cv2.remap(texture, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    across, down = (
        cv2.remap(slope, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for slope in surface.slopes()
    )
    normals = np.stack([across, down, -np.ones_like(across)], axis=-1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    normals = normals @ rotation_from_pose(camera.yaw, camera.pitch, camera.roll).T.astype("f4")
    lit = light.on(normals)
    half = light.direction + np.array([0.0, 0.0, -1.0])
    glint = np.clip(normals @ (half / np.linalg.norm(half)), 0, 1) ** 24
    shaded = colour * lit + 28.0 * glint[..., None].astype(np.float32)
    alpha = cv2.GaussianBlur(covered.astype(np.float32), (0, 0), 0.8)[..., None]
    alpha = np.clip(2 * alpha - 1, 0, 1)  # a soft rim that stays inside the outline
    canvas += (np.clip(shaded, 0, 255) - canvas) * alpha


def write_drawn_faces(folder: Path | str, count: int, seed: int = 0, size: int = 256) -> Path:
    """Draw `count` faces as a prepared data set: PNGs, labels.csv and a manifest with exact truth.

    Of five faces, three go to train, one to val, one to test. Face i has seed `seed` + i. Returns
    the folder. Raises UncoverError for a count under 1 or a folder that cannot be written.
    """
    folder = Path(folder)
    if count < 1:
        raise UncoverError(f"the number of drawn faces must be at least 1, not {count}")
    try:
        return _write(folder, count, seed, size)
    except OSError as error:
        raise UncoverError(f"cannot write to {folder}: {error.strerror}") from error


def _write(folder: Path, count: int, seed: int, size: int) -> Path:
    for split in ("train", "val", "test"):
        (folder / split).mkdir(parents=True, exist_ok=True)
    rows, labels, tally = [], [], Counter[str]()
    for index in range(count):
        face = draw_face(seed + index, size)
        split = ("train", "val", "test", "train", "train")[index % 5]
        path = f"{split}/{seed + index:06d}.png"
        _, encoded = cv2.imencode(".png", face.image[..., ::-1])
        data = encoded.tobytes()
        (folder / path).write_bytes(data)
        record = FaceRecord(
            path=path, file=folder / path, split=split, identity="", ethnicity=face.ethnicity,
            gender=face.gender, age=None, yaw=face.yaw, pitch=face.pitch, roll=face.roll,
            sharpness=sharpness(face.image, face.landmarks), width=size, height=size,
            sha256=hashlib.sha256(data).hexdigest(), landmarks=face.landmarks,
        )  # fmt: skip
        row = record.to_row()
        rows.append(row)
        cells = dict(zip(MANIFEST_COLUMNS, row, strict=True))
        labels.append([cells[name] for name in _LABEL_COLUMNS])
        tally[split] += 1
    write_rows(folder / MANIFEST_NAME, MANIFEST_COLUMNS, rows)
    write_rows(folder / "labels.csv", _LABEL_COLUMNS, labels)
    write_rows(folder / FAILED_NAME, ("path", "reason"), [])
    write_info(folder, {"format": "drawn", "root": ".", "pose": "given", "usable": dict(tally)})
    return folder
