"""A weights folder's card and results, as the page shows them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from page.show.card import read_card, values_of
from page.show.card_page import results_html
from tests.measured import part, results
from uncover.weights.config import WeightsConfig, write_config

SLICES = [
    part(300, 0.002, lpips=0.066),
    part(150, 0.002, {"ethnicity": "asian"}, lpips=0.071),
    part(150, 0.002, {"ethnicity": "white"}, lpips=0.061),
    part(0, fixed={"pose": "60+"}, lpips=None),
    part(120, 0.002, {"ethnicity": "asian", "pose": "0-15"}, lpips=0.07),
    part(12, 0.002, {"ethnicity": "white", "pose": "0-15"}, lpips=0.05),
]


def _weights(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    write_config(folder, WeightsConfig(results={"data": "some faces"}))
    return folder


def test_results_are_read_from_the_file_beside_the_weights(tmp_path: Path) -> None:
    folder = _weights(tmp_path)
    (folder / "README.md").write_text("---\nlicense: x\n---\n# Card\n\n| slice | n | LPIPS |\n")
    written = results({"m": (read_card(folder).fingerprint, SLICES)})
    (folder / "results.json").write_text(json.dumps(written))
    card = read_card(folder)
    assert card.text.startswith("# Card")
    assert len(card.slices) == 6
    assert values_of(card.slices, "ethnicity") == ["asian", "white"]
    html = results_html(card)
    for text in (
        "some faces",
        "asian",
        "do not overlap",
        "not tested",
        "n = 12",
        "0.071",
        "[0.069, 0.073]",
        "LPIPS ↓",
    ):
        assert text in html, text
    assert html.index("fits the face") < html.index("<details>") < html.index("do not overlap")


def test_coverage_and_gaps_stand_beside_those_of_the_baselines(tmp_path: Path) -> None:
    folder = _weights(tmp_path)
    models = {"seed": ("0" * 64, [part(300, lpips=0.2)])}
    models["m"] = (read_card(folder).fingerprint, SLICES)
    written = results(models, left_out={"no face found": 75})
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
    for sha256, shown in (("0" * 64, 0), (read_card(folder).fingerprint, 1)):
        written = results({"m": (sha256, [part(7, lpips=0.5)])})
        (folder / "results.json").write_text(json.dumps(written))
        assert len(read_card(folder).slices) == shown


def test_what_is_not_a_benchmarks_is_not_shown(tmp_path: Path) -> None:
    folder = _weights(tmp_path)
    written = results({"m": (read_card(folder).fingerprint, [part(7, lpips=0.5)])})
    del written["models"]["m"]["slices"][0]["metrics"]["ssim"]
    (folder / "results.json").write_text(json.dumps(written))
    assert read_card(folder).slices == ()


def _colours(html: str) -> list[int]:
    """Red of the coloured cells of the heat map: much in poor ones, little in good ones."""
    return [int(red) for red in re.findall(r"background:rgb\((\d+),", html)]


@pytest.mark.parametrize(("metric", "better"), [("lpips", 0), ("ssim_hole", 1)])
def test_the_better_group_is_named_best_and_is_the_bluer_one(
    tmp_path: Path, metric: str, better: int
) -> None:
    folder = _weights(tmp_path)
    slices = [part(100, **{metric: 0.15})]
    for group, value in (("asian", 0.1), ("white", 0.2)):
        slices.append(part(50, 0.01, {"ethnicity": group}, **{metric: value}))
        slices.append(part(50, 0.01, {"ethnicity": group, "pose": "0-15"}, **{metric: value}))
    written = results({"m": (read_card(folder).fingerprint, slices)})
    (folder / "results.json").write_text(json.dumps(written))
    html = results_html(read_card(folder))
    red = _colours(html)
    assert red[better] < red[1 - better]
    best = ("asian", "white")[better]
    assert f"Works best for people labelled “{best}”" in html


def test_no_results_are_said_so(tmp_path: Path) -> None:
    assert "No benchmark results" in results_html(read_card(_weights(tmp_path)))
