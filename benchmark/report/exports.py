"""The tables of a run as CSV and LaTeX, to print or to compute with."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmark.report import tables
from uncover.atomic import write_atomically

_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "–": "--", "×": r"$\times$",
    "↑": r"$\uparrow$", "↓": r"$\downarrow$", "→": r"$\rightarrow$",
}  # fmt: skip


def write_tables(folder: Path, results: dict[str, Any]) -> list[str]:
    """Write tables.csv, every value of every slice, and tables.tex; the names of both."""
    write_atomically(folder / "tables.csv", as_csv(results).encode())
    write_atomically(folder / "tables.tex", as_latex(results).encode())
    return ["tables.csv", "tables.tex"]


def as_csv(results: dict[str, Any]) -> str:
    """A row for each model, slice and metric: factors, n, of, value, low, high, note."""
    factors = results["factors"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    head = ("n", "of", "metric", "value", "low", "high", "note")
    writer.writerow(("model", *factors, *head))
    for name, model in results["models"].items():
        for entry in model["slices"]:
            values = [entry["slice"].get(f, "all") for f in factors]
            for metric, found in entry["metrics"].items():
                numbers = ["" if found[k] is None else repr(found[k]) for k in _NUMBERS]
                row = (name, *values, entry["n"], entry.get("of", entry["n"]), metric, *numbers)
                writer.writerow((*row, found.get("note", "")))
    return text.getvalue()


_NUMBERS = ("value", "low", "high")


def as_latex(results: dict[str, Any]) -> str:
    """All models on all photos, then each factor by the headline metric and by coverage.

    The tables need the package booktabs.
    """
    metrics = tables.present(results)
    rows = []
    for name, model in results["models"].items():
        entry = model["slices"][0]
        cells = [tables.cell(entry["metrics"][m], m) for m in metrics]
        rows.append([name, str(entry["n"]), *cells])
    head = ["model", "n", *(tables.title(m, results) for m in metrics)]
    parts = ["% needs \\usepackage{booktabs}\n", tabular(head, rows, "All photos")]
    shown = [m for m in (tables.headline(results), "c2st", "coverage") if m in metrics]
    for factor in results["factors"]:
        for metric in dict.fromkeys(shown):
            head, rows = tables.factor_rows(results, factor, metric)
            parts.append(tabular(head, rows, f"{tables.title(metric, results)} by {factor}"))
    return "\n".join(parts)


def tabular(head: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> str:
    """One table, the first column flush left."""
    lines = [" & ".join(escaped(cell) for cell in row) + r" \\" for row in (head, *rows)]
    columns = "l" + "r" * (len(head) - 1)
    return "\n".join(
        [
            r"\begin{table}",
            rf"\caption{{{escaped(caption)}}}",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            lines[0],
            r"\midrule",
            *lines[1:],
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def escaped(text: str) -> str:
    """Text as LaTeX prints it."""
    return "".join(_SPECIAL.get(letter, letter) for letter in text)
