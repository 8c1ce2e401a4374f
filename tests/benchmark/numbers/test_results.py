"""Slices to numbers, gaps and comparisons, on values whose answers are known."""

import numpy as np
import pytest

from benchmark.numbers.gaps import compare_models, compare_values, find_gaps
from benchmark.numbers.results import Measured, Settings, common_size, matched_sizes, score_slices
from benchmark.numbers.slices import make_slices

N = 240
RNG = np.random.default_rng(0)
ETHNICITY = ["asian"] * 100 + ["black"] * 120 + ["white"] * 20
POSE = ["0-15", "15-30"] * 120
SLICES = make_slices({"ethnicity": ETHNICITY, "pose": POSE})
COLUMNS = ("ssim", "lpips")
SHIFT = np.array([0.1 if e == "black" else 0.0 for e in ETHNICITY])


def model(name: str, level: float, features: np.ndarray | None = None) -> Measured:
    rng = np.random.default_rng(len(name))
    ssim = 0.8 - SHIFT + rng.normal(0, 0.05, N)
    lpips = level + SHIFT + rng.normal(0, 0.02, N)
    return Measured(name, COLUMNS, np.stack([ssim, lpips], 1), features)


REAL = RNG.normal(size=(N, 5))
OURS = model("ours", 0.10, REAL + RNG.normal(0, 0.3, (N, 5)))
OTHER = model("other", 0.12, REAL + RNG.normal(0.5, 0.6, (N, 5)))
SETTINGS = Settings(draws=1000, floor=50, seed=0)


@pytest.fixture(scope="module")
def scored():
    return score_slices(SLICES, [OURS, OTHER], REAL, SETTINGS)


def entry(scored, name, model_name, metric):
    return next(s for s in scored if s.slice.name == name).metrics[model_name][metric]


def test_values_are_means_with_intervals_around_them(scored):
    found = entry(scored, "ethnicity=black", "ours", "lpips")
    values = OURS.values[100:220, 1]
    assert found["value"] == pytest.approx(values.mean())
    assert found["low"] < values.mean() < found["high"]
    width = 2 * 1.98 * values.std(ddof=1) / np.sqrt(120)
    assert found["high"] - found["low"] == pytest.approx(width, rel=0.12)


def test_set_metrics_say_too_few_below_the_floor(scored):
    for metric in ("fid", "kid"):
        few = entry(scored, "ethnicity=white", "ours", metric)
        assert few == {"value": None, "low": None, "high": None, "note": "too few"}
        enough = entry(scored, "ethnicity=asian", "ours", metric)
        assert enough["value"] is not None


def test_fid_is_taken_at_matched_n_and_marked_biased(scored):
    asian = entry(scored, "ethnicity=asian", "ours", "fid")
    black = entry(scored, "ethnicity=black", "ours", "fid")
    assert (asian["n"], black["n"]) == (100, 100)
    assert (asian["low"], asian["note"]) == (None, "biased")
    assert entry(scored, "all", "ours", "fid")["n"] == N
    assert matched_sizes(SLICES, 50)[("ethnicity", "pose")] == 50
    assert common_size(SLICES, 50) == 50
    assert common_size(SLICES, 500) is None


def test_kid_tells_models_apart_and_has_an_interval(scored):
    ours, other = (entry(scored, "all", name, "kid") for name in ("ours", "other"))
    assert ours["low"] < ours["value"] < ours["high"]
    assert other["low"] > ours["high"]


def test_empty_slices_are_listed(scored):
    assert entry(scored, "pose=>60", "ours", "ssim")["note"] == "no photos"
    assert entry(scored, "pose=>60", "ours", "kid")["note"] == "too few"


def test_gap_names_the_worst_with_its_interval(scored):
    gap = find_gaps(scored, OURS, ["ethnicity", "pose"], SETTINGS)
    lpips = gap["ethnicity"]["lpips"]
    assert lpips["worst"] == "black"
    assert lpips["low"] < lpips["gap"] < lpips["high"]
    assert lpips["gap"] == pytest.approx(0.1, abs=0.01)
    assert lpips["low"] > lpips["by_chance"]
    ssim = gap["ethnicity"]["ssim"]
    assert ssim["worst"] == "black"
    assert ssim["gap"] > 0
    pose = gap["pose"]["lpips"]
    assert pose["gap"] < 2 * pose["by_chance"]
    assert gap["ethnicity"]["kid"]["gap"] is not None
    assert "fid" not in gap["ethnicity"]


def test_gap_of_small_groups_is_not_given():
    few = make_slices({"ethnicity": (["asian"] * 9 + ["white"] * (N - 9))})
    found = score_slices(few, [OURS], REAL, SETTINGS)
    assert find_gaps(found, OURS, ["ethnicity"], SETTINGS)["ethnicity"]["ssim"]["gap"] is None


def test_chance_gap_is_exceeded_by_chance_in_one_of_twenty():
    rng = np.random.default_rng(4)
    parts = make_slices({"pose": POSE})
    settings = Settings(draws=100)
    over = 0
    for _ in range(60):
        noise = Measured("noise", ("ssim",), rng.normal(size=(N, 1)))
        found = score_slices(parts, [noise], None, settings)
        gap = find_gaps(found, noise, ["pose"], settings)["pose"]["ssim"]
        over += gap["gap"] > gap["by_chance"]
    assert over <= 9


def test_paired_comparison_is_sharper_than_two_intervals():
    face = RNG.normal(0.5, 0.3, 100)
    a = np.stack([face + RNG.normal(0.02, 0.01, 100)], 1)
    b = np.stack([face], 1)
    found = compare_values(a, b, ["lpips"], 1000, 0)["lpips"]
    assert found["low"] < 0.02 < found["high"]
    assert found["high"] - found["low"] < 0.01
    assert found["wins"] < 0.1, "lower LPIPS is better, and a is higher"


def test_ties_count_half():
    same = np.ones((10, 1))
    found = compare_values(same, same, ["ssim"], 200, 0)["ssim"]
    assert (found["difference"], found["wins"]) == (0.0, 0.5)


def test_models_are_compared_on_every_value(scored):
    rows = compare_models(scored, OURS, OTHER, SETTINGS)
    assert [r["n"] for r in rows] == [240, 100, 120, 20, 120, 120]
    assert all(r["metrics"]["lpips"]["high"] < 0 for r in rows)
    assert rows[0]["metrics"]["lpips"]["wins"] > 0.6


def test_same_seed_same_numbers(scored):
    again = score_slices(SLICES, [OURS, OTHER], REAL, SETTINGS)
    assert [s.metrics for s in again] == [s.metrics for s in scored]
    alone = score_slices(SLICES, [OTHER], REAL, SETTINGS)
    assert alone[3].metrics["other"] == scored[3].metrics["other"]
