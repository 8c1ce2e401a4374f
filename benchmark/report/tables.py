"""Numbers as text: the Markdown tables of report, README and model card."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from benchmark.features import label
from uncover.scores import METRICS, TOO_FEW, cell, fixed, number, part_of

_TRAINING = {
    "images": "images seen",
    "minutes": "minutes",
    "photos": "photos",
    "components": "components",
}

Results = dict[str, Any]


def present(results: Results) -> list[str]:
    """The metrics that a run measured, in the order they are shown."""
    found: set[str] = set()
    for model in results["models"].values():
        for entry in model["slices"]:
            for metric, value in entry["metrics"].items():
                if value["value"] is not None or value.get("note") == TOO_FEW:
                    found.add(metric)
    return [metric for metric in METRICS if metric in found]


def headline(results: Results) -> str:
    """The metric that figures and rankings use."""
    return "lpips" if "lpips" in present(results) else "ssim_hole"


def name_of(metric: str, results: Results) -> str:
    """What a report calls a metric, with its network and unit."""
    known = METRICS[metric]
    name = known.title
    if known.network == "features":
        name = label(name, results["features"])
    elif known.network:
        name = f"{name} ({results[known.network]})"
    return f"{name}, {known.unit}" if known.unit else name


def title(metric: str, results: Results) -> str:
    """The same with its direction."""
    return f"{name_of(metric, results)} {METRICS[metric].mark}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, the first column flush left."""
    lines = [header, ["---", *["--:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def photos(data: dict[str, Any]) -> str:
    """Such as "2,061 of 2,100 photos": how many were measured, and of how many."""
    every = data.get("photos", data["n"])
    return f"{data['n']:,} of {every:,} photos" if every != data["n"] else f"{every:,} photos"


def overall(results: Results) -> str:
    """Models x metrics over all photos."""
    metrics = present(results)
    rows = []
    for name, model in results["models"].items():
        entry = model["slices"][0]
        rows.append([name, str(entry["n"]), *(_cell_of(entry, m) for m in metrics)])
    return table(["model", "n", *(title(m, results) for m in metrics)], rows)


def training_lines(results: Results) -> str:
    """What each learned model saw in training, a line each."""
    lines = []
    for name, model in results["models"].items():
        facts = model.get("training") or {}
        known = [
            f"{facts[k]:,.0f} {word}" for k, word in _TRAINING.items() if _number(facts.get(k))
        ]
        if known:
            lines.append(f"- {name} was trained on {', '.join(known)}")
        if "kept" in model:
            lines.append(f"- {name} was measured earlier, at {model['kept']['git'][:12]}")
    return "\n".join(lines) + "\n" if lines else ""


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def by_factor(results: Results, factor: str, metric: str) -> str:
    """Models x the values of a factor, one metric."""
    return table(*factor_rows(results, factor, metric))


def factor_rows(results: Results, factor: str, metric: str) -> tuple[list[str], list[list[str]]]:
    """The same as a header and rows of text."""
    first = next(iter(results["models"].values()))
    singles = [s for s in first["slices"] if list(fixed(s)) == [factor]]
    header = ["model", *(f"{s['slice'][factor]} (n={s['n']})" for s in singles)]
    rows = []
    for name, model in results["models"].items():
        entries = [part_of(model["slices"], {factor: s["slice"][factor]}) for s in singles]
        rows.append([name, *(_cell_of(entry, metric) for entry in entries if entry)])
    return header, rows


def _cell_of(entry: dict[str, Any], metric: str) -> str:
    found = entry["metrics"].get(metric)
    return cell(found, metric) if found else "–"


def crossing(results: Results, name: str, factors: Sequence[str], metric: str) -> str:
    """One model: values of the first factor x values of the second, one metric."""
    model = results["models"][name]
    across = [s["slice"][factors[1]] for s in model["slices"] if list(fixed(s)) == [factors[1]]]
    down = [s["slice"][factors[0]] for s in model["slices"] if list(fixed(s)) == [factors[0]]]
    rows = []
    for first in ["all", *down]:
        row = [first]
        for second in ["all", *across]:
            entry = part_of(model["slices"], {factors[0]: first, factors[1]: second})
            row.append(_crossed(entry, metric) if entry else "")
        rows.append(row)
    return table([f"{factors[0]} \\ {factors[1]}", "all", *across], rows)


def _crossed(entry: dict[str, Any], metric: str) -> str:
    share = entry["metrics"].get("coverage", {}).get("value")
    covered = f" cov={share:.2f}" if share is not None else ""
    return f"{_cell_of(entry, metric)} n={entry['n']}{covered}"


def gap_rows(results: Results, metrics: Sequence[str]) -> str:
    """Factor x model: worst minus best."""
    rows = []
    for factor in results["factors"]:
        for name, model in results["models"].items():
            for metric in metrics:
                gap = model["gaps"].get(factor, {}).get(metric)
                if gap is None:
                    continue
                if gap["gap"] is None:
                    rows.append([factor, name, title(metric, results), TOO_FEW, "", "", ""])
                    continue
                text = cell({**gap, "value": gap["gap"]}, metric)
                chance = number(gap.get("by_chance"), metric)
                rows.append(
                    [factor, name, title(metric, results), gap["worst"], gap["best"], text, chance]
                )
    header = ["factor", "model", "metric", "worst", "best", "gap [95 %]", "by chance below"]
    return table(header, rows)


def comparison_rows(rows: Iterable[dict[str, Any]], metric: str, results: Results) -> str:
    """Paired comparisons, one metric."""
    lines = []
    for row in rows:
        entry = row["metrics"].get(metric)
        if entry is None:
            continue
        name = ", ".join(f"{f}={v}" for f, v in fixed(row).items()) or "all"
        difference = cell({**entry, "value": entry["difference"]}, metric)
        lines.append([row["a"], row["b"], name, str(row["n"]), difference, share(entry)])
    header = ["A", "B", "slice", "n", f"A − B, {title(metric, results)}", "A better on"]
    return table(header, lines)


def share(entry: dict[str, Any]) -> str:
    """The share of photos a model wins, with its interval."""
    text = f"{100 * entry['wins']:.0f} %"
    if entry["wins_low"] is None:
        return text
    return f"{text} [{100 * entry['wins_low']:.0f}, {100 * entry['wins_high']:.0f}]"
