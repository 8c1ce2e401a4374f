"""Bare faces in memory, and the training draws made of them: crop, hole, valid pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from torch.utils.data import Dataset
from tqdm import tqdm

from training.data.bend import Bend, away
from training.data.holes import random_hole
from training.data.sampling import Balance, draw_probabilities
from uncover.crop import FaceCrop, frame_face, hole_in_crop
from uncover.errors import UncoverError
from uncover.faces import LIPS, MIRROR_68, FaceRecord, look_of
from uncover.masking import mask_alpha, random_style


@dataclass(frozen=True)
class AugmentSettings:
    """How far a training crop strays from the canonical frame, and in its light.

    scale: the crop's magnification lies in 1/scale .. scale * zoom, log-uniform; zoom covers
      photos that are tight crops already. shift: share of the side, each way. roll: degrees.
    light: standard deviation of log gain and log gamma; colour: of log gain per channel.
    grey: share of draws turned grey. bent, turn: share of draws in which the head is turned, and by
      up to how many degrees. steady: share of draws placed as well as the aligned crops
      of the pipeline are, with a quarter of these ranges. beyond: share of draws in which all that
      lies beyond the photo's edge is missing too, as it is in the pipeline; in the others the crop
      mirrors the photo there.
    """

    scale: float = 1.12
    zoom: float = 1.08
    shift: float = 0.1
    roll: float = 15.0
    light: float = 0.15
    colour: float = 0.06
    grey: float = 0.03
    bent: float = 0.0
    turn: float = 22.0
    steady: float = 0.7
    beyond: float = 1.0


@dataclass(frozen=True)
class StoredFace:
    """A decoded photo (uint8 RGB) cut to what crops can reach, with its landmarks (68, 2)."""

    image: np.ndarray
    landmarks: np.ndarray
    record: FaceRecord

    @cached_property
    def look(self) -> np.ndarray:
        """float32 (3,): smile, open and beard (`uncover.faces.look_of`), NaN where not known."""
        return look_of(self.image, self.landmarks)


def store_face(record: FaceRecord, resolution: int) -> StoredFace:
    """Decode one photo; a photo with far more pixels than needed is cut and shrunk first.

    Raises UncoverError when the file cannot be decoded.
    """
    data = np.frombuffer(record.file.read_bytes(), np.uint8)
    bgr = cv2.imdecode(data, cv2.IMREAD_COLOR)
    if bgr is None:
        raise UncoverError(f"{record.file}: cannot be decoded; run training.prepare again")
    image = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    landmarks = record.landmarks.astype(np.float64)
    limit = int(resolution * 1.5)
    if max(image.shape[:2]) > limit:
        crop = frame_face(landmarks, resolution)
        margin = (limit - resolution) / 2
        wide = FaceCrop(crop.matrix + np.array([[0, 0, margin], [0, 0, margin]]), limit)
        inside = wide.to_crop(np.array([[0, 0], [image.shape[1], image.shape[0]]], np.float64))
        if inside.min() <= 0 and inside.max() >= limit and crop.matrix[0, 0] > 0:
            x0, y0 = np.floor(wide.to_photo(np.zeros((1, 2)))[0]).astype(int)
            x1, y1 = np.ceil(wide.to_photo(np.full((1, 2), float(limit)))[0]).astype(int)
            x0, y0 = max(0, x0), max(0, y0)
            image = image[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]
            landmarks = landmarks - [x0, y0]
        shrink = limit / max(image.shape[:2])
        if shrink < 1:
            size = (max(1, round(image.shape[1] * shrink)), max(1, round(image.shape[0] * shrink)))
            factors = np.array([size[0] / image.shape[1], size[1] / image.shape[0]])
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            landmarks = (landmarks + 0.5) * factors - 0.5
    return StoredFace(np.ascontiguousarray(image), landmarks.astype(np.float32), record)


def store_faces(
    records: Sequence[FaceRecord], resolution: int, progress: bool = False
) -> list[StoredFace]:
    """All records decoded, as uint8 in memory: about 0.12 MB for a 200 px photo."""
    return [
        store_face(r, resolution)
        for r in tqdm(
            records, desc="reading photos", unit="photo", disable=None if progress else True
        )
    ]


def mirror(image: np.ndarray, landmarks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Photo and its 68 landmarks flipped left to right."""
    flipped = landmarks[MIRROR_68].copy()
    flipped[:, 0] = image.shape[1] - 1 - flipped[:, 0]
    return cv2.flip(image, 1), flipped  # five times as fast as a copy of image[:, ::-1]


def random_crop(
    face: StoredFace, size: int, rng: np.random.Generator, settings: AugmentSettings
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A jittered crop: image uint8 (S, S, 3), landmarks (68, 2), valid bool (S, S)."""
    image, landmarks = face.image, face.landmarks
    if rng.random() < 0.5:
        image, landmarks = mirror(image, landmarks)
    bend = None
    if settings.bent and rng.random() < settings.bent:
        bend = Bend(landmarks, away(landmarks, rng.uniform(-settings.turn, settings.turn)))
        landmarks = bend.landmarks
    crop = frame_face(landmarks, size)
    low, high = -np.log(settings.scale), np.log(settings.scale * settings.zoom)
    reach = 0.25 if rng.random() < settings.steady else 1.0
    scale = float(np.exp(reach * rng.uniform(low, high)))
    angle = np.deg2rad(np.clip(rng.normal(0, settings.roll / 2), -settings.roll, settings.roll))
    angle = reach * angle
    shift = reach * rng.uniform(-settings.shift, settings.shift, 2) * size
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    turn = np.array([[cos, -sin], [sin, cos]])
    centre = np.full(2, (size - 1) / 2)
    matrix = np.empty((2, 3))
    matrix[:, :2] = turn @ crop.matrix[:, :2]
    matrix[:, 2] = turn @ (crop.matrix[:, 2] - centre) + centre + shift
    image, full = np.ascontiguousarray(image), np.full(image.shape[:2], 255, np.uint8)
    beyond = cv2.BORDER_REFLECT_101
    if bend is None:
        out = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_CUBIC, borderMode=beyond)
        valid = cv2.warpAffine(full, matrix, (size, size), flags=cv2.INTER_LINEAR) > 250
    else:
        source = bend.pixels(matrix, size)
        out = cv2.remap(image, source, None, cv2.INTER_CUBIC, borderMode=beyond)
        valid = (
            cv2.remap(full, source, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT) > 250
        )
    points = landmarks @ matrix[:, :2].T + matrix[:, 2]
    return _relight(out, rng, settings), points.astype(np.float32), valid


def _relight(image: np.ndarray, rng: np.random.Generator, settings: AugmentSettings) -> np.ndarray:
    """Random gain, gamma and colour cast through one lookup table per channel."""
    gain = np.exp(rng.normal(0, settings.light) + rng.normal(0, settings.colour, 3))
    gamma = float(np.exp(rng.normal(0, settings.light)))
    grey = rng.random() < settings.grey
    ramp = (np.arange(256) / 255.0)[:, None] ** gamma * gain
    table = np.clip(ramp * 255 + 0.5, 0, 255).astype(np.uint8)
    image = cv2.LUT(image, table[None])
    if grey:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return image


MOUTH_MARGIN = 0.15
"""Of the mouth's width: how far `mouth_map` reaches beyond the lips, since a painted mouth does not
lie quite where the photo's does. Set by eye on sheets of draws."""


def mouth_map(landmarks: np.ndarray, size: int) -> np.ndarray:
    """Where the mouth is in a crop: uint8 (S, S), 255 on the lips and in a margin, fading beyond.

    landmarks: (68, 2) in pixels of the crop.
    """
    lips = landmarks[LIPS]
    margin = max(1, round(MOUTH_MARGIN * float(np.linalg.norm(np.ptp(lips, axis=0)))))
    drawn = np.zeros((size, size), np.uint8)
    outline = cv2.convexHull(np.round(lips).astype(np.int32))
    cv2.fillConvexPoly(drawn, outline, 255)
    cv2.polylines(drawn, [outline], True, 255, 2 * margin)
    return cv2.blur(drawn, (2 * margin + 1, 2 * margin + 1))


def draw_item(
    face: StoredFace,
    size: int,
    rng: np.random.Generator,
    augment: AugmentSettings,
    variety: bool,
) -> dict[str, np.ndarray]:
    """One training draw: "image" uint8 (3, S, S), "hole" and "valid" uint8 (1, S, S), "mouth" uint8
    (1, S, S) as `mouth_map` has it, "look" float32 (3,), NaN where not known."""
    image, landmarks, valid = random_crop(face, size, rng, augment)
    hole = random_hole(landmarks, size, rng, variety)
    if rng.random() < augment.beyond:
        hole = hole | ~valid
    return {
        "image": np.ascontiguousarray(image.transpose(2, 0, 1)),
        "hole": hole[None].astype(np.uint8),
        "valid": valid[None].astype(np.uint8),
        "mouth": mouth_map(landmarks, size)[None],
        "look": face.look,
    }


class FaceDraws(Dataset[dict[str, np.ndarray]]):
    """Training draws as `draw_item` makes them: item k depends only on the seed and on k."""

    def __init__(
        self,
        faces: Sequence[StoredFace],
        size: int,
        length: int,
        seed: int,
        balance: Balance,
        augment: AugmentSettings,
        variety: bool = True,
    ) -> None:
        if not faces:
            raise UncoverError("no faces to train on: the train split of the data is empty")
        self.faces, self.size, self.length, self.seed = faces, size, length, seed
        self.augment, self.variety = augment, variety
        records = [face.record for face in faces]
        self.cumulative = np.cumsum(draw_probabilities(records, balance))

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, k: int) -> dict[str, np.ndarray]:
        rng = np.random.default_rng([self.seed, k])
        which = int(np.searchsorted(self.cumulative, rng.random() * self.cumulative[-1]))
        face = self.faces[min(which, len(self.faces) - 1)]
        return draw_item(face, self.size, rng, self.augment, self.variety)


def evaluation_set(
    faces: Sequence[StoredFace], size: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """The fixed crops and holes a run is scored on: uint8 (N, S, S, 3), bool (N, S, S).

    Faces are framed as everywhere, whatever else their photos show. What lies beyond the photo's
    edge is missing, as in the pipeline. The mask is fixed by the photo's hash and the seed.
    """
    images, holes = [], []
    for face in faces:
        crop = frame_face(face.landmarks, size)
        images.append(crop.extract(face.image))
        digest = hashlib.sha256(f"{face.record.sha256}:{seed}".encode()).digest()
        rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
        style = random_style(rng, wear="worn")
        alpha = mask_alpha(face.landmarks, face.image.shape[:2], style)
        width_px = 2 * round(size * 0.02 / crop.scale) + 1
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width_px, width_px))
        covered = cv2.dilate((alpha > 0.02).astype(np.uint8), kernel) > 0
        holes.append(hole_in_crop(crop, covered) | ~crop.shows(*covered.shape[::-1]))
    return np.stack(images), np.stack(holes)
