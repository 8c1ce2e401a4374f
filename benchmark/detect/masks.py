"""How well drawn masks are segmented: overlap, what is missed, and the eye line of turned faces."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from benchmark.numbers import generator_for, make_slices, mean_interval
from benchmark.photos import Case, face_crop
from benchmark.report import tables
from uncover.crop import mask_overlap
from uncover.faces import five_points
from uncover.masking import draw_mask

DRAWS = 2000
TURN = 45.0
"""Faces are turned by up to so many degrees each way to measure the eye line."""


def score_masks(
    segmenter: Any, cases: Sequence[Case], given: argparse.Namespace
) -> list[dict[str, Any]]:
    """Rows over all faces and every value of every factor.

    iou: mean with its 95 % interval, median and 5th percentile. missed: share of all true mask
    pixels that are not painted, that is not within the margin of what was found. eye_line: degrees
    between true and found eye line of the face turned at random, median and 95th percentile.
    """
    bar = tqdm(cases, "masks", disable=given.quiet, leave=False)
    values = np.array([_score(segmenter, case, given.size, given.seed) for case in bar])
    wanted = [f for f in ("ethnicity", "pose", "mask_type") if f in cases[0].labels]
    rows = []
    for i, factor in enumerate(wanted):
        parts = make_slices({factor: [case.labels[factor] for case in cases]})
        for part in parts if i == 0 else parts[1:]:
            if not part.n:
                continue
            overlap, lost, true, angle = values[part.indices].T
            bounds = mean_interval(overlap, DRAWS, generator_for(given.seed, part.name, part.n))
            iou = {"value": float(overlap.mean()), "low": bounds.low, "high": bounds.high}
            iou |= {"median": float(np.median(overlap)), "p5": float(np.percentile(overlap, 5))}
            line = {"median": float(np.median(angle)), "p95": float(np.percentile(angle, 95))}
            missed = float(lost.sum() / max(1.0, true.sum()))
            rows.append(
                {"slice": part.name, "n": part.n, "iou": iou, "missed": missed, "eye_line": line}
            )
    return rows


def mask_table(rows: list[dict[str, Any]]) -> str:
    """`score_masks` as Markdown."""
    header = ["slice", "n", "IoU [95 %]", "IoU median", "IoU 5th percentile", "missed, %"]
    header += ["eye line median, degrees", "95th percentile"]
    lines = [
        [row["slice"], str(row["n"]), tables.cell(row["iou"], 3),
         tables.number(row["iou"]["median"], 3), tables.number(row["iou"]["p5"], 3),
         f"{100 * row['missed']:.2f}", f"{row['eye_line']['median']:.1f}",
         f"{row['eye_line']['p95']:.1f}"]
        for row in rows
    ]  # fmt: skip
    return tables.table(header, lines)


def _score(segmenter: Any, case: Case, size: int, seed: int) -> tuple[float, int, int, float]:
    """IoU, missed and true mask pixels, degrees."""
    face, points = face_crop(case.photo.read(), case.landmarks, size, align=True)
    masked, alpha = draw_mask(face, points, case.style)
    config = segmenter.config
    found = segmenter.segment(masked[None]).probability[0] >= config.threshold
    drawn = alpha >= 0.5
    overlap = mask_overlap(found, drawn)
    far = cv2.distanceTransform((~found).astype(np.uint8), cv2.DIST_L2, 5)
    lost = int((drawn & (far > config.dilation * size)).sum()) if found.any() else int(drawn.sum())
    angle = generator_for(seed, case.sha256, "turn").uniform(-TURN, TURN)
    return overlap, lost, int(drawn.sum()), _eye_line(segmenter, masked, points, angle)


def _eye_line(segmenter: Any, masked: np.ndarray, points: Any, angle: float) -> float:
    """Degrees between the found eye line and the landmarks', the crop turned by ``angle``."""
    size = masked.shape[0]
    middle = (size - 1) / 2
    turn = cv2.getRotationMatrix2D((middle, middle), angle, 0.8)
    turned = cv2.warpAffine(masked, turn, (size, size), borderMode=cv2.BORDER_REFLECT_101)
    true = five_points(points)[:2] @ turn[:, :2].T
    found = segmenter.segment(turned[None]).points[0][:2]
    a, b = (np.arctan2(*(pair[1] - pair[0])[::-1]) for pair in (found, true))
    return abs(float((np.rad2deg(a - b) + 180) % 360 - 180))
