"""`python -m tests.readme_table`: the small tables of README.md anew, from results.json."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TABLES = {"short": "weights/results.json", "beside": "docs/results-utkface.json"}
"""Name of each table's marks in README.md -> the results that it shows."""
METRICS = {
    "psnr_hole": ("PSNR in the hole, dB ↑", ".1f", lambda value: -value),
    "c2st": ("told from photos, AUC (.5 is best) ↓", ".2f", lambda value: value),
    "sharpness": ("sharpness (1 is the photo's)", ".2f", lambda value: abs(value - 1)),
    "kid": ("KID ↓", ".2g", lambda value: value),
}
"""Metric -> its title, how it is written, and what is the smaller the better."""
NAMES = {"telea": "Telea", "mean-face": "average face", "pca": "PCA", "seed": "original's model"}


def short_table(results: dict[str, Any], own: str = "uncover") -> str:
    """Ours, and the best of the others for each metric, as Markdown with a line on the data."""
    wholes = {name: _whole(model) for name, model in results["models"].items()}
    data, ours = results["data"], wholes[own]
    titles, mine, best = [""], ["uncover"], ["best of the others"]
    for metric, (title, written, badness) in METRICS.items():
        values = {name: _value(whole, metric) for name, whole in wholes.items()}
        if values[own] is None:
            continue
        others = {n: v for n, v in values.items() if n != own and v is not None}
        name = min(others, key=lambda one: badness(others[one]), default=None)
        titles.append(title)
        mine.append(f"**{values[own]:{written}}**")
        said = "–" if name is None else f"{others[name]:{written}} ({NAMES.get(name, name)})"
        best.append(said)
    titles.append("photos scored")
    left_out = sum((data.get("left_out") or {}).values())
    share = _value(ours, "coverage")
    share = ours["n"] / (ours["n"] + left_out) if share is None else share
    mine.append(f"**{share:.1%}**")
    best.append("the same")
    rows = [titles, ["---", *["--:"] * (len(titles) - 1)], mine, best]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    data_set = f"On {ours['n']} photos of {data['name']} ({data['split']})"
    words = f"{data_set}, with masks drawn on bare faces. {_gap(results['models'][own])}"
    return f"{table}\n\n{words.strip()}\n"


def _gap(model: dict[str, Any]) -> str:
    """For whom it works best and worst."""
    gap = model.get("gaps", {}).get("ethnicity", {}).get("lpips")
    groups = {
        s["slice"]["ethnicity"]: s["metrics"]["lpips"]["value"]
        for s in model["slices"]
        if s["slice"].get("pose") == "all" and s["metrics"].get("lpips", {}).get("value")
    }
    if not gap or "all" not in groups:
        return ""
    share = gap["gap"] / groups["all"]
    return (
        f"By the data set's labels it works best for “{gap['best']}” (LPIPS "
        f"{groups[gap['best']]:.3f}, lower is better) and worst for “{gap['worst']}” "
        f"({groups[gap['worst']]:.3f}): {share:.0%} apart."
    )


def _whole(model: dict[str, Any]) -> dict[str, Any]:
    return next(s for s in model["slices"] if set(s["slice"].values()) == {"all"})


def _value(whole: dict[str, Any], metric: str) -> float | None:
    return whole["metrics"].get(metric, {}).get("value")


def marks(name: str) -> tuple[str, str]:
    """What stands before and after a table of README.md."""
    return f"<!-- {name}:start -->\n", f"<!-- {name}:end -->"


def table_of(name: str) -> str:
    """A table of `TABLES`, as it should stand in README.md."""
    return short_table(json.loads((ROOT / TABLES[name]).read_text("utf-8")))


def main() -> int:
    """Write the tables into README.md."""
    page = ROOT / "README.md"
    text = page.read_text("utf-8")
    for name in TABLES:
        start, end = marks(name)
        before, _, rest = text.partition(start)
        _, _, after = rest.partition(end)
        text = before + start + table_of(name) + end + after
    page.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
