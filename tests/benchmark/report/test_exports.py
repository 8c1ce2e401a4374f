"""Tables to print or to compute with hold the run's own numbers."""

from __future__ import annotations

import csv

from benchmark.report import exports
from tests.benchmark.report.test_figures import results


def test_the_csv_has_every_value_of_every_slice_to_the_last_digit() -> None:
    found = results("lpips", {"0-15": 1 / 3, "over 60": 0.25})
    rows = list(csv.DictReader(exports.as_csv(found).splitlines()))
    assert len(rows) == 6 * 2
    wanted = [r for r in rows if r["ethnicity"] == "a" and r["pose"] == "0-15"]
    row = next(r for r in wanted if r["metric"] == "lpips")
    assert float(row["value"]) == 1 / 3
    assert (row["model"], row["n"], row["note"]) == ("model 0", "50", "")


def test_the_latex_escapes_what_latex_would_read_as_its_own() -> None:
    text = exports.tabular(["a_b", "↓"], [["50 %", "1 & 2"]], "#1")
    assert r"a\_b & $\downarrow$ \\" in text
    assert r"50 \% & 1 \& 2 \\" in text
    assert r"\caption{\#1}" in text
    assert r"\begin{tabular}{lr}" in text


def test_the_latex_has_a_table_for_all_photos_and_one_a_factor(tmp_path) -> None:
    names = exports.write_tables(tmp_path, results("lpips", {"0-15": 0.2, "over 60": 0.25}))
    assert names == ["tables.csv", "tables.tex"]
    text = (tmp_path / "tables.tex").read_text()
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == 5
