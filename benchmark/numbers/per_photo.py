"""per_photo.csv: the values behind results.json, one row a photo and model."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmark.numbers.results import Measured
from benchmark.photos import Case
from uncover.atomic import write_atomically
from uncover.errors import UncoverError
from uncover.faces import UNKNOWN
from uncover.scores import METRICS

NAME = "per_photo.csv"


@dataclass(frozen=True, eq=False)
class PhotoValues:
    """ids (n,), labels factor -> value per photo, and per model values (n, k) of the columns."""

    ids: list[str]
    labels: dict[str, list[str]]
    columns: tuple[str, ...]
    values: dict[str, np.ndarray]


def write(folder: Path, cases: Sequence[Case], measured: Sequence[Measured]) -> None:
    """Write per_photo.csv into a run's folder. Numbers are exact (shortest round trip)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    factors = sorted({factor for case in cases for factor in case.labels})
    columns = measured[0].columns  # a photo that was not filled has nan in each
    writer.writerow(("model", "id", "photo", *(f"label:{f}" for f in factors), "yaw", *columns))
    for model in measured:
        for case, values in zip(cases, model.values, strict=True):
            yaw = "" if case.yaw is None else f"{case.yaw:.1f}"
            labels = [case.labels.get(f, UNKNOWN) for f in factors]
            numbers = [repr(float(v)) for v in values]
            writer.writerow((model.name, case.id, case.photo.name, *labels, yaw, *numbers))
    write_atomically(folder / NAME, text.getvalue().encode())


def read(folder: Path) -> PhotoValues:
    """Read a run's per_photo.csv.

    Raises:
        UncoverError: absent or of another form.
    """
    path = folder / NAME
    ids: dict[str, list[str]] = {}
    rows: dict[str, list[list[float]]] = {}
    labels: dict[str, dict[str, str]] = {}
    try:
        with path.open(newline="", encoding="utf-8") as handle:
            reader = csv.DictReader(handle)
            names = reader.fieldnames or []
            columns = tuple(c for c in names if c in METRICS)
            factors = [c for c in names if c.startswith("label:")]
            for row in reader:
                ids.setdefault(row["model"], []).append(row["id"])
                rows.setdefault(row["model"], []).append([float(row[c]) for c in columns])
                labels[row["id"]] = {f.removeprefix("label:"): row[f] for f in factors}
    except (OSError, KeyError, ValueError, csv.Error) as error:
        raise UncoverError(
            f"{path} cannot be read; it is written beside results.json and needed to compare"
        ) from error
    order = next(iter(ids.values()), [])
    if not order or not columns or any(other != order for other in ids.values()):
        raise UncoverError(f"{path} does not list the same photos for every model")
    by_factor = {
        f.removeprefix("label:"): [labels[i][f.removeprefix("label:")] for i in order]
        for f in factors
    }
    return PhotoValues(order, by_factor, columns, {m: np.array(r) for m, r in rows.items()})
