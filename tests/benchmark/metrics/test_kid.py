from itertools import combinations

import numpy as np
import pytest
import torch
from torchmetrics.image.kid import KernelInceptionDistance

from benchmark.metrics import kid as module
from benchmark.metrics.kid import kid, paired_kid
from tests.benchmark.metrics.test_fid import Rows

RNG = np.random.default_rng(3)
REAL = RNG.normal(size=(40, 6))
FAKE = 0.5 * REAL + RNG.normal(size=(40, 6)) + 0.4


def subset_estimate(index: tuple[int, ...]) -> float:
    """The paired estimate of one subset, written out."""
    n = len(index)
    total = 0.0
    for i in index:
        for j in index:
            if i != j:
                x, y, u, v = REAL[i], FAKE[i], REAL[j], FAKE[j]
                k = [(p @ q / 6 + 1) ** 3 for p, q in ((x, u), (y, v), (x, v), (y, u))]
                total += k[0] + k[1] - k[2] - k[3]
    return total / (n * (n - 1))


def test_agrees_with_torchmetrics():
    pictures = [
        np.random.default_rng(s).integers(0, 3 + s, (30, 3, 2, 2), dtype=np.uint8) for s in (0, 1)
    ]
    metric = KernelInceptionDistance(feature=Rows(), subsets=3, subset_size=30)
    metric.update(torch.from_numpy(pictures[0]), real=True)
    metric.update(torch.from_numpy(pictures[1]), real=False)
    a, b = (p.reshape(30, -1) for p in pictures)
    assert kid(a, b) == pytest.approx(float(metric.compute()[0]), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("size", [2, 3, 5])
def test_is_the_average_over_all_subsets_of_any_size(size):
    few = tuple(range(7))
    expected = np.mean([subset_estimate(c) for c in combinations(few, size)])
    found = paired_kid(REAL[:7], FAKE[:7], np.ones((1, 7)))
    assert found[0] == pytest.approx(expected)


def test_resampling_equals_writing_photos_twice_without_pairing_them_with_themselves():
    counts = np.array([[2, 0, 1, 1, 0, 3, 0]])
    drawn = [i for i, c in enumerate(counts[0]) for _ in range(int(c))]
    values = [
        subset_estimate((i, j)) for a, i in enumerate(drawn) for j in drawn[a + 1 :] if i != j
    ]
    found = paired_kid(REAL[:7], FAKE[:7], counts)
    assert found[0] == pytest.approx(np.mean(values))


def test_identical_sets_are_near_zero_and_shifted_ones_are_not():
    ones = np.ones((1, 40))
    assert abs(paired_kid(REAL, REAL.copy(), ones)[0]) < 1e-12
    assert paired_kid(REAL, REAL + 1.0, ones)[0] > 0.5


def test_unbiased_in_n():
    rng = np.random.default_rng(5)
    means = []
    for n in (10, 100):
        found = [
            paired_kid(rng.normal(size=(n, 4)), rng.normal(size=(n, 4)) + 0.3, np.ones((1, n)))[0]
            for _ in range(400)
        ]
        means.append((np.mean(found), np.std(found) / 20))
    assert abs(means[0][0] - means[1][0]) < 3 * np.hypot(means[0][1], means[1][1])


def test_large_sets_are_taken_in_blocks(monkeypatch):
    whole = paired_kid(REAL, FAKE, np.ones((1, 40)))[0]
    monkeypatch.setattr(module, "BLOCK", 20)
    halves = [paired_kid(REAL[s], FAKE[s], np.ones((1, 20)))[0] for s in (np.s_[:20], np.s_[20:])]
    found = paired_kid(REAL, FAKE, np.ones((1, 40)))[0]
    assert found == pytest.approx(np.mean(halves))
    assert found != whole
