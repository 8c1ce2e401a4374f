"""How good a segmenter is: overlap, missed pixels after dilation, points and the eye line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from training.data import read_rgb
from training.run import write_sheet
from training.segmenter.masked_crops import CropSettings, MaskedCrop, make_crop
from uncover.crop import mask_overlap
from uncover.faces import FaceRecord
from uncover.networks import MaskSegmenter

ROUGH = CropSettings(bare=0, occluded=0, rough=1, roll=45, shift=0.15, shrink=1.25, grow=1.25)
NEAR = CropSettings(bare=0, occluded=0, rough=0, near_shift=0.02, near_scale=1.04, near_roll=3)


def fixed_crops(records: Sequence[FaceRecord], side: int, seed: int = 0) -> list[MaskedCrop]:
    """Two crops of each face that are the same every time: framed roughly, framed well."""
    crops = []
    for i, record in enumerate(records):
        image = read_rgb(record.file)
        for j, settings in enumerate((ROUGH, NEAR)):
            rng = np.random.default_rng((seed, i, j))
            crops.append(make_crop(image, record.landmarks, side, settings, rng))
    return crops


def score_segmenter(model: MaskSegmenter, crops: Sequence[MaskedCrop]) -> dict[str, float]:
    """Scores over `fixed_crops`: masks on the well framed half, the eye line on the other.

    Only pixels that the photo has count: nothing is painted beyond its edge.

    iou_*: overlap at the configured threshold, undilated: median, 5th percentile, worst.
    missed: share of all true mask pixels that the dilated mask leaves out; extra: pixels it paints
    beyond the truth, over the true ones. eye_line_*: degrees between true and found eye line,
    median and 95th percentile; points: mean distance in per cent of the crop's side.
    """
    overlaps, lost, painted, true = [], 0, 0, 0
    angles, distances = [], []
    for i, crop in enumerate(crops):
        found = model.segment(crop.image[None])
        side = crop.image.shape[0]
        unit = (found.points[0] + 0.5) / side
        if i % 2 == 0:
            angles.append(abs(angle_between(unit[1] - unit[0], crop.points[1] - crop.points[0])))
            distances.append(np.linalg.norm(unit - crop.points, axis=1).mean() * 100)
            continue
        truth = (crop.mask >= 0.5) & crop.valid
        guess = found.probability[0] >= model.config.threshold
        if truth.any():
            seen = guess & crop.valid
            overlaps.append(mask_overlap(truth, seen))
        wide = dilate(guess, model.config.dilation * side)
        lost += int((truth & ~wide).sum())
        painted += int((wide & crop.valid & ~truth).sum())
        true += int(truth.sum())
    return {
        "iou_median": float(np.median(overlaps)),
        "iou_p5": float(np.percentile(overlaps, 5)),
        "iou_worst": float(np.min(overlaps)),
        "missed": lost / true,
        "extra": painted / true,
        "eye_line_median": float(np.median(angles)),
        "eye_line_p95": float(np.percentile(angles, 95)),
        "points": float(np.mean(distances)),
    }


def angle_between(a: np.ndarray, b: np.ndarray) -> float:
    """Signed angle from ``b`` to ``a`` in degrees, in (-180, 180]."""
    return float(np.rad2deg(np.arctan2(b[0] * a[1] - b[1] * a[0], a @ b)))


def dilate(mask: np.ndarray, radius: float) -> np.ndarray:
    """A bool mask widened by a disc of ``radius`` pixels."""
    far = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    return far <= radius


def draw_sheet(
    path: Path, model: MaskSegmenter, crops: Sequence[MaskedCrop], columns: int = 8
) -> None:
    """A contact sheet: the found mask in red, its points in green, the true outline in white."""
    tiles = []
    for crop in crops:
        tile = overlay(crop.image, model)
        edge, _ = cv2.findContours(
            (crop.mask >= 0.5).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE
        )
        cv2.drawContours(tile, edge, -1, (255, 255, 255), 1)
        tiles.append(cv2.resize(tile, (192, 192), interpolation=cv2.INTER_AREA))
    write_sheet(path, tiles, columns)


def overlay(image: np.ndarray, model: MaskSegmenter) -> np.ndarray:
    """The crop (uint8 RGB) with what the model says about it drawn in."""
    found = model.segment(image[None])
    mask = found.probability[0] >= model.config.threshold
    tile = image.copy()
    tile[mask] = tile[mask] // 2 + np.array([127, 0, 0], np.uint8)
    for x, y in found.points[0]:
        cv2.circle(tile, (round(float(x)), round(float(y))), 3, (0, 255, 0), -1)
    return tile
