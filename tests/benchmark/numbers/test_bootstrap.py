import numpy as np
import pytest

from benchmark.numbers.bootstrap import (
    generator_for,
    interval,
    mean_interval,
    resample_counts,
    resampled_means,
    tail,
)


def coverage(draw, truth: float, sets: int = 800) -> float:
    """The share of data sets whose interval holds the true mean."""
    rng = np.random.default_rng(11)
    hits = 0
    for _ in range(sets):
        bounds = mean_interval(draw(rng), 1000, rng)
        hits += bounds.low <= truth <= bounds.high
    return hits / sets


@pytest.mark.parametrize(
    ("draw", "truth"),
    [
        (lambda rng: rng.normal(3.0, 2.0, 20), 3.0),
        (lambda rng: rng.gamma(4.0, 0.02, 80), 0.08),
    ],
    ids=["normal n=20", "gamma n=80"],
)
def test_coverage_is_95_percent(draw, truth):
    assert 0.93 <= coverage(draw, truth) <= 0.97


def test_coverage_of_a_paired_difference():
    def difference(rng):
        face = rng.normal(0, 1, 40)  # what both models share and pairing takes out
        return (face + rng.normal(0.3, 0.2, 40)) - (face + rng.normal(0.1, 0.2, 40))

    assert 0.93 <= coverage(difference, 0.2) <= 0.97


def test_counts_are_resamples():
    counts = resample_counts(30, 500, np.random.default_rng(0))
    assert counts.shape == (501, 30)
    assert (counts[0] == 1).all()
    assert (counts.sum(1) == 30).all()
    assert counts[1:].mean() == pytest.approx(1.0)
    assert counts[1:].var() == pytest.approx(1 - 1 / 30, abs=0.05)


def test_means_agree_with_drawing_rows():
    values = np.random.default_rng(1).normal(size=(12, 3))
    counts = resample_counts(12, 100, np.random.default_rng(2))
    rows = np.repeat(np.arange(12), counts[1 + 7].astype(int))
    np.testing.assert_allclose(resampled_means(values, counts)[7], values[rows].mean(0))


def test_small_samples_get_wider_tails():
    assert tail(5) < tail(50) < 0.025
    assert tail(100_000) == pytest.approx(0.025, abs=1e-4)


def test_one_photo_has_no_interval():
    bounds = mean_interval(np.array([0.3]), 100, np.random.default_rng(0))
    assert (bounds.low, bounds.high) == (None, None)
    assert interval(np.empty(0), 10).low is None


def test_generators_depend_on_their_parts_only():
    a, b = generator_for(1, "x").random(), generator_for(1, "x").random()
    assert a == b
    assert generator_for(1, "y").random() != a
