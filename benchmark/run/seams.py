"""`python -m benchmark seams`: does an edge show where painted pixels meet the photo?

The same fills are put back in several ways, and two things are measured along the border: how
steeply the difference to the true photo sets in there, which is the edge one sees, and how much
gradient the picture has compared with the true one, which is what blurring the edge away takes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from benchmark.metrics import decibels
from benchmark.models import weights_name
from benchmark.numbers import generator_for, mean_interval
from benchmark.photos import datasets, draw_cases
from benchmark.report import tables
from benchmark.run.options import add_face_arguments
from uncover.atomic import write_atomically
from uncover.crop import FaceCrop, Patch, soft_region
from uncover.errors import UncoverError
from uncover.paint import match_colours, paste
from uncover.settings import Blend, Settings

DRAWS = 2000
LEVELS = 5  # of the Laplacian pyramid
_NEAR = 2.0  # pixels on either side of the border that count as border
_DEPTH = 20  # how far inwards, in pixels, a step counts as the border's
COLUMNS = {
    "gradient": "gradient at the border, photo = 1",
    "step": "steepest step of the difference, grey levels per px ↓",
    "psnr": "PSNR painted, dB ↑",
}

Way = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""truth and picture uint8 (S, S, 3), alpha float32 (S, S) -> the composite uint8 (S, S, 3)."""


def main(arguments: list[str]) -> int:
    """Measure, print and write seams.json and seams.md; exit status 0.

    Raises:
        UncoverError: unusable photos or weights.
    """
    p = argparse.ArgumentParser(
        prog="python -m benchmark seams",
        description="Edges that each way of putting a fill back into the photo leaves.",
    )
    add_face_arguments(p)
    given = p.parse_args(arguments)
    if (given.data is None) == (given.drawn is None):
        raise UncoverError("give one of --data DIR and --drawn N")
    rows = measure(given)
    n = rows[0]["n"]
    heading = f"# Seams: {weights_name(given.weights)}, {n} photos, 95 % intervals in brackets\n"
    report = f"{heading}\n{_table(rows)}\n"
    found = {"weights": weights_name(given.weights), "seed": given.seed, "ways": rows}
    write_atomically(given.out / "seams.json", (json.dumps(found, indent=1) + "\n").encode())
    write_atomically(given.out / "seams.md", report.encode())
    print(report)
    return 0


def measure(given: argparse.Namespace) -> list[dict[str, Any]]:
    """One row for each way: its name, n, and value, low and high of each measure."""
    from uncover.weights import load_bundle

    data = datasets.load_or_draw(given.data, given.drawn, given.split).limited(given.limit)
    cases = draw_cases(
        data, seed=given.seed, size=given.size, align=data.aligned, cache=given.cache,
        quiet=given.quiet,
    )  # fmt: skip
    source = None if given.weights == "default" else given.weights
    generator = load_bundle(source, components=("generator",)).generator.eval()
    if generator.config.resolution != given.size:
        raise UncoverError(
            f"these weights paint {generator.config.resolution} px: give it as --size"
        )
    values: dict[str, list[tuple[float, float, float]]] = {name: [] for name in WAYS}
    for case in tqdm(cases.cases, "seams", disable=given.quiet, leave=False):
        drawn = cases.render(case)
        alpha = soft_region(drawn.hole, 0.0, Settings().feather)
        picture = generator.fill(drawn.masked[None], (alpha > 0)[None])[0]
        for name, way in WAYS.items():
            values[name].append(scores(way(drawn.truth, picture, alpha), drawn.truth, alpha))
    return [_row(name, np.array(rows), given.seed) for name, rows in values.items()]


def scores(result: np.ndarray, truth: np.ndarray, alpha: np.ndarray) -> tuple[float, float, float]:
    """Gradient ratio, steepest step, PSNR of the painted pixels.

    Gradients are Sobel's on luminance after a Gaussian of one pixel, averaged where alpha lies
    between 0 and 1 and two pixels to either side. The step is the steepest rise of the mean
    absolute difference to the truth from one pixel to the next, on the way from the photo inwards.
    """
    painted, whole = alpha > 0, alpha >= 1
    outside = cv2.distanceTransform((~painted).astype(np.uint8), cv2.DIST_L2, 3)
    inside = cv2.distanceTransform(whole.astype(np.uint8), cv2.DIST_L2, 3)
    border = (outside <= _NEAR) & (inside <= _NEAR)
    new, old = (cv2.cvtColor(x, cv2.COLOR_RGB2GRAY).astype(np.float32) for x in (result, truth))
    now, then = (_gradient(x)[border].mean() for x in (new, old))
    depth = cv2.distanceTransform(painted.astype(np.uint8), cv2.DIST_L2, 3)
    depth = np.ceil(depth).astype(int)  # the outermost painted pixels are 1
    counts = np.bincount(depth.ravel())[: _DEPTH + 1]
    sums = np.bincount(depth.ravel(), weights=np.abs(new - old).ravel())[: _DEPTH + 1]
    step = np.diff(sums / np.maximum(counts, 1)).max(initial=0.0)
    return float(now / max(float(then), 1e-6)), float(step), decibels(result, truth, painted)[1]


def _gradient(grey: np.ndarray) -> np.ndarray:
    smooth = cv2.GaussianBlur(grey, (0, 0), 1.0)
    across, down = (cv2.Sobel(smooth, cv2.CV_32F, dx, 1 - dx, ksize=3) / 8 for dx in (1, 0))
    return np.hypot(across, down)


def cut(truth: np.ndarray, picture: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """All painted pixels as the network gave them."""
    return np.where((alpha > 0)[..., None], picture, truth)


def feather(truth: np.ndarray, picture: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """A soft ring, colours as the network gave them."""
    return _paste(truth, picture, alpha, "feather")


def matched(truth: np.ndarray, picture: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """What `blend="feather"` does: a soft ring after the colours are matched along the border."""
    return _paste(truth, match_colours(picture, truth, alpha > 0), alpha, "feather")


def poisson(truth: np.ndarray, picture: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """What `blend="poisson"` does (Perez et al. 2003)."""
    return _paste(truth, picture, alpha, "poisson")


def laplacian(truth: np.ndarray, picture: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Multi-band blending (Burt and Adelson 1983); known pixels are put back afterwards."""
    weight = (alpha > 0).astype(np.float32)
    a, b = picture.astype(np.float32), truth.astype(np.float32)
    bands = []
    for _ in range(LEVELS):
        size = a.shape[1], a.shape[0]
        small = [cv2.pyrDown(x) for x in (a, b, weight)]
        fine = [x - cv2.pyrUp(y, dstsize=size) for x, y in ((a, small[0]), (b, small[1]))]
        bands.append(fine[1] + weight[..., None] * (fine[0] - fine[1]))
        a, b, weight = small
    result = b + weight[..., None] * (a - b)
    for band in reversed(bands):
        result = cv2.pyrUp(result, dstsize=(band.shape[1], band.shape[0])) + band
    rounded = np.rint(result.clip(0, 255)).astype(np.uint8)
    return np.where((alpha > 0)[..., None], rounded, truth)


def _paste(truth: np.ndarray, picture: np.ndarray, alpha: np.ndarray, blend: Blend) -> np.ndarray:
    side = truth.shape[0]
    result = truth.copy()
    patch = Patch((0, 0, side, side), alpha)
    paste(result, picture, FaceCrop.whole(side, side, side), patch, blend)
    return result


WAYS: dict[str, Way] = {
    "cut": cut,
    "feather": feather,
    "laplacian": laplacian,
    "poisson": poisson,
    "feather, colours matched (default)": matched,
}


def _row(name: str, values: np.ndarray, seed: int) -> dict[str, Any]:
    row: dict[str, Any] = {"way": name, "n": len(values)}
    for k, key in enumerate(COLUMNS):
        bounds = mean_interval(values[:, k], DRAWS, generator_for(seed, name, key))
        row[key] = {"value": float(values[:, k].mean()), "low": bounds.low, "high": bounds.high}
    return row


def _table(rows: list[dict[str, Any]]) -> str:
    kinds: dict[str, str | int] = {"gradient": 3, "step": 3, "psnr": "psnr"}
    lines = [
        [row["way"], *(tables.cell(row[k], kind) for k, kind in kinds.items())] for row in rows
    ]
    return tables.table(["put back by", *COLUMNS.values()], lines)
