"""Training crops for the segmenter: a face, a mask drawn on it, a frame that is off.

Crop ``i`` is a pure function of (seed, i). Half of the crops are framed as roughly as from a
detector's box (that is when the points matter), half nearly as well as from the points.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from training.data import add_occluder, vary_light
from training.pseudo import RealMask
from training.segmenter.attachments import (
    add_filters,
    add_head_bands,
    add_trim,
    dye_straps,
    put_glasses_on,
)
from uncover.crop import FaceCrop
from uncover.faces import MIRROR_68, FaceRecord, five_points
from uncover.masking import WEAR, draw_mask, random_style


@dataclass(frozen=True)
class CropSettings:
    """How crops are made.

    bare: share without a mask. occluded: share with something in front. rough: share framed as
    from a detector's box: off by up to `shift` of the side each way, magnified by 1/`shrink` ..
    `grow`, turned by up to `roll` degrees; the rest stays within `near_*`.
    real: share of photos with real masks, where there are any (`training.pseudo` makes them).
    wrong: share of masks worn under the nose or on the chin. printed: share of masks with a part of
    another photo printed on them, so that no colour and no texture says what is mask; of the real
    ones as of the drawn ones. skinlike: share dyed in the colour of the face's skin.
    Of drawn masks: banded: share whose straps have a colour of their own. head_bands: share with a
    respirator's bands as well. trimmed: share with a border of another colour. filtered: share with
    filters beside the mouth. glasses: share on which glasses stand.
    plain_border: share of crops that end in a plain colour where the photo ends; the rest is
    continued by reflection, as when the trained network is used.
    """

    bare: float = 0.12
    occluded: float = 0.2
    rough: float = 0.5
    shift: float = 0.2
    shrink: float = 1.42
    grow: float = 1.4
    roll: float = 52.0
    near_shift: float = 0.06
    near_scale: float = 1.12
    near_roll: float = 8.0
    wrong: float = 0.12
    printed: float = 0.2
    skinlike: float = 0.05
    banded: float = 0.25
    glasses: float = 0.12
    filtered: float = 0.05
    head_bands: float = 0.06
    trimmed: float = 0.08
    plain_border: float = 0.35
    real: float = 0.25


@dataclass(frozen=True)
class MaskedCrop:
    """uint8 (S, S, 3), float32 (S, S) mask in 0..1, float32 (5, 2) points in units of the side
    (0 and 1 are the outer edges), bool (S, S) where the crop shows the photo and not what continues
    it beyond its edge, and the frame."""

    image: np.ndarray
    mask: np.ndarray
    points: np.ndarray
    valid: np.ndarray
    frame: FaceCrop


class MaskedCrops(Dataset):
    """(uint8 (3, S, S), uint8 (1, S, S) mask 0..255, float32 (5, 2) points, bool (1, S, S) valid)
    by number, as in `MaskedCrop`.

    Data sets, told apart by their root folder, are drawn by the square root of their size, so that
    a small one counts. Files are kept in memory as they are on disk.
    """

    def __init__(
        self,
        records: Sequence[FaceRecord],
        side: int,
        settings: CropSettings,
        length: int,
        seed: int = 0,
        real: Sequence[RealMask] = (),
    ) -> None:
        self.real = list(real)
        self.faces = [(np.fromfile(r.file, np.uint8), r.landmarks) for r in records]
        roots = [str(r.file)[: -len(r.path)] for r in records]
        sizes = Counter(roots)
        odds = np.array([sizes[root] ** -0.5 for root in roots])
        self.odds = np.cumsum(odds / odds.sum())
        self.side, self.settings, self.length, self.seed = side, settings, length, seed

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        crop = self.make(index)
        mask = np.round(crop.mask * 255).astype(np.uint8)
        return (
            torch.from_numpy(np.ascontiguousarray(crop.image.transpose(2, 0, 1))),
            torch.from_numpy(mask[None]),
            torch.from_numpy(crop.points),
            torch.from_numpy(crop.valid[None]),
        )

    def make(self, index: int) -> MaskedCrop:
        """Crop number ``index``."""
        rng = np.random.default_rng((self.seed, index))
        face = None
        if self.real and rng.random() < self.settings.real:
            face = self.real[rng.integers(len(self.real))]
        else:
            data, landmarks = self.faces[
                min(np.searchsorted(self.odds, rng.random()), len(self.faces) - 1)
            ]
        picture = None
        if rng.random() < self.settings.printed:
            picture = _decoded(self.faces[rng.integers(len(self.faces))][0])
        if face is not None:
            return make_real_crop(face, self.side, self.settings, rng, picture)
        return make_crop(_decoded(data), landmarks, self.side, self.settings, rng, picture)


def make_crop(
    image: np.ndarray,
    landmarks: np.ndarray,
    side: int,
    settings: CropSettings,
    rng: np.random.Generator,
    picture: np.ndarray | None = None,
) -> MaskedCrop:
    """Mask, frame and age one face photo (uint8 RGB, with dlib's 68 points).

    picture: uint8 RGB of any size, a part of which is printed on the mask.
    """
    image, landmarks = _no_larger(image, landmarks, round(1.25 * side))
    if rng.random() < 0.5:
        image = np.ascontiguousarray(image[:, ::-1])
        landmarks = (landmarks * (-1, 1) + (image.shape[1] - 1, 0))[MIRROR_68]
    points = five_points(landmarks)
    mask = np.zeros(image.shape[:2], np.float32)
    skin = image[tuple(np.clip(landmarks[27].astype(int), 0, min(image.shape[:2]) - 1))[::-1]]
    if rng.random() >= settings.bare:
        odds = (1 - settings.wrong, 0.6 * settings.wrong, 0.4 * settings.wrong)
        image, mask = draw_mask(
            image, landmarks, random_style(rng, wear=str(rng.choice(WEAR, p=odds)))
        )
        image = _decorated(image, mask, picture, skin, settings, rng)
        image, mask = _attached(image, mask, landmarks, settings, rng)
    if rng.random() < settings.occluded:
        image, mask = add_occluder(rng, image, mask, skin.astype(np.float32))
    return _framed(image, mask, np.ones_like(mask), points, side, settings, rng)


def print_on(
    image: np.ndarray, mask: np.ndarray, picture: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """A part of a picture printed on a drawn mask, whose light and folds stay.

    image: uint8 (H, W, 3) with the mask drawn. mask: float32 (H, W), its alpha. picture: uint8
    (h, w, 3). Returns uint8 (H, W, 3).
    """
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return image
    y0, y1, x0, x1 = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    height, width = picture.shape[:2]
    share = rng.uniform(0.15, 0.9)  # of the picture's sides, so that prints are of every scale
    h, w = max(2, round(share * height)), max(2, round(share * width))
    top, left = rng.integers(0, height - h + 1), rng.integers(0, width - w + 1)
    part = picture[top : top + h, left : left + w]
    part = np.rot90(part, rng.integers(4))[:, :: rng.choice((-1, 1))]
    part = cv2.resize(np.ascontiguousarray(part), (int(x1 - x0), int(y1 - y0)))
    part = part[..., rng.permutation(3)] if rng.random() < 0.5 else part
    out = image.copy()
    out[y0:y1, x0:x1] = _inked(image[y0:y1, x0:x1], mask[y0:y1, x0:x1], part, rng)
    return out


def dye_like_skin(
    image: np.ndarray, mask: np.ndarray, skin: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """A mask in about the colour of the face's skin, whose light and folds stay.

    image: uint8 (H, W, 3). mask: float32 (H, W), its alpha. skin: RGB. Returns uint8 (H, W, 3).
    """
    if not mask.any():
        return image
    colour = np.clip(skin * rng.uniform(0.8, 1.25) + rng.normal(0, 8, 3), 10, 245)
    return _inked(image, mask, colour, rng)


def _inked(
    cloth: np.ndarray, mask: np.ndarray, ink: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """uint8 (H, W, 3) with a colour (3,) or picture (H, W, 3) over most of the mask's own."""
    ground, alpha = cloth.astype(np.float32), mask[..., None]
    light = ground.mean(2, keepdims=True)
    light = np.clip(light / max(1.0, float((light * alpha).sum() / alpha.sum())), 0.4, 1.6)
    share = alpha * rng.uniform(0.6, 1.0)
    return np.clip(ground * (1 - share) + ink * light * share, 0, 255).round().astype(np.uint8)


def _decorated(
    image: np.ndarray,
    mask: np.ndarray,
    picture: np.ndarray | None,
    skin: np.ndarray,
    settings: CropSettings,
    rng: np.random.Generator,
) -> np.ndarray:
    if picture is not None:
        return print_on(image, mask, picture, rng)
    if rng.random() < settings.skinlike:
        return dye_like_skin(image, mask, skin.astype(np.float32), rng)
    return image


def _attached(
    image: np.ndarray,
    mask: np.ndarray,
    landmarks: np.ndarray,
    settings: CropSettings,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    banded, filtered, glasses, head_bands, trimmed = rng.random(5) < (
        settings.banded,
        settings.filtered,
        settings.glasses,
        settings.head_bands,
        settings.trimmed,
    )
    if banded:
        image = dye_straps(image, mask, landmarks, rng)
    if trimmed:
        image, mask = add_trim(image, mask, landmarks, rng)
    if head_bands:
        image, mask = add_head_bands(image, mask, landmarks, rng)
    if filtered:
        image, mask = add_filters(image, mask, landmarks, rng)
    if glasses:
        image, mask = put_glasses_on(image, mask, landmarks, rng)
    return image, mask


def _decoded(data: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def make_real_crop(
    face: RealMask,
    side: int,
    settings: CropSettings,
    rng: np.random.Generator,
    picture: np.ndarray | None = None,
) -> MaskedCrop:
    """Mirror, frame and age a photo whose mask is known.

    picture: as for `make_crop`.
    """
    image, points = face.image, face.points
    mask, known = face.mask.astype(np.float32), face.known.astype(np.float32)
    between = tuple(np.clip(points[:2].mean(0).round().astype(int), 0, image.shape[0] - 1))[::-1]
    soft = cv2.GaussianBlur(mask, (0, 0), 0.8)
    image = _decorated(image, soft, picture, image[between], settings, rng)
    if rng.random() < 0.5:
        image, mask, known = (np.ascontiguousarray(a[:, ::-1]) for a in (image, mask, known))
        points = (points * (-1, 1) + (image.shape[1] - 1, 0))[[1, 0, 2, 4, 3]]
    return _framed(image, mask, known, points, side, settings, rng)


def _framed(
    image: np.ndarray,
    mask: np.ndarray,
    known: np.ndarray,
    points: np.ndarray,
    side: int,
    settings: CropSettings,
    rng: np.random.Generator,
) -> MaskedCrop:
    frame = jitter_frame(FaceCrop.from_points(points, side), settings, rng)
    if rng.random() < settings.plain_border:
        colour = tuple(map(int, rng.integers(0, 256, 3)))
        crop = cv2.warpAffine(image, frame.matrix, (side, side), borderValue=colour)
        target = cv2.warpAffine(mask, frame.matrix, (side, side))
    else:
        crop, target = frame.extract(image), frame.extract(mask)
    inside = cv2.warpAffine(known, frame.matrix, (side, side))
    unit = (frame.to_crop(points) + 0.5) / side
    crop = vary_light(rng, crop)
    return MaskedCrop(crop, target.clip(0, 1), unit.astype(np.float32), inside > 0.99, frame)


def jitter_frame(frame: FaceCrop, settings: CropSettings, rng: np.random.Generator) -> FaceCrop:
    """The frame shifted, scaled and turned at random about its middle."""
    if rng.random() < settings.rough:
        shift, roll = settings.shift, settings.roll
        low, high = -np.log(settings.shrink), np.log(settings.grow)
    else:
        shift, roll = settings.near_shift, settings.near_roll
        low, high = -np.log(settings.near_scale), np.log(settings.near_scale)
    middle = (frame.size - 1) / 2
    turn = cv2.getRotationMatrix2D(
        (middle, middle), float(rng.uniform(-roll, roll)), float(np.exp(rng.uniform(low, high)))
    )
    turn[:, 2] += rng.uniform(-shift, shift, 2) * frame.size
    matrix = turn @ np.vstack([frame.matrix, [0, 0, 1]])
    return FaceCrop(matrix, frame.size)


def _no_larger(
    image: np.ndarray, landmarks: np.ndarray, longest: int
) -> tuple[np.ndarray, np.ndarray]:
    """The photo shrunk so that drawing on it costs no more than the crop can show."""
    scale = longest / max(image.shape[:2])
    if scale >= 1:
        return image, landmarks
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return small, (landmarks + 0.5) * scale - 0.5
