"""From pictures to numbers: what is the same scores as the same, and a slight blur is told."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from benchmark.features.networks import FeatureScorer, Network
from benchmark.metrics import PixelScorer, auc, fold_of, held_out_judgements
from uncover.faces import draw_face

N, SIZE = 48, 200
HOLE = np.zeros((SIZE, SIZE), bool)
HOLE[90:185, 45:155] = True


def filters(pictures: Tensor) -> Tensor:
    """Pixels and their differences over 1, 2 and 4 px, positive and negative apart: a small
    network without weights. uint8 (B, 3, S, S) -> (B, 21, S, S)."""
    x = pictures.float() / 255
    found = [x]
    for step in (1, 2, 4):
        change = x - torch.roll(x, (step, step), (2, 3))
        found += [change.clamp(min=0), change.clamp(max=0)]
    return torch.cat(found, 1)


FEATURES = FeatureScorer(
    "filters", "filters", Network(lambda x: filters(x).abs().mean((2, 3)), filters), "cpu"
)
FOLDS = fold_of([f"{i:03d}" for i in range(N)])


def blurred(face: np.ndarray) -> np.ndarray:
    return np.where(HOLE[..., None], cv2.GaussianBlur(face, (0, 0), 1.5), face)


@pytest.fixture(scope="module")
def rows():
    """Per kind of fill the features, and sharpness and edge: (N, D) and (N, 2)."""
    kinds = {"bare": lambda face: face, "same": np.copy, "blurred": blurred}
    found = {kind: ([], []) for kind in kinds}
    places = [PixelScorer.columns.index(c) for c in ("sharpness", "edge")]
    for i in range(N):
        face = draw_face(i, SIZE)
        image = np.ascontiguousarray(face.image)
        fills = [make(image) for make in kinds.values()]
        seen = FEATURES.score(image, HOLE, fills, face.landmarks)
        pixels = PixelScorer().score(image, HOLE, fills, face.landmarks)
        for kind, row, values in zip(kinds, seen, pixels, strict=True):
            found[kind][0].append(row)
            found[kind][1].append(values[places])
    return {kind: (np.stack(seen), np.stack(values)) for kind, (seen, values) in found.items()}


def c2st(real: np.ndarray, fake: np.ndarray) -> list[float]:
    """Texture and structure."""
    pairs = zip(FEATURES.split(real)[1:], FEATURES.split(fake)[1:], strict=True)
    return [float(auc(*held_out_judgements(r, f, FOLDS))[0]) for r, f in pairs if r is not None]


def test_identical_pictures_give_one_one_and_a_half(rows):
    np.testing.assert_array_equal(rows["same"][1], 1.0)
    assert c2st(rows["bare"][0], rows["same"][0]) == pytest.approx([0.5, 0.5], abs=1e-12)


def test_a_blur_of_one_and_a_half_pixels_is_told_by_its_texture(rows):
    assert c2st(rows["bare"][0], rows["blurred"][0])[0] >= 0.75
    sharp, edge = np.median(rows["blurred"][1], axis=0)
    assert sharp < 0.5
    assert edge < 1


def test_values_are_those_of_the_formula_written_out(rows):
    face = draw_face(3, SIZE)
    image = np.ascontiguousarray(face.image)
    energies = []
    for picture in (blurred(image), image):
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(float)
        padded = np.pad(grey, 1, mode="reflect")
        laplacian = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
        energies.append(((laplacian - 4 * grey)[HOLE] ** 2).mean())
    assert rows["blurred"][1][3, 0] == pytest.approx(energies[0] / energies[1], abs=1e-4)
