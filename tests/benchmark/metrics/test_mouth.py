"""A torn, doubled or missing mouth scores worse than a blurred one, on drawn faces."""

from itertools import pairwise

import cv2
import numpy as np
import pytest

from benchmark.metrics import mouth
from benchmark.metrics.c2st import fold_of
from uncover.faces import draw_face

N, SIZE = 60, 160
HOLE = np.ones((SIZE, SIZE), bool)


def around(points: np.ndarray) -> tuple[np.ndarray, float, float]:
    lips = points[48:68]
    centre, width = (lips.min(0) + lips.max(0)) / 2, float(np.ptp(lips[:, 0]))
    y, x = np.mgrid[:SIZE, :SIZE]
    far = np.hypot((x - centre[0]) / (0.75 * width), (y - centre[1]) / (0.55 * width))
    return np.clip((1.15 - far) / 0.3, 0, 1)[..., None], width, float(centre[0])


def blurred(face: np.ndarray, points: np.ndarray) -> np.ndarray:
    soft, _, _ = around(points)
    return (face * (1 - soft) + cv2.GaussianBlur(face, (0, 0), 1.5) * soft).astype(np.uint8)


def doubled(face: np.ndarray, points: np.ndarray) -> np.ndarray:
    soft, width, _ = around(points)
    lower = np.roll(face, round(0.3 * width), 0)
    return (face * (1 - soft / 2) + lower * soft / 2).astype(np.uint8)


def torn(face: np.ndarray, points: np.ndarray) -> np.ndarray:
    soft, width, x = around(points)
    rng = np.random.default_rng(int(points.sum()))
    out = face.copy()
    edges = np.linspace(x - 0.75 * width, x + 0.75 * width, 6).round().astype(int)
    for left, right in pairwise(edges):
        down = round(rng.uniform(-0.35, 0.35) * width)
        out[:, left:right] = np.roll(face[:, left:right], down, 0)
    return (face * (1 - soft) + out * soft).astype(np.uint8)


@pytest.fixture(scope="module")
def medians():
    scorer = mouth.MouthScorer()
    rows: dict[str, list[np.ndarray]] = {k: [] for k in ("bare", "blurred", "doubled", "torn")}
    for i in range(N):
        face = draw_face(i, SIZE)
        image, points = np.ascontiguousarray(face.image), np.asarray(face.landmarks)
        fills = [image, blurred(image, points), doubled(image, points), torn(image, points)]
        for kind, row in zip(rows, scorer.score(image, HOLE, fills, points), strict=True):
            rows[kind].append(row)
    stacked = {kind: np.stack(found) for kind, found in rows.items()}
    folds = fold_of([f"{i:02d}" for i in range(N)])
    pairs = {k: mouth.mouth_distances(stacked["bare"], rows, folds) for k, rows in stacked.items()}
    return {kind: float(np.median(pair[1])) for kind, pair in pairs.items()}


def test_photos_themselves_give_one(medians):
    assert medians["bare"] == pytest.approx(1.0)


@pytest.mark.parametrize("fault", ["doubled", "torn"])
def test_a_fault_is_worse_than_a_blur(medians, fault):
    assert medians[fault] > medians["blurred"] + 0.05
