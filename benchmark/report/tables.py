"""Numbers as text: the Markdown tables of report, README and model card."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from benchmark.metrics import HIGHER_IS_BETTER, SET_LEVEL
from benchmark.metrics.features import label

DIGITS = {
    "ssim": 3,
    "ssim_hole": 3,
    "psnr": 1,
    "psnr_hole": 1,
    "lpips": 3,
    "identity_distance": 2,
    "fid": 1,
    "kid": 4,
}
_TRAINING = {
    "images": "images seen",
    "minutes": "minutes",
    "photos": "photos",
    "components": "components",
}
UNITS = {"psnr": "dB", "psnr_hole": "dB"}

Results = dict[str, Any]


def present(results: Results) -> list[str]:
    """The metrics that a run measured, in the order they are shown."""
    first = next(iter(results["models"].values()))
    measured = first["slices"][0]["metrics"]
    return [metric for metric in HIGHER_IS_BETTER if metric in measured]


def headline(results: Results) -> str:
    """The metric that figures and rankings use."""
    return "lpips" if "lpips" in present(results) else "ssim_hole"


def title(metric: str, results: Results) -> str:
    """What a report calls a metric, network and direction included."""
    names = {
        "ssim": "SSIM whole",
        "ssim_hole": "SSIM hole",
        "psnr": "PSNR whole",
        "psnr_hole": "PSNR hole",
        "lpips": f"LPIPS ({results['lpips_net']})",
        "identity_distance": "identity distance",
    }
    name = label(metric, results["features"]) if metric in SET_LEVEL else names[metric]
    unit = f", {UNITS[metric]}" if metric in UNITS else ""
    return f"{name}{unit} {'↑' if HIGHER_IS_BETTER[metric] else '↓'}"


def number(value: float | None, metric: str) -> str:
    """A value with the digits of its metric; a dash for none."""
    if value is None:
        return "–"
    # Kernel distances depend on the features' scale: thousandths for some, tens for others.
    digits = 1 if metric == "kid" and abs(value) >= 1 else DIGITS[metric]
    return f"{value:.{digits}f}"


def cell(entry: dict[str, Any], metric: str) -> str:
    """value [low, high], or why there is none."""
    if entry["value"] is None:
        return str(entry.get("note", "–"))
    text = number(entry["value"], metric)
    if entry["low"] is None:
        return text
    return f"{text} [{number(entry['low'], metric)}, {number(entry['high'], metric)}]"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, the first column flush left."""
    lines = [header, ["---", *["--:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def find(model: dict[str, Any], values: dict[str, str]) -> dict[str, Any] | None:
    """A model's slice with these values; all other factors at "all"."""
    for entry in model["slices"]:
        wanted = {factor: values.get(factor, "all") for factor in entry["slice"]}
        if entry["slice"] == wanted:
            return entry
    return None


def overall(results: Results) -> str:
    """Models x metrics over all photos."""
    metrics = present(results)
    rows = []
    for name, model in results["models"].items():
        entry = model["slices"][0]
        rows.append([name, str(entry["n"]), *(cell(entry["metrics"][m], m) for m in metrics)])
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
    first = next(iter(results["models"].values()))
    singles = [s for s in first["slices"] if _fixed(s) == [factor]]
    header = ["model", *(f"{s['slice'][factor]} (n={s['n']})" for s in singles)]
    rows = []
    for name, model in results["models"].items():
        entries = [find(model, {factor: s["slice"][factor]}) for s in singles]
        rows.append([name, *(cell(e["metrics"][metric], metric) for e in entries if e)])
    return table(header, rows)


def crossing(results: Results, name: str, factors: Sequence[str], metric: str) -> str:
    """One model: values of the first factor x values of the second, one metric."""
    model = results["models"][name]
    across = [s["slice"][factors[1]] for s in model["slices"] if _fixed(s) == [factors[1]]]
    down = [s["slice"][factors[0]] for s in model["slices"] if _fixed(s) == [factors[0]]]
    rows = []
    for first in ["all", *down]:
        row = [first]
        for second in ["all", *across]:
            entry = find(model, {factors[0]: first, factors[1]: second})
            row.append(f"{cell(entry['metrics'][metric], metric)} n={entry['n']}" if entry else "")
        rows.append(row)
    return table([f"{factors[0]} \\ {factors[1]}", "all", *across], rows)


def gap_rows(results: Results, metrics: Sequence[str]) -> str:
    """Factor x model: worst minus best."""
    rows = []
    for factor in results["factors"]:
        for name, model in results["models"].items():
            for metric in metrics:
                gap = model["gaps"][factor].get(metric)
                if gap is None:
                    continue
                if gap["gap"] is None:
                    rows.append([factor, name, title(metric, results), "too few", "", "", ""])
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
        name = ", ".join(f"{f}={v}" for f, v in row["slice"].items() if v != "all") or "all"
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


def _fixed(entry: dict[str, Any]) -> list[str]:
    return [factor for factor, value in entry["slice"].items() if value != "all"]
