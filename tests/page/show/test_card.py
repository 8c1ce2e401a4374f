"""A weights folder's card and results, as the page shows them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from page.show.card import read_card
from page.show.card_page import results_html
from uncover.weights.config import WeightsConfig, write_config


def _entry(n: int, lpips: float | None, **fixed: str) -> dict[str, object]:
    """A slice of results.json; lpips None: no photos."""
    low, high = (None, None) if lpips is None else (lpips - 0.002, lpips + 0.002)
    names = {"ethnicity": "all", "pose": "all"} | fixed
    measured = {"lpips": {"value": lpips, "low": low, "high": high}}
    return {"slice": names, "n": n, "metrics": measured}


SLICES = [
    _entry(300, 0.066),
    _entry(150, 0.071, ethnicity="asian"),
    _entry(150, 0.061, ethnicity="white"),
    _entry(0, None, pose="60+"),
    _entry(120, 0.07, ethnicity="asian", pose="0-15"),
    _entry(12, 0.05, ethnicity="white", pose="0-15"),
]


def _weights(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    write_config(folder, WeightsConfig(results={"data": "some faces"}))
    return folder


def test_results_are_read_from_the_file_beside_the_weights(tmp_path: Path) -> None:
    folder = _weights(tmp_path)
    (folder / "README.md").write_text("---\nlicense: x\n---\n# Card\n\n| slice | n | LPIPS |\n")
    model = {"weights_sha256": read_card(folder).fingerprint, "slices": SLICES}
    written = {"data": {"name": "some faces"}, "models": {"m": model}}
    (folder / "results.json").write_text(json.dumps(written))
    card = read_card(folder)
    assert card.text.startswith("# Card")
    assert len(card.slices) == 6
    assert card.slices[1].fixed == {"ethnicity": "asian"}
    assert card.slices[1].metrics["lpips"].high == pytest.approx(0.073)
    assert card.slices[3].metrics["lpips"].value is None
    html = results_html(card)
    for text in ("some faces", "asian", "do not overlap", "not tested", "n = 12", "0.071"):
        assert text in html, text
    assert html.index("fits the face") < html.index("<details>") < html.index("do not overlap")


def test_coverage_and_gaps_stand_beside_those_of_the_baselines(tmp_path: Path) -> None:
    folder = _weights(tmp_path)
    model = {"weights_sha256": read_card(folder).fingerprint, "slices": SLICES}
    other = {"weights_sha256": "0" * 64, "slices": [_entry(300, 0.2)]}
    data = {"name": "some faces", "left_out": {"no face found": 75}}
    written = {"data": data, "models": {"seed": other, "m": model}}
    (folder / "results.json").write_text(json.dumps(written))
    html = results_html(read_card(folder))
    before = html[: html.index("<details>")]
    assert "these weights" in before
    assert "original" in before
    assert "80.0%" in before  # 300 of 375
    assert "0.010" in before  # 0.071 less 0.061
    assert "0.200" in before


def test_results_of_other_weights_are_not_shown(tmp_path: Path) -> None:
    folder = _weights(tmp_path)
    entry = {"slice": {"ethnicity": "all"}, "n": 7, "metrics": {"lpips": {"value": 0.5}}}
    results = {
        "data": {"name": "x"},
        "models": {"m": {"weights_sha256": "0" * 64, "slices": [entry]}},
    }
    (folder / "results.json").write_text(json.dumps(results))
    assert read_card(folder).slices == ()
    results["models"]["m"]["weights_sha256"] = read_card(folder).fingerprint
    (folder / "results.json").write_text(json.dumps(results))
    assert read_card(folder).slices[0].metrics["lpips"].value == 0.5


def test_no_results_are_said_so(tmp_path: Path) -> None:
    assert "No benchmark results" in results_html(read_card(_weights(tmp_path)))
