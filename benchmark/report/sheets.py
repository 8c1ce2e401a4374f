"""Contact sheets of the best and the worst twenty fills. They show faces: keep them private."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from benchmark.models import FillModel, paint
from benchmark.photos import Case, Rendered
from benchmark.report import tables
from benchmark.report.canvas import GREY, SCALE, Canvas
from benchmark.report.report import GUESS
from benchmark.run import begin, shown_of
from uncover.errors import UncoverError
from uncover.images import tiled
from uncover.scores import badness

if TYPE_CHECKING:
    from benchmark.run import Finished

COUNT, ACROSS, SIDE = 20, 4, 84


def draw_sheets(folder: Path, finished: Finished) -> list[str]:
    """best.png and worst.png of the first model, by the headline metric; their names."""
    results, first = finished.results, finished.measured[0]
    metric = tables.headline(results)
    column = first.values[:, first.columns.index(metric)]
    order = np.argsort(badness(metric, column), kind="stable")
    order = order[~np.isnan(column[order])]
    count = min(COUNT, len(order))
    names = []
    for name, chosen in (("best", order[:count]), ("worst", order[::-1][:count])):
        head = (
            f"{first.name}: {name} {count} of {len(order)} by {tables.title(metric, results)[:-2]}"
        )
        cases = [finished.cases.cases[i] for i in chosen]
        values = [tables.number(float(column[i]), metric) for i in chosen]
        _sheet(finished, finished.models[0], cases, values, head).save(folder / f"{name}.png")
        names.append(f"{name}.png")
    if len(finished.models) > 1:
        _through_all(finished, results).save(folder / "models.png")
        names.append("models.png")
    return names


def _painted(model: FillModel, case: Case, pictures: Rendered) -> np.ndarray:
    """The fill, or grey where the model cannot fill."""
    try:
        shown = shown_of(case, pictures)
        return paint(model, pictures.masked, pictures.hole, case.photo.name, shown)
    except UncoverError:
        return np.where(pictures.hole[..., None], 200, pictures.masked).astype(np.uint8)


def _strip(finished: Finished, models: Sequence[FillModel], case: Case) -> np.ndarray:
    """A face side by side: masked, as each model fills it, and hidden."""
    pictures = finished.cases.render(case)
    fills = [_painted(model, case, pictures) for model in models]
    every = (pictures.masked, *fills, pictures.truth)
    size = (SIDE * SCALE, SIDE * SCALE)
    small = [cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in every]
    return tiled(small, columns=len(small))


def _paste(canvas: Canvas, picture: np.ndarray, x: float, y: float) -> None:
    canvas.image.paste(Image.fromarray(picture), (round(x * SCALE), round(y * SCALE)))


def _through_all(finished: Finished, results: dict[str, Any]) -> Canvas:
    """The same faces through all models, a face a row: masked, each model's fill, hidden face.

    Faces are dealt over the values of the first factor, by the photos' content.
    """
    every = sorted(finished.cases.cases, key=lambda case: case.id)
    factor = next(iter(results["factors"]), None)
    groups: dict[str, list[Case]] = {}
    for case in every:
        groups.setdefault(case.labels.get(factor, "") if factor else "", []).append(case)
    dealt = [c for line in zip_longest(*groups.values()) for c in line if c is not None]
    cases = dealt[:COUNT]
    for model in finished.models:
        begin(model, cases, finished.cases)
    names = ["masked", *(model.name for model in finished.models), "hidden face"]
    canvas = Canvas(24 + SIDE * len(names) + 110, 70 + SIDE * len(cases))
    canvas.text(12, 20, f"The same faces through all models. {GUESS}", 12)
    for k, name in enumerate(names):
        canvas.text(12 + SIDE * (k + 0.5), 50, name[:16], 9, GREY, "mm")
    for i, case in enumerate(cases):
        _paste(canvas, _strip(finished, finished.models, case), 12, 62 + i * SIDE)
        labels = [case.labels[f] for f in results["factors"] if f in case.labels]
        for line, label in enumerate(labels[:4]):
            canvas.text(18 + SIDE * len(names), 76 + SIDE * i + 14 * line, label, 10)
    return canvas


def _sheet(
    finished: Finished, model: FillModel, cases: list[Case], values: list[str], head: str
) -> Canvas:
    begin(model, cases, finished.cases)
    tile_w, tile_h = 3 * SIDE + 18, SIDE + 30
    rows = -(-len(cases) // ACROSS)
    canvas = Canvas(ACROSS * tile_w + 18, 74 + rows * tile_h)
    canvas.text(12, 20, head, 14)
    canvas.text(12, 42, f"masked, painted, hidden face. {GUESS}", 11, GREY)
    for i, (case, value) in enumerate(zip(cases, values, strict=True)):
        x, y = 12 + (i % ACROSS) * tile_w, 62 + (i // ACROSS) * tile_h
        _paste(canvas, _strip(finished, [model], case), x, y)
        labels = [case.labels[f] for f in finished.results["factors"] if f in case.labels]
        canvas.text(x, y + SIDE + 11, "  ".join([value, *labels]), 11)
    return canvas
