"""`python -m tests.readme_table`: the small tables of README.md anew, from results.json."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from uncover.scores import badness, heading, number, part_of, read_results

ROOT = Path(__file__).resolve().parents[1]
TABLES = {"short": "weights/results.json", "beside": "docs/results-utkface.json"}
"""Name of each table's marks in README.md -> the results that it shows."""
SHOWN = ("psnr_hole", "c2st", "sharpness", "kid")
NAMES = {"telea": "Telea", "mean-face": "average face", "pca": "PCA", "seed": "original's model"}


def short_table(results: dict[str, Any], own: str = "uncover") -> str:
    """Ours, and the best of the others for each metric, the better of both in bold, as Markdown
    with a line on the data."""
    wholes = {name: part_of(model["slices"], {}) for name, model in results["models"].items()}
    data, ours = results["data"], wholes[own]
    titles, mine, best = [""], ["uncover"], ["best of the others"]
    for metric in SHOWN:
        values = {name: _value(whole, metric) for name, whole in wholes.items()}
        if values[own] is None:
            continue
        bad = {name: badness(metric, v) for name, v in values.items() if v is not None}
        name = min((n for n in bad if n != own), key=bad.__getitem__, default=None)
        better = name is None or bad[own] <= bad[name]
        titles.append(heading(metric, plain=True))
        mine.append(_bold(number(values[own], metric), better))
        said = "–"
        if name is not None:
            said = f"{_bold(number(values[name], metric), not better)} ({NAMES.get(name, name)})"
        best.append(said)
    titles.append("photos scored")
    left_out = sum((data.get("left_out") or {}).values())
    share = _value(ours, "coverage")
    share = ours["n"] / (ours["n"] + left_out) if share is None else share
    mine.append(f"{share:.1%}")
    best.append("the same")
    rows = [titles, ["---", *["--:"] * (len(titles) - 1)], mine, best]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    data_set = f"On {ours['n']} photos of {data['name']} ({data['split']})"
    words = f"{data_set}, with masks drawn on bare faces. {_gap(results['models'][own])}"
    return f"{table}\n\n{words.strip()}\n"


def _bold(text: str, bold: bool) -> str:
    return f"**{text}**" if bold else text


def _gap(model: dict[str, Any]) -> str:
    """For whom it works best and worst."""
    gap = model.get("gaps", {}).get("ethnicity", {}).get("lpips")
    if not gap:
        return ""
    groups = {
        name: _value(part_of(model["slices"], {"ethnicity": name} if name else {}), "lpips")
        for name in (gap["best"], gap["worst"], "")
    }
    if not all(groups.values()):
        return ""
    share = gap["gap"] / groups[""]
    return (
        f"By the data set's labels it works best for “{gap['best']}” (LPIPS "
        f"{groups[gap['best']]:.3f}, lower is better) and worst for “{gap['worst']}” "
        f"({groups[gap['worst']]:.3f}): {share:.0%} apart."
    )


def _value(part: dict[str, Any] | None, metric: str) -> float | None:
    return None if part is None else part["metrics"].get(metric, {}).get("value")


def marks(name: str) -> tuple[str, str]:
    """What stands before and after a table of README.md."""
    return f"<!-- {name}:start -->\n", f"<!-- {name}:end -->"


def table_of(name: str) -> str:
    """A table of `TABLES`, as it should stand in README.md."""
    return short_table(read_results(ROOT / TABLES[name]))


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
