"""Training pictures for the detector: crops, mosaics and placed faces at every scale.

A picture is a pure function of (seed, index), so that any number of workers and any resumed run
see the same ones. Close-ups and aligned faces are shrunk and set among others; whole photos are
cropped, zoomed and tilted; light, colour, blur and noise vary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from training.data import LabelledPhoto, read_rgb, vary_light
from uncover.masking import WEAR, draw_mask, random_style
from uncover.networks import LABELS

Masker = Callable[[np.ndarray, np.ndarray, np.random.Generator], tuple[np.ndarray, str]]
"""(face, 68 landmarks, generator) -> (masked face, label)"""


@dataclass(frozen=True)
class SceneSettings:
    """How training pictures are made; the shares are probabilities.

    sizes: sides, one per batch. mosaic: four parts instead of one; each part is a labelled scene,
    a labelled close-up or (else) an aligned face. filling: close-ups and faces that fill their
    part or exceed it. masked: faces with a drawn mask. placed: scenes with faces set into them.
    rare_weight: how much more often scenes with a rare class are drawn. tilt: degrees.
    min_side, min_visible: smaller or more hidden faces are not asked for.
    """

    sizes: tuple[int, ...] = (320, 384, 448)
    mosaic: float = 0.35
    scene: float = 0.5
    closeup: float = 0.25
    filling: float = 0.5
    masked: float = 0.5
    placed: float = 0.35
    rare_weight: float = 3.0
    tilt: float = 15.0
    min_side: float = 6.0
    min_visible: float = 0.4


@dataclass(frozen=True)
class Tile:
    """uint8 (H, W, 3), boxes float32 (N, 4) and labels int64 (N,)."""

    image: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray


class SceneComposer:
    """Makes training pictures out of labelled scenes, labelled close-ups and bare aligned faces.

    ``faces`` holds (file, 68 landmarks (68, 2)); ``masker`` draws a mask on some of them. Files
    are kept in memory as they are on disk; scenes and close-ups are kept decoded.
    """

    def __init__(
        self,
        scenes: Sequence[LabelledPhoto],
        closeups: Sequence[LabelledPhoto],
        faces: Sequence[tuple[Path, np.ndarray]],
        masker: Masker | None,
        settings: SceneSettings,
        seed: int = 0,
    ) -> None:
        self.settings, self.seed, self.masker = settings, seed, masker
        self.scenes = [Tile(read_rgb(p.file), p.boxes, p.labels) for p in scenes]
        self.closeups = [Tile(read_rgb(p.file), p.boxes, p.labels) for p in closeups]
        self.faces = [(np.fromfile(file, np.uint8), points) for file, points in faces]
        rare = LABELS.index("without_mask") + 1
        weights = np.array(
            [settings.rare_weight if (t.labels >= rare).any() else 1.0 for t in self.scenes]
        )
        self.scene_odds = weights / weights.sum() if len(weights) else weights
        shares = [
            settings.scene * bool(self.scenes),
            settings.closeup * bool(self.closeups),
            max(0.0, 1 - settings.scene - settings.closeup) * bool(self.faces),
        ]
        if not sum(shares):
            raise ValueError("no training pictures")
        self.shares = np.array(shares) / sum(shares)

    def compose(self, index: int, size: int) -> Tile:
        """Picture ``index``, square, ``size`` pixels."""
        rng = np.random.default_rng((self.seed, index))
        if rng.random() >= self.settings.mosaic:
            tile = self._tile(rng, size, size)
        else:
            x, y = (round(size * rng.uniform(0.3, 0.7)) for _ in range(2))
            image = np.empty((size, size, 3), np.uint8)
            boxes, labels = [], []
            for x0, y0, x1, y1 in (
                (0, 0, x, y),
                (x, 0, size, y),
                (0, y, x, size),
                (x, y, size, size),
            ):
                part = self._tile(rng, x1 - x0, y1 - y0)
                image[y0:y1, x0:x1] = part.image
                boxes.append(part.boxes + np.float32([x0, y0, x0, y0]))
                labels.append(part.labels)
            tile = Tile(image, np.concatenate(boxes), np.concatenate(labels))
        return tile

    def _tile(self, rng: np.random.Generator, width: int, height: int) -> Tile:
        kind = rng.choice(3, p=self.shares)
        settings = self.settings
        if kind == 0:
            source = self.scenes[rng.choice(len(self.scenes), p=self.scene_odds)]
            fit = 448 / min(source.image.shape[:2])
            scale = fit * np.exp(rng.uniform(np.log(0.5), np.log(2.2)))
            tile = self._view(rng, source, width, height, scale, settings.tilt / 2)
            if self.faces and min(width, height) >= 64 and rng.random() < settings.placed:
                tile = self._place_faces(rng, tile)
        else:
            source = self._face(rng) if kind == 2 else None
            if source is None:
                source = self.closeups[rng.integers(len(self.closeups))]
            fit = min(width / source.image.shape[1], height / source.image.shape[0])
            low, high = (0.8, 1.5) if rng.random() < settings.filling else (0.3, 1.0)
            scale = fit * np.exp(rng.uniform(np.log(low), np.log(high)))
            tile = self._view(rng, source, width, height, scale, settings.tilt)
        return Tile(vary_light(rng, tile.image), tile.boxes, tile.labels)

    def _face(self, rng: np.random.Generator) -> Tile:
        """One aligned face, bare or masked, with its box."""
        data, points = self.faces[rng.integers(len(self.faces))]
        image = cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        if max(image.shape[:2]) > 256:
            scale = 256 / max(image.shape[:2])
            image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            points = points * scale
        label = "without_mask"
        if self.masker is not None and rng.random() < self.settings.masked:
            image, label = self.masker(image, points, rng)
        box = face_box(points)[None]
        return Tile(image, box, np.array([LABELS.index(label) + 1], np.int64))

    def _view(
        self,
        rng: np.random.Generator,
        source: Tile,
        width: int,
        height: int,
        scale: float,
        tilt: float,
    ) -> Tile:
        """A tilted, zoomed, perhaps mirrored view; where the source ends there is a backdrop."""
        image, boxes = source.image, source.boxes
        if scale < 0.6:
            image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            image = image if image.size else source.image[:1, :1]
            shrink = np.float32([image.shape[1], image.shape[0]]) / source.image.shape[1::-1]
            boxes, scale = boxes * np.tile(shrink, 2), 1.0
        h, w = image.shape[:2]
        angle = float(np.clip(rng.normal(0, tilt / 2), -2 * tilt, 2 * tilt))
        stretch = np.exp(rng.uniform(-0.12, 0.12))
        turn = cv2.getRotationMatrix2D((0, 0), angle, 1.0)[:, :2]
        linear = turn @ np.diag([scale * stretch * rng.choice([-1, 1]), scale / stretch])
        # Where the source's centre goes: anywhere that shows as much as possible of it, and for a
        # source larger than the tile any part of it.
        reach = np.abs(np.array([width - w * scale, height - h * scale])) / 2
        centre = np.array([width, height]) / 2 + reach * rng.uniform(-1, 1, 2)
        matrix = np.column_stack([linear, centre - linear @ [w / 2, h / 2]])
        view = cv2.warpAffine(
            image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=(0, 0, 0)
        )
        inside = cv2.warpAffine(np.full((h, w), 255, np.uint8), matrix, (width, height))
        if (inside < 255).any():
            backdrop = self._backdrop(rng, width, height)
            alpha = (inside.astype(np.float32) / 255)[..., None]
            view = (view + backdrop * (1 - alpha)).clip(0, 255).astype(np.uint8)
        moved = transform_boxes(boxes, matrix)
        boxes, labels = keep_visible(moved, source.labels, width, height, self.settings)
        return Tile(view, boxes, labels)

    def _backdrop(self, rng: np.random.Generator, width: int, height: int) -> np.ndarray:
        """A plain colour, or a scene blurred until no face is left in it."""
        if not self.scenes or rng.random() < 0.5:
            return np.full((height, width, 3), rng.integers(0, 256, 3), np.uint8)
        scene = self.scenes[rng.integers(len(self.scenes))].image
        small = cv2.resize(scene, (5, 4), interpolation=cv2.INTER_AREA)
        return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)

    def _place_faces(self, rng: np.random.Generator, tile: Tile) -> Tile:
        """Sets a few faces into free places of a scene, cut out along a soft oval or rectangle."""
        image, boxes, labels = tile.image.copy(), list(tile.boxes), list(tile.labels)
        height, width = image.shape[:2]
        for _ in range(rng.integers(1, 5)):
            face = self._face(rng)
            side = np.exp(rng.uniform(np.log(28), np.log(0.7 * min(width, height))))
            x, y = rng.uniform(-0.2, 0.8) * width, rng.uniform(-0.2, 0.8) * height
            part = self._view(rng, face, round(side), round(side), side / 210, self.settings.tilt)
            if not len(part.boxes):
                continue
            box = part.boxes[0] + np.float32([x, y, x, y])
            if boxes and _overlap(box, np.array(boxes)).max() > 0.02:
                continue
            alpha = _soft_cut(part.boxes[0], round(side), rng)
            x0, y0 = round(x), round(y)
            left, top = max(0, x0), max(0, y0)
            right, bottom = min(width, x0 + round(side)), min(height, y0 + round(side))
            if right <= left or bottom <= top:
                continue
            window = np.s_[top - y0 : bottom - y0, left - x0 : right - x0]
            a = alpha[window][..., None]
            below = image[top:bottom, left:right]
            image[top:bottom, left:right] = below * (1 - a) + part.image[window] * a
            kept = keep_visible(box[None], part.labels[:1], width, height, self.settings)
            boxes += list(kept[0])
            labels += list(kept[1])
        return Tile(image, np.array(boxes, np.float32).reshape(-1, 4), np.array(labels, np.int64))


def masked_face(
    image: np.ndarray, landmarks: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, str]:
    """The face with a drawn mask, one in eight worn wrongly, and its label."""
    wear = str(rng.choice(WEAR, p=(0.875, 0.075, 0.05)))
    masked, _ = draw_mask(image, landmarks, random_style(rng, wear=wear))
    return masked, "with_mask" if wear == "worn" else "mask_worn_incorrectly"


def face_box(landmarks: np.ndarray) -> np.ndarray:
    """The whole face's box from dlib's 68 points, float32 (4,).

    dlib's points stop at the brows. The margins were fitted on labelled bare faces whose
    landmarks dlib finds; hand-drawn boxes end there at the brows or at the hairline, and this
    lies between.
    """
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    w, h = high - low
    return np.float32(
        [low[0] - 0.01 * w, low[1] - 0.16 * h, high[0] + 0.02 * w, high[1] + 0.02 * h]
    )


def transform_boxes(boxes: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The boxes around the ellipses that filled the old ones, after a 2x3 affine map.

    A face is nearer to an ellipse than to its box, whose turned corners would reach too far.
    """
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    radii = (boxes[:, 2:] - boxes[:, :2]) / 2
    moved = centres @ matrix[:, :2].T + matrix[:, 2]
    reach = np.sqrt((radii**2) @ (matrix[:, :2] ** 2).T)
    return np.concatenate([moved - reach, moved + reach], axis=1).astype(np.float32)


def keep_visible(
    boxes: np.ndarray, labels: np.ndarray, width: int, height: int, settings: SceneSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Boxes clipped to the picture; those mostly outside or too small are dropped."""
    limit = np.float32([width, height, width, height])
    clipped = np.minimum(np.maximum(boxes, 0), limit)
    size, whole = clipped[:, 2:] - clipped[:, :2], boxes[:, 2:] - boxes[:, :2]
    visible = size.prod(axis=1) / np.maximum(whole.prod(axis=1), 1e-6)
    keep = (visible >= settings.min_visible) & (size.min(axis=1, initial=1e9) >= settings.min_side)
    return clipped[keep].astype(np.float32), labels[keep]


def _soft_cut(box: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """Alpha float32 (side, side): an oval around the face, or the whole square, soft-edged."""
    alpha = np.zeros((side, side), np.float32)
    soft = max(0.6, side * rng.uniform(0.005, 0.03))
    if rng.random() < 0.6:
        centre = (box[:2] + box[2:]) / 2
        radii = (box[2:] - box[:2]) / 2 * rng.uniform(1.05, 1.35)
        cv2.ellipse(alpha, (tuple(map(float, centre)), tuple(map(float, 2 * radii)), 0), 1.0, -1)
    else:
        edge = int(np.ceil(2 * soft))
        alpha[edge : side - edge, edge : side - edge] = 1.0
    return cv2.GaussianBlur(alpha, (0, 0), soft)


def _overlap(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Share of the smaller of two boxes that the other covers, for ``box`` against ``boxes``."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    common = np.clip(high - low, 0, None).prod(axis=1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return common / np.maximum(np.minimum(areas, (box[2:] - box[:2]).prod()), 1e-6)
