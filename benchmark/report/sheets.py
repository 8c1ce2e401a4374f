"""Contact sheets of the best and the worst twenty fills. They show faces: keep them private."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

from benchmark.metrics import HIGHER_IS_BETTER
from benchmark.models import FillModel, paint
from benchmark.photos import Case
from benchmark.report import tables
from benchmark.report.canvas import GREY, SCALE, Canvas
from benchmark.report.report import GUESS

if TYPE_CHECKING:
    from benchmark.run import Finished

COUNT, ACROSS, SIDE = 20, 4, 84


def draw_sheets(folder: Path, finished: Finished) -> list[str]:
    """best.png and worst.png of the first model, by the headline metric; their names."""
    results, first = finished.results, finished.measured[0]
    metric = tables.headline(results)
    column = first.values[:, first.columns.index(metric)]
    order = np.argsort(-column if HIGHER_IS_BETTER[metric] else column, kind="stable")
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
    return names


def _sheet(
    finished: Finished, model: FillModel, cases: list[Case], values: list[str], head: str
) -> Canvas:
    tile_w, tile_h = 3 * SIDE + 18, SIDE + 30
    rows = -(-len(cases) // ACROSS)
    canvas = Canvas(ACROSS * tile_w + 18, 74 + rows * tile_h)
    canvas.text(12, 20, head, 14)
    canvas.text(12, 42, f"masked, painted, hidden face. {GUESS}", 11, GREY)
    for i, (case, value) in enumerate(zip(cases, values, strict=True)):
        x, y = 12 + (i % ACROSS) * tile_w, 62 + (i // ACROSS) * tile_h
        pictures = finished.cases.render(case)
        fill = paint(model, pictures.masked, pictures.hole, case.photo.name)
        for k, picture in enumerate((pictures.masked, fill, pictures.truth)):
            side = SIDE * SCALE
            small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
            canvas.image.paste(Image.fromarray(small), ((x + k * SIDE) * SCALE, y * SCALE))
        labels = [case.labels[f] for f in finished.results["factors"] if f in case.labels]
        canvas.text(x, y + SIDE + 11, "  ".join([value, *labels]), 11)
    return canvas
