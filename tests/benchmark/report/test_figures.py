"""Charts: the dark cell of a heat map is the slice where a model works worst."""

from __future__ import annotations

import pytest

from benchmark.report import figures
from benchmark.report.canvas import SCALE, Canvas


def brightness(value: float, metric: str, n: int = 50) -> int:
    """Of the fill that the cell of a value gets on a scale from .2 to .8, at its corner."""
    canvas = Canvas(figures.CELL_W, figures.CELL_H)
    entry = {"n": n, "metrics": {metric: {"value": value}}}
    figures._cell(canvas, 0, 0, entry, metric, 0.2, 0.8)
    return sum(canvas.image.getpixel((3 * SCALE, 3 * SCALE)))


@pytest.mark.parametrize(
    ("metric", "worst", "best"), [("lpips", 0.8, 0.2), ("psnr_hole", 0.2, 0.8), ("kid", 0.8, 0.2)]
)
def test_the_worst_cell_is_the_darkest(metric: str, worst: float, best: float) -> None:
    assert brightness(worst, metric) < brightness(0.5, metric) < brightness(best, metric)


def test_too_few_photos_are_grey_whatever_they_score() -> None:
    assert brightness(0.2, "lpips", n=3) == brightness(0.8, "lpips", n=3)
