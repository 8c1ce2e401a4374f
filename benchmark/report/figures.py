"""The charts of a run: heat maps over two factors, values with intervals, and gaps.

Each is written as PNG for reading, SVG and PDF for printing, with text as text.
"""

from __future__ import annotations

import io
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.numbers import MIN_PHOTOS
from benchmark.report import tables
from benchmark.report.canvas import COLOURS
from uncover.atomic import write_atomically
from uncover.scores import METRICS, TOO_FEW, badness, fixed, part_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")
PANELS = 2
CELL = (1.25, 0.62)  # inches
_GREY, _FAINT = "#707078", "#e6e6ea"

Results = dict[str, Any]


def draw_all(folder: Path, results: Results) -> list[str]:
    """Draw what the factors allow into `folder`; the PNGs' names, in the order to show them."""
    if not results["factors"]:
        return []
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        print("note: no charts without matplotlib: pip install matplotlib", file=sys.stderr)
        return []
    names = []
    for metric in charted(results):
        charts = {"slices": slice_chart, "gaps": gap_chart}
        if len(results["factors"]) >= 2:
            charts = {"heat": heat_map, **charts}
        for kind, draw in charts.items():
            if kind == "gaps" and not has_gaps(results, metric):
                continue
            names.append(f"{kind}-{metric}.png")
            save(draw(results, metric), folder / f"{kind}-{metric}")
    return names


def charted(results: Results) -> list[str]:
    """The metrics that get charts: the headline, what sees a blur, and who is left out."""
    wanted = (tables.headline(results), "psnr_hole", "c2st", "sharpness", "edge", "mouth")
    there = tables.present(results)
    return [m for m in dict.fromkeys((*wanted, "coverage")) if m in there]


def save(figure: Figure, path: Path) -> None:
    """Write a figure in every format; the same numbers give the same bytes."""
    import matplotlib

    told: dict[str, dict[str, Any]] = {
        "png": {"metadata": {"Software": None}, "dpi": 150},
        "svg": {"metadata": {"Date": None}},
        "pdf": {"metadata": {"CreationDate": None, "ModDate": None}},
    }
    with matplotlib.rc_context({"svg.hashsalt": path.name, "svg.fonttype": "none"}):
        for form in FORMATS:
            buffer = io.BytesIO()
            figure.savefig(buffer, format=form, **told[form])
            write_atomically(path.with_suffix(f".{form}"), buffer.getvalue())


def heat_map(results: Results, metric: str) -> Figure:
    """Per model a table of the first factor against the second, dark where it works worst.

    All panels share one scale of colours, shown beside them. Each cell has value, interval, n and
    coverage; cells of fewer than 10 photos are grey, empty ones say so.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    down, across = results["factors"][:2]
    models = results["models"]
    rows, columns = (_values(results, factor) for factor in (down, across))
    entries = {
        (name, r, c): part_of(model["slices"], {down: r, across: c})
        for name, model in models.items()
        for r in rows
        for c in columns
    }
    solid = [
        float(badness(metric, e["metrics"][metric]["value"]))
        for e in entries.values()
        if e and e["n"] >= MIN_PHOTOS and e["metrics"][metric]["value"] is not None
    ]
    low, high = (min(solid), max(solid)) if solid else (0.0, 1.0)
    scale = ScalarMappable(Normalize(low, high if high > low else low + 1), "YlOrRd")
    wide = min(PANELS, len(models))
    tall = math.ceil(len(models) / wide)
    size = (
        wide * (CELL[0] * len(columns) + 1.6) + 1.2,
        tall * (CELL[1] * len(rows) + 0.9) + 0.9,
    )
    figure, axes = _figure(size, tall, wide)
    figure.suptitle(
        f"{_metric(metric, results)}: {_title(down, results)} by {_title(across, results)}",
        fontsize=12,
    )
    for ax, (name, _) in zip(axes, models.items(), strict=False):
        ax.set_title(name, fontsize=11)
        ax.set_xlim(0, len(columns))
        ax.set_ylim(len(rows), 0)
        ax.set_xticks([k + 0.5 for k in range(len(columns))], columns, fontsize=9)
        ax.set_yticks([k + 0.5 for k in range(len(rows))], rows, fontsize=9)
        ax.tick_params(length=0)
        for side in ax.spines.values():
            side.set_visible(False)
        for j, row in enumerate(rows):
            for k, column in enumerate(columns):
                _cell(ax, k, j, entries[name, row, column], metric, scale)
    for ax in axes[len(models) :]:
        ax.set_visible(False)
    bar = figure.colorbar(scale, ax=list(axes), fraction=0.025, pad=0.02)
    # Ticks beyond the colours would stretch the bar by white ends.
    ticks = [t for t in bar.get_ticks() if scale.norm.vmin <= t <= scale.norm.vmax]
    bar.set_ticks(ticks, labels=[_tick(metric, t) for t in ticks])
    bar.ax.set_title("worse", fontsize=9)
    bar.ax.tick_params(labelsize=8)
    told = f"grey: under {MIN_PHOTOS} photos; cov: share scored"
    figure.supxlabel(told, fontsize=8, x=0.01, horizontalalignment="left")
    return figure


def _tick(metric: str, bad: float) -> str:
    aim = METRICS[metric].aim
    value = -bad if aim == "high" else bad
    text = tables.number(value + 0.0, metric)
    return f"1 ± {text}" if aim == "one" else text


def _cell(ax: Any, x: int, y: int, entry: dict[str, Any] | None, metric: str, scale: Any) -> None:
    from matplotlib.patches import Rectangle

    found = entry["metrics"][metric] if entry else None
    if entry is None or found is None or found["value"] is None:
        why = found.get("note", "") if found and entry and entry["n"] else "no photos"
        ax.add_patch(Rectangle((x + 0.02, y + 0.03), 0.96, 0.94, color="#f6f6f7"))
        text = why if len(why) < 12 else "–"
        ax.text(x + 0.5, y + 0.5, text, ha="center", va="center", fontsize=7, color=_GREY)
        return
    fill: Any = _FAINT
    ink = _GREY
    if entry["n"] >= MIN_PHOTOS:
        fill = scale.to_rgba(float(badness(metric, found["value"])))
        light = 0.299 * fill[0] + 0.587 * fill[1] + 0.114 * fill[2]
        ink = "#222226" if light > 0.55 else "white"
    ax.add_patch(Rectangle((x + 0.02, y + 0.03), 0.96, 0.94, color=fill))
    numbers = [tables.number(found["value"], metric)]
    if found["low"] is not None:
        low, high = (tables.number(found[k], metric) for k in ("low", "high"))
        numbers.append(f"[{low}, {high}]")
    share = entry["metrics"].get("coverage", {}).get("value")
    numbers.append(f"n={entry['n']}" + (f" cov {share:.2f}" if share is not None else ""))
    for place, (text, points) in enumerate(zip(numbers, (9.5, 6.5, 6.5), strict=False)):
        height = y + 0.27 + 0.27 * place
        ax.text(x + 0.5, height, text, ha="center", va="center", fontsize=points, color=ink)


def slice_chart(results: Results, metric: str) -> Figure:
    """Every value of every factor: each model's value with its 95 % interval."""
    models = results["models"]
    groups: list[tuple[str, list[dict[str, Any]]]] = []
    for factor in results["factors"]:
        for value in _values(results, factor):
            found = [part_of(model["slices"], {factor: value}) for model in models.values()]
            first = found[0]
            if first and first["n"]:
                label = f"{_title(factor, results)} {value} (n={first['n']})"
                groups.append((label, [e["metrics"][metric] for e in found if e]))
    step = 0.16 * len(models) + 0.18
    figure, (ax,) = _figure((8.0, 1.4 + step * max(1, len(groups))), 1, 1)
    figure.suptitle(f"{_metric(metric, results)}, with 95 % intervals", fontsize=12)
    for place, (_, entries) in enumerate(groups):
        for i, entry in enumerate(entries):
            if entry["value"] is not None:
                y = place + (i + 0.5) / len(models) * 0.8 - 0.4
                _whisker(ax, y, entry, "value", _colour(i))
    ax.set_yticks(range(len(groups)), [label for label, _ in groups], fontsize=9)
    ax.set_ylim(len(groups) - 0.4, -0.6)
    _plain(ax)
    _legend(figure, list(models))
    return figure


def gap_chart(results: Results, metric: str) -> Figure:
    """Worst minus best of each factor and model, with its interval and what chance gives."""
    rows = [
        (factor, name, model["gaps"].get(factor, {}).get(metric))
        for factor in results["factors"]
        for name, model in results["models"].items()
    ]
    names = list(results["models"])
    figure, (ax,) = _figure((8.0, 1.5 + 0.3 * len(rows)), 1, 1)
    figure.suptitle(f"Worst minus best value, {_metric(metric, results)}", fontsize=12)
    labels = []
    for y, (factor, name, gap) in enumerate(rows):
        ends = f"{gap['worst']} against {gap['best']}" if gap and gap["gap"] is not None else ""
        labels.append(f"{factor}, {name}: {ends or TOO_FEW}")
        if not gap or gap["gap"] is None:
            continue
        ax.barh(y, gap["gap"], 0.6, color=_FAINT)
        _whisker(ax, y, gap, "gap", _colour(names.index(name)))
        if gap.get("by_chance") is not None:
            ax.plot([gap["by_chance"]] * 2, [y - 0.4, y + 0.4], color=_GREY, lw=1.5)
    ax.set_yticks(range(len(rows)), labels, fontsize=9)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.axvline(0, color=_GREY, lw=0.5)
    _plain(ax)
    ax.set_xlabel(
        "grey mark: with labels dealt out at random, 95 of 100 gaps stay below it", fontsize=8
    )
    return figure


def has_gaps(results: Results, metric: str) -> bool:
    """Whether any model has a gap under a metric."""
    found = (
        model["gaps"].get(factor, {}).get(metric)
        for factor in results["factors"]
        for model in results["models"].values()
    )
    return any(gap and gap["gap"] is not None for gap in found)


def _figure(size: tuple[float, float], rows: int, columns: int) -> tuple[Figure, list[Any]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    return figure, [ax for line in axes for ax in line]


def _whisker(ax: Any, y: float, entry: dict[str, Any], key: str, colour: str) -> None:
    if entry["low"] is not None:
        ax.plot([entry["low"], entry["high"]], [y, y], color=colour, lw=1.6)
    ax.plot([entry[key]], [y], "o", color=colour, ms=4.5, mec="white", mew=0.7)


def _legend(figure: Figure, names: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    marks = [Line2D([], [], marker="o", ls="", color=_colour(i)) for i in range(len(names))]
    figure.legend(marks, names, loc="outside lower center", ncols=4, fontsize=9, frameon=False)


def _colour(index: int) -> str:
    red, green, blue = COLOURS[index % len(COLOURS)]
    return f"#{red:02x}{green:02x}{blue:02x}"


def _plain(ax: Any) -> None:
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.tick_params(axis="x", labelsize=8)
    ax.grid(axis="x", color=_FAINT, lw=0.6)
    ax.set_axisbelow(True)


def _values(results: Results, factor: str) -> list[str]:
    first = next(iter(results["models"].values()))
    return [entry["slice"][factor] for entry in first["slices"] if list(fixed(entry)) == [factor]]


def _metric(metric: str, results: Results) -> str:
    """A metric's title with its direction in words."""
    return f"{tables.name_of(metric, results)} ({METRICS[metric].words})"


def _title(factor: str, results: Results) -> str:
    if factor == "pose":
        return "estimated |yaw|, degrees"
    if factor in results["data"]["perceived"]:
        return f"perceived {factor}"
    return factor.replace("_", " ")
