"""The charts of a run: heat maps over two factors, values with intervals, and gaps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmark.metrics import HIGHER_IS_BETTER
from benchmark.numbers import MIN_PHOTOS
from benchmark.report import tables
from benchmark.report.canvas import COLOURS, FAINT, GREY, INK, Canvas, ink_on, shade, text_width

CELL_W, CELL_H, PANELS = 96, 44, 3
CHART_W = 460

Results = dict[str, Any]


def draw_all(folder: Path, results: Results) -> list[str]:
    """Draw what the factors allow into `folder`; the file names, in the order to show them."""
    if not results["factors"]:
        return []
    metrics = [tables.headline(results), "psnr_hole"]
    names = []
    for metric in metrics:
        if len(results["factors"]) >= 2:
            names.append(f"heat-{metric}.png")
            heat_map(results, metric).save(folder / names[-1])
        names.append(f"slices-{metric}.png")
        slice_chart(results, metric).save(folder / names[-1])
        names.append(f"gaps-{metric}.png")
        gap_chart(results, metric).save(folder / names[-1])
    return names


def heat_map(results: Results, metric: str) -> Canvas:
    """Per model a table of the first factor against the second, dark where it works worst.

    All panels share one scale. Cells of fewer than 10 photos are greyed, empty ones say so.
    """
    down, across = results["factors"][:2]
    models = results["models"]
    rows, columns = (_values(results, factor) for factor in (down, across))
    cells = {
        (name, r, c): tables.find(model, {down: r, across: c})
        for name, model in models.items()
        for r in rows
        for c in columns
    }
    solid = [e["metrics"][metric]["value"] for e in cells.values() if e and e["n"] >= MIN_PHOTOS]
    low, high = (min(solid), max(solid)) if solid else (0.0, 1.0)
    left = 24 + max(text_width(r, 12) for r in rows)
    panel_w = left + CELL_W * len(columns) + 20
    panel_h = 72 + CELL_H * len(rows)
    across_panels = min(PANELS, len(models))
    lines = math.ceil(len(models) / across_panels)
    canvas = Canvas(max(panel_w * across_panels, 420), 44 + panel_h * lines + 24)
    head = f"{_metric(metric, results)}: {_title(down, results)} by {_title(across, results)}"
    canvas.text(16, 24, head, 15)
    for i, name in enumerate(models):
        x0 = panel_w * (i % across_panels)
        y0 = 44 + panel_h * (i // across_panels)
        canvas.text(x0 + left, y0 + 16, name, 13)
        for k, column in enumerate(columns):
            x = x0 + left + CELL_W * (k + 0.5)
            canvas.text(x, y0 + 42, column, 12, GREY, "mm")
        for j, row in enumerate(rows):
            y = y0 + 56 + CELL_H * j
            canvas.text(x0 + left - 10, y + CELL_H / 2, row, 12, INK, "rm")
            for k, column in enumerate(columns):
                entry = cells[name, row, column]
                _cell(canvas, x0 + left + CELL_W * k, y, entry, metric, low, high)
    foot = f"dark: worse; grey: under {MIN_PHOTOS} photos"
    canvas.text(16, canvas.image.height / 2 - 14, foot, 11, GREY)
    return canvas


def _cell(
    canvas: Canvas,
    x: float,
    y: float,
    entry: dict[str, Any] | None,
    metric: str,
    low: float,
    high: float,
) -> None:
    value = entry["metrics"][metric]["value"] if entry else None
    if entry is None or value is None:
        canvas.box(x + 1, y + 1, x + CELL_W - 1, y + CELL_H - 1, (246, 246, 247))
        canvas.text(x + CELL_W / 2, y + CELL_H / 2, "no photos", 10, GREY, "mm")
        return
    fill, ink = FAINT, GREY
    if entry["n"] >= MIN_PHOTOS:
        badness = (value - low) / (high - low) if high > low else 0.0
        fill = shade(1 - badness if HIGHER_IS_BETTER[metric] else badness)
        ink = ink_on(fill)
    canvas.box(x + 1, y + 1, x + CELL_W - 1, y + CELL_H - 1, fill)
    canvas.text(x + CELL_W / 2, y + 17, tables.number(value, metric), 14, ink, "mm")
    canvas.text(x + CELL_W / 2, y + 33, f"n = {entry['n']}", 10, ink, "mm")


def slice_chart(results: Results, metric: str) -> Canvas:
    """Every value of every factor: each model's mean with its 95 % interval."""
    models = results["models"]
    groups = []
    for factor in results["factors"]:
        for value in _values(results, factor):
            entries = [tables.find(model, {factor: value}) for model in models.values()]
            if entries[0] and entries[0]["n"]:
                label = f"{value} (n = {entries[0]['n']})"
                groups.append((factor, label, [e["metrics"][metric] for e in entries if e]))
    step = 11 * len(models) + 12
    factors = list(dict.fromkeys(factor for factor, _, _ in groups))
    left = 28 + max([text_width(label, 12) for _, label, _ in groups], default=80)
    height = 84 + step * len(groups) + 30 * len(factors) + 30
    canvas = Canvas(left + CHART_W + 40, height)
    canvas.text(16, 24, f"{_metric(metric, results)}, mean and 95 % interval", 15)
    _legend(canvas, 16, 50, list(models))
    entries = [e for _, _, group in groups for e in group]
    axis = _Axis([v for e in entries for v in (e["value"], e["low"], e["high"])], left)
    y = 76.0
    top, shown = y, None
    for factor, label, group in groups:
        if factor != shown:
            y += 24
            canvas.text(16, y - 6, _title(factor, results), 12, GREY)
            y += 6
            shown = factor
        canvas.text(left - 10, y + step / 2 - 4, label, 12, INK, "rm")
        for i, entry in enumerate(group):
            _whisker(canvas, axis, y + 6 + 11 * i, entry, "value", COLOURS[i % len(COLOURS)])
        y += step
    axis.draw(canvas, top, y, metric)
    return canvas


def gap_chart(results: Results, metric: str) -> Canvas:
    """Worst minus best of each factor and model, with its interval and what chance gives."""
    rows = [
        (factor, name, model["gaps"][factor][metric])
        for factor in results["factors"]
        for name, model in results["models"].items()
    ]
    names = list(results["models"])
    labels = {f: _title(f, results) for f, _, _ in rows}
    texts = [f"{name}: {_ends(gap)}" for _, name, gap in rows]
    left = 36 + max(text_width(text, 12) for text in texts)
    height = 60 + 24 * len(rows) + 34 * len(labels) + 60
    canvas = Canvas(left + CHART_W + 40, height)
    canvas.text(16, 24, f"Worst minus best value, {_metric(metric, results)}", 15)
    numbers = [v for _, _, g in rows for v in (g["gap"], g["low"], g["high"], g.get("by_chance"))]
    axis = _Axis([*numbers, 0.0], left)
    y, top, shown = 44.0, 44.0, None
    for (factor, name, gap), text in zip(rows, texts, strict=True):
        if factor != shown:
            y += 26
            canvas.text(16, y - 6, labels[factor], 12, GREY)
            y += 8
            shown = factor
        canvas.text(left - 10, y + 10, text, 12, INK, "rm")
        colour = COLOURS[names.index(name) % len(COLOURS)]
        if gap["gap"] is not None:
            canvas.box(axis.x(0), y + 4, axis.x(gap["gap"]), y + 16, (232, 232, 236))
            _whisker(canvas, axis, y + 10, gap, "gap", colour)
            if gap.get("by_chance") is not None:
                x = axis.x(gap["by_chance"])
                canvas.line(x, y + 1, x, y + 19, GREY, 1.5)
        y += 24
    axis.draw(canvas, top + 20, y + 4, metric)
    foot = "grey mark: with labels dealt out at random, 95 of 100 gaps stay below it"
    canvas.text(16, y + 46, foot, 11, GREY)
    return canvas


class _Axis:
    """A horizontal scale that spans the given numbers, with round ticks."""

    def __init__(self, numbers: Sequence[float | None], left: float) -> None:
        known = [n for n in numbers if n is not None] or [0.0, 1.0]
        low, high = min(known), max(known)
        spread = (high - low) or abs(high) or 1.0
        low, high = (low if low == 0 else low - 0.04 * spread), high + 0.04 * spread
        rough = (high - low) / 6
        power = 10 ** math.floor(math.log10(rough))
        self.step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough)
        self.low, self.high, self.left = low, high, left

    def x(self, value: float) -> float:
        return self.left + CHART_W * (value - self.low) / (self.high - self.low)

    def draw(self, canvas: Canvas, top: float, bottom: float, metric: str) -> None:
        """Ticks below, on a fine baseline."""
        canvas.line(self.left, bottom, self.left + CHART_W, bottom, GREY, 0.5)
        digits = next(d for d in range(12) if abs(round(self.step, d) - self.step) < 1e-9)
        tick = math.ceil(self.low / self.step) * self.step
        while tick <= self.high:
            canvas.line(self.x(tick), bottom, self.x(tick), bottom + 4, GREY, 0.5)
            canvas.text(self.x(tick), bottom + 14, f"{tick + 0.0:.{digits}f}", 11, GREY, "mm")
            tick += self.step


def _whisker(
    canvas: Canvas,
    axis: _Axis,
    y: float,
    entry: dict[str, Any],
    key: str,
    colour: tuple[int, int, int],
) -> None:
    if entry[key] is None:
        return
    if entry["low"] is not None:
        canvas.line(axis.x(entry["low"]), y, axis.x(entry["high"]), y, colour, 2)
    canvas.dot(axis.x(entry[key]), y, 4, colour)


def _legend(canvas: Canvas, x: float, y: float, names: Sequence[str]) -> None:
    for i, name in enumerate(names):
        canvas.dot(x + 5, y, 4.5, COLOURS[i % len(COLOURS)])
        canvas.text(x + 15, y, name, 12)
        x += 34 + text_width(name, 12)


def _ends(gap: dict[str, Any]) -> str:
    return f"{gap['worst']} against {gap['best']}" if gap["gap"] is not None else "too few"


def _values(results: Results, factor: str) -> list[str]:
    first = next(iter(results["models"].values()))
    fixed = [
        entry["slice"][factor]
        for entry in first["slices"]
        if [f for f, v in entry["slice"].items() if v != "all"] == [factor]
    ]
    return list(fixed)


def _metric(metric: str, results: Results) -> str:
    """A metric's title in letters that the charts' font has."""
    title = tables.title(metric, results)
    return title.replace("↑", "(higher is better)").replace("↓", "(lower is better)")


def _title(factor: str, results: Results) -> str:
    if factor == "pose":
        return "estimated |yaw|, degrees"
    if factor in results["data"]["perceived"]:
        return f"perceived {factor}"
    return factor.replace("_", " ")
