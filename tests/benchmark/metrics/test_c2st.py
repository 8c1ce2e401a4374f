import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from benchmark.metrics.c2st import auc, fold_of, held_out_judgements

N, D = 400, 20
RNG = np.random.default_rng(0)
REAL = RNG.normal(size=(N, D))
FOLDS = fold_of([f"{i:03d}" for i in range(N)])


def value(fake: np.ndarray) -> float:
    return float(auc(*held_out_judgements(REAL, fake, FOLDS))[0])


def test_identical_pictures_cannot_be_told():
    assert value(REAL.copy()) == pytest.approx(0.5, abs=1e-12)


def test_other_pictures_of_the_same_kind_cannot_be_told():
    assert value(RNG.normal(size=(N, D))) == pytest.approx(0.5, abs=0.06)


def test_a_shift_is_told_as_well_as_theory_allows():
    shifted = RNG.normal(size=(N, D))
    shifted[:, 3] += 2.0  # the best classifier's AUC is Phi(2 / sqrt 2) = .921
    assert value(shifted) == pytest.approx(0.921, abs=0.03)


def test_area_equals_mann_whitney_ties_counted_half():
    real, fake = RNG.integers(0, 9, 60).astype(float), RNG.integers(3, 12, 60).astype(float)
    expected = mannwhitneyu(fake, real).statistic / 3600
    assert auc(real, fake)[0] == pytest.approx(expected)


def test_resampling_equals_writing_photos_twice():
    real, fake = RNG.normal(size=30), RNG.normal(size=30) + 1
    counts = RNG.integers(0, 3, (4, 30))
    for row, found in zip(counts, auc(real, fake, counts), strict=True):
        assert found == pytest.approx(auc(np.repeat(real, row), np.repeat(fake, row))[0])


def test_folds_follow_the_names_and_not_the_order():
    names = [f"photo-{i}" for i in range(23)]
    folds = dict(zip(names, fold_of(names), strict=True))
    assert dict(zip(names[::-1], fold_of(names[::-1]), strict=True)) == folds
    assert np.ptp(np.bincount(list(folds.values()))) <= 1
