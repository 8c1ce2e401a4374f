"""Numbers taken over from an earlier run."""

from __future__ import annotations

import json

import pytest

from benchmark.__main__ import main
from tests.benchmark.run.test_command import FEATURES, GREY, TINTED, arguments
from uncover.scores import check_results, read_results


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    """A folder with the results of one model, and what was typed."""
    folder = tmp_path_factory.mktemp("kept")
    more = ("--features", FEATURES, "--floor", "10", "--slices", "ethnicity")
    assert main([*arguments(folder / "old", folder / "cache", "--model", TINTED), *more]) == 0
    return folder, more


def test_a_model_measured_before_stays_in_the_table(earlier):
    folder, more = earlier
    old = folder / "old" / "results.json"
    words = arguments(
        folder / "new", folder / "cache", "--model", f"grey={GREY}", "--keep", str(old)
    )
    assert main([*words, *more]) == 0
    results = check_results(read_results(folder / "new" / "results.json"))
    assert list(results["models"]) == ["grey", "tinted"]
    before = read_results(old)
    tinted = results["models"]["tinted"]
    assert tinted["slices"] == before["models"]["tinted"]["slices"]
    assert tinted["kept"]["created"] == before["created"]
    report = (folder / "new" / "report.md").read_text()
    assert "tinted was measured earlier" in report


def test_a_model_of_this_run_is_not_replaced(earlier):
    folder, more = earlier
    old = folder / "old" / "results.json"
    words = arguments(folder / "same", folder / "cache", "--model", TINTED, "--keep", str(old))
    assert main([*words, *more]) == 0
    assert "kept" not in read_results(folder / "same" / "results.json")["models"]["tinted"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda old: old["data"].update(sha256="0" * 32), "other photos"),
        (lambda old: old.update(seed=5), "seed was 5, here it is 0"),
    ],
)
def test_what_does_not_compare_is_refused(earlier, tmp_path, capsys, change, says):
    folder, more = earlier
    old = read_results(folder / "old" / "results.json")
    change(old)
    (tmp_path / "results.json").write_text(json.dumps(old))
    words = arguments(tmp_path / "out", folder / "cache", "--model", f"grey={GREY}")
    assert main([*words, *more, "--keep", str(tmp_path / "results.json")]) == 1
    assert says in capsys.readouterr().err
    assert not (tmp_path / "out" / "results.json").exists()


def test_what_does_not_compare_is_refused_before_anything_is_filled(earlier, tmp_path, monkeypatch):
    folder, more = earlier
    old = read_results(folder / "old" / "results.json")
    old["seed"] = 5
    (tmp_path / "results.json").write_text(json.dumps(old))
    filled = []
    monkeypatch.setattr("benchmark.run.run.evaluate", lambda *a, **k: filled.append(a) or {})
    words = arguments(tmp_path / "out", tmp_path / "cache", "--model", f"grey={GREY}")
    assert main([*words, *more, "--keep", str(tmp_path / "results.json")]) == 1
    assert not filled


def test_a_missing_file_is_named_before_anything_is_computed(tmp_path, capsys):
    words = arguments(tmp_path / "out", tmp_path / "cache", "--model", f"grey={GREY}")
    assert main([*words, "--keep", str(tmp_path / "none.json")]) == 1
    assert "none.json does not exist" in capsys.readouterr().err
