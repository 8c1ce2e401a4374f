"""What an enlarger does to held-out faces: numbers for the log, and a sheet to look at."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from training.run import write_sheet
from uncover.images import psnr
from uncover.networks import ENLARGED, Enlarger, Generator

SHOWN = 8  # faces on a sheet
EDGE = 4  # pixels beside the hole's edge that do not count as its inside


def shrunk(images: np.ndarray, holes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Crops (N, S, S, 3) and holes (N, S, S) at the generator's side, as the pipeline sees them."""
    side = images.shape[1] // ENLARGED
    small = [cv2.resize(x, (side, side), interpolation=cv2.INTER_AREA) for x in images]
    cells = holes.reshape(len(holes), side, ENLARGED, side, ENLARGED)
    return np.stack(small), cells.any((2, 4))


def enlarged_answers(
    generator: Generator, enlarger: Enlarger, images: np.ndarray, holes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The filled crops without and with the enlarger's detail: uint8 (N, S, S, 3) each."""
    plain, fine = images.copy(), images.copy()
    for at in range(0, len(images), 4):
        part = slice(at, at + 4)
        answers = generator.fill(*shrunk(images[part], holes[part]))
        detailed = enlarger.enlarge(answers, images[part], holes[part])
        side = images.shape[1]
        grown = [cv2.resize(x, (side, side), interpolation=cv2.INTER_CUBIC) for x in answers]
        where = holes[part][..., None]
        plain[part] = np.where(where, np.stack(grown), images[part])
        fine[part] = np.where(where, detailed, images[part])
    return plain, fine


def fine_energy(image: np.ndarray, hole: np.ndarray) -> float:
    """Mean square of the Laplacian inside the hole, away from its edge; NaN where that is empty."""
    kernel = np.ones((2 * EDGE + 1, 2 * EDGE + 1), np.uint8)
    inside = cv2.erode(hole.astype(np.uint8), kernel) > 0
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float((cv2.Laplacian(grey, cv2.CV_32F)[inside] ** 2).mean()) if inside.any() else np.nan


def detail_scores(
    truth: np.ndarray, plain: np.ndarray, fine: np.ndarray, holes: np.ndarray
) -> dict[str, float]:
    """Fine energy over the truth's, in the median, without and with the enlarger, and what that
    cost in nearness to the truth: mean hole PSNR in dB.

    All uint8 (N, S, S, 3); holes bool (N, S, S).
    """
    scores: dict[str, float] = {}
    for name, filled in (("plain", plain), ("fine", fine)):
        triples = list(zip(truth, filled, holes, strict=True))
        ratios = [fine_energy(b, h) / max(fine_energy(a, h), 1e-3) for a, b, h in triples]
        scores[f"sharpness_{name}"] = float(np.sqrt(np.nanmedian(ratios)))
        scores[f"psnr_{name}"] = float(np.mean([psnr(b[h], a[h]) for a, b, h in triples]))
    return scores


def draw_sheet(path: Path, truth: np.ndarray, plain: np.ndarray, fine: np.ndarray) -> None:
    """Rows of three: the answer enlarged, with the detail, the truth; for the run folder only."""
    rows = list(zip(plain, fine, truth, strict=True))[:SHOWN]
    write_sheet(path, [tile for row in rows for tile in row], 3)
