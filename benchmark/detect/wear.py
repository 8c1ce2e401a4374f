"""How faces are labelled as a whole photo's faces are: bare, and with a mask worn in each way."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmark.numbers import generator_for
from benchmark.photos import Case
from benchmark.report import tables
from uncover.crop import overlap
from uncover.errors import UncoverError
from uncover.masking import WEAR, draw_mask, random_style
from uncover.networks import LABELS
from uncover.results import Face, Reason

SURE = 0.5
MASKED = {"with_mask", "mask_worn_incorrectly"}


def label_rows(
    uncoverer: Any, cases: Sequence[Case], given: argparse.Namespace
) -> list[dict[str, Any]]:
    """A row for the bare photos and one for each way to wear a mask, drawn on the whole photo.

    n: photos. A label: how many main faces, found with a score of at least `SURE`, have it in the
    end. filled: how many of these are painted; on_chin: how many are left alone with that reason.
    called_masked: in how many photos any face is called masked.
    """
    return [_row(uncoverer, wear, cases, given) for wear in ("bare", *WEAR)]


def label_table(rows: list[dict[str, Any]]) -> str:
    """`label_rows` as Markdown."""
    header = ["mask", "n", *LABELS, "filled", "left alone as on the chin", "any face called masked"]
    last = ("filled", "on_chin", "called_masked")
    lines = [[row["wear"], str(row["n"]), *(str(row[k]) for k in (*LABELS, *last))] for row in rows]
    return tables.table(header, lines)


def _row(
    uncoverer: Any, wear: str, cases: Sequence[Case], given: argparse.Namespace
) -> dict[str, Any]:
    count: Counter[str] = Counter()
    for case in tqdm(cases, wear, disable=given.quiet, leave=False):
        photo, points = case.photo.read(), case.landmarks
        if points is None:
            raise UncoverError(f"{case.photo.name}: its landmarks are not known")
        if wear != "bare":
            rng = generator_for(given.seed, case.sha256, wear)
            photo, _ = draw_mask(photo, points, random_style(rng, wear=wear))
        faces = [face for face in uncoverer.detect(photo) if face.score >= SURE]
        count["called_masked"] += any(face.label in MASKED for face in faces)
        face = _main(faces, points)
        if face is not None:
            count[face.label] += 1
            count["filled"] += face.reason is None
            count["on_chin"] += face.reason == Reason.ON_CHIN
    names = (*LABELS, "filled", "on_chin", "called_masked")
    return {"wear": wear, "n": len(cases)} | {name: count[name] for name in names}


def _main(faces: Sequence[Face], points: np.ndarray) -> Face | None:
    """The face that lies on the landmarks; None where none does."""
    (x0, y0), (x1, y1) = points.min(0), points.max(0)
    box = (float(x0), float(y0) - 0.2 * float(y1 - y0), float(x1), float(y1))
    best = max(faces, key=lambda face: overlap(face.box, box), default=None)
    return best if best is not None and overlap(best.box, box) >= 0.3 else None
