"""Charts: the dark cell of a heat map is the slice where a model works worst."""

from __future__ import annotations

from typing import Any

import pytest

from benchmark.report import figures

NUMBERS = ("worst", "middle", "best")


def results(metric: str, values: dict[str, float], n: int = 50, models: int = 1) -> dict[str, Any]:
    """As a run over groups "a" and the poses named by `values` writes them."""

    def entry(ethnicity: str, pose: str, value: float, count: int) -> dict[str, Any]:
        number = {"value": value, "low": value - 0.1, "high": value + 0.1}
        coverage = {"value": 0.9, "low": 0.8, "high": 1.0}
        part = {"ethnicity": ethnicity, "pose": pose}
        return {"slice": part, "n": count, "metrics": {metric: number, "coverage": coverage}}

    slices = [entry("all", "all", 0.5, n), entry("a", "all", 0.5, n)]
    for pose, value in values.items():
        slices += [entry("all", pose, value, n), entry("a", pose, value, n)]
    model = {"slices": slices, "gaps": {}}
    return {
        "factors": ["ethnicity", "pose"],
        "features": "inception",
        "lpips_net": "alex",
        "data": {"perceived": []},
        "models": {f"model {i}": model for i in range(models)},
    }


def brightness(found: dict[str, Any], metric: str) -> list[float]:
    """Of the cells of a heat map, in the order of the poses."""
    cells = figures.heat_map(found, metric).axes[0].patches
    return [sum(cell.get_facecolor()[:3]) for cell in cells]


@pytest.mark.parametrize(
    ("metric", "values"),
    [
        ("lpips", (0.8, 0.5, 0.2)),
        ("psnr_hole", (0.2, 0.5, 0.8)),
        ("kid", (0.8, 0.5, 0.2)),
        ("sharpness", (1.7, 1.2, 1.0)),
        ("sharpness", (0.3, 0.8, 1.1)),
    ],
)
def test_the_worst_cell_is_the_darkest(metric: str, values: tuple[float, ...]) -> None:
    found = results(metric, dict(zip(NUMBERS, values, strict=True)))
    worst, middle, best = brightness(found, metric)
    assert worst < middle < best


def test_too_few_photos_are_grey_whatever_they_score() -> None:
    cells = brightness(results("lpips", {"x": 0.2, "y": 0.8}, n=3), "lpips")
    assert cells[0] == cells[1]


def test_cells_show_value_interval_n_and_coverage() -> None:
    figure = figures.heat_map(results("lpips", {"x": 0.2, "y": 0.8}), "lpips")
    words = [text.get_text() for text in figure.axes[0].texts]
    assert {"0.200", "[0.100, 0.300]", "n=50 cov 0.90"} <= set(words)


def test_all_models_share_one_scale_of_colours() -> None:
    found = results("lpips", {"x": 0.2, "y": 0.8}, models=2)
    far = {"slices": results("lpips", {"x": 0.2, "y": 3.0})["models"]["model 0"]["slices"]}
    found["models"]["model 1"] = {**far, "gaps": {}}
    first, second = figures.heat_map(found, "lpips").axes[:2]
    colours = [ax.patches[0].get_facecolor() for ax in (first, second)]
    assert colours[0] == colours[1]
    assert first.patches[1].get_facecolor() != second.patches[1].get_facecolor()


def test_every_chart_comes_as_picture_and_for_print(tmp_path) -> None:
    figures.save(figures.slice_chart(results("lpips", {"x": 0.2}), "lpips"), tmp_path / "chart")
    heads = {s: (tmp_path / f"chart.{s}").read_bytes()[:5] for s in figures.FORMATS}
    assert heads == {"png": b"\x89PNG\r", "svg": b"<?xml", "pdf": b"%PDF-"}
