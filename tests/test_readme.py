"""README.md: short, in its order, and with the numbers that the weights' own results hold."""

from __future__ import annotations

import json
import re

import pytest

from tests.readme_table import ROOT, TABLES, marks, short_table, table_of
from uncover.weights import read_config

README = (ROOT / "README.md").read_text("utf-8")


def test_it_is_short_and_begins_with_what_a_newcomer_wants() -> None:
    assert len(README.splitlines()) < 120
    body = README.split("---\n", 2)[2]
    marks = [
        "![A public-domain portrait", "A guess", "make demo", "from uncover import Uncoverer",
        "## How good, for whom", "**Speed:**", "## Limits", "## Licence",
    ]  # fmt: skip
    places = [body.lower().find(mark.lower()) for mark in marks]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.parametrize("name", TABLES)
def test_its_numbers_are_those_of_the_weights(name: str) -> None:
    """Mended by `python -m tests.readme_table`."""
    start, end = marks(name)
    assert README[README.index(start) + len(start) : README.index(end)] == table_of(name)


@pytest.mark.parametrize("path", TABLES.values())
def test_the_tables_measure_the_shipped_weights(path: str) -> None:
    results = json.loads((ROOT / path).read_text("utf-8"))
    generator = read_config(ROOT / "weights").components["generator"]
    assert results["models"]["uncover"]["weights_sha256"] == generator.sha256


def test_the_best_of_the_others_is_named_metric_by_metric() -> None:
    def model(psnr: float, c2st: float | None) -> dict:
        metrics = {"psnr_hole": {"value": psnr}, "c2st": {"value": c2st}}
        return {"slices": [{"slice": {"pose": "all"}, "n": 90, "metrics": metrics}]}

    models = {"uncover": model(20.0, 0.61), "telea": model(14.0, 0.99), "x": model(16, None)}
    data = {"name": "faces", "split": "test", "left_out": {"no face found": 10}}
    table = short_table({"data": data, "models": models})
    rows = [re.split(r"\s*\|\s*", line)[1:-1] for line in table.splitlines()[:4]]
    assert rows[2] == ["uncover", "**20.0**", "**0.610**", "90.0%"]
    assert rows[3] == ["best of the others", "16.0 (x)", "0.990 (Telea)", "the same"]
