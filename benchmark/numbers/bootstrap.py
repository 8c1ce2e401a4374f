"""Bootstrap intervals of means, and of differences of means, from values kept per photo.

The photos of a slice are resampled with replacement; every model sees the same resampled photos,
so differences between models are paired. Percentile intervals of small samples are too narrow;
they are widened as in Hesterberg, "What Teachers Should Know About the Bootstrap" (2015), section
4.1.3: the tail probability is Phi(-sqrt(n / (n - 1)) * t), t the quantile of Student's
distribution with n - 1 degrees of freedom.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from scipy import stats

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """low and high are None where no interval can be given (fewer than two photos)."""

    low: float | None
    high: float | None


def generator_for(*parts: object) -> np.random.Generator:
    """A random generator that depends on nothing but `parts`."""
    digest = hashlib.sha256("|".join(str(p) for p in parts).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "little"))


def resample_counts(n: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    """uint8 (1 + draws, n): how often each of n photos occurs in each resample of n.

    The first row is the photos as they are, once each. A byte is enough: that one photo comes up
    256 times in a resample has, for any n, a probability below 1e-500.
    """
    counts = np.ones((1 + draws, n), np.uint8)
    for start in range(0, draws, 64):  # bounded memory
        rows = min(64, draws - start)
        picked = rng.integers(0, n, (rows, n)) + np.arange(rows)[:, None] * n
        occurs = np.bincount(picked.ravel(), minlength=rows * n).reshape(rows, n)
        counts[1 + start : 1 + start + rows] = occurs
    return counts


def resampled_means(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(draws, k) means of values (n, k), float64, under counts (1 + draws, n) without its first."""
    means = np.empty((len(counts) - 1, values.shape[1]))
    for start in range(0, len(means), 64):
        rows = counts[1 + start : 65 + start]
        means[start : start + 64] = rows.astype(np.float64) @ values
    return means / len(values)


def weighted_means(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """As `resampled_means` for values (m,) that some of the photos give: counts (1 + draws, m).

    A resample that holds none of them has no mean and is left out.
    """
    weights = counts[1:].astype(np.float64)
    total = weights.sum(1)
    return np.asarray((weights @ values)[total > 0] / total[total > 0])


def resampled_medians(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The medians of values (m,) in each resample, under counts (1 + draws, m).

    A resample that holds none of the values has no median and is left out.
    """
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    found = []
    for start in range(1, len(counts), 64):  # bounded memory
        reached = np.cumsum(counts[start : start + 64][:, order], axis=1, dtype=np.int64)
        reached = reached[reached[:, -1] > 0] if len(values) else reached[:0]
        total = reached[:, -1:] if len(values) else reached
        low = (reached <= (total - 1) // 2).sum(1)
        high = (reached <= total // 2).sum(1)
        found.append((ranked[low] + ranked[high]) / 2 if len(reached) else np.empty(0))
    return np.concatenate(found) if found else np.empty(0)


def tail(n: int, level: float = LEVEL) -> float:
    """Tail probability of the expanded percentile interval for n photos, n >= 2."""
    t = stats.t.ppf((1 - level) / 2, n - 1)
    return float(stats.norm.cdf(np.sqrt(n / (n - 1)) * t))


def interval(drawn: np.ndarray, n: int, level: float = LEVEL) -> Interval:
    """The interval of drawn values (draws,) of a statistic of n photos."""
    if n < 2 or len(drawn) < 2:
        return Interval(None, None)
    low, high = np.quantile(drawn, [tail(n, level), 1 - tail(n, level)])
    return Interval(float(low), float(high))


def mean_interval(
    values: np.ndarray, draws: int, rng: np.random.Generator, level: float = LEVEL
) -> Interval:
    """The interval of the mean of values (n,)."""
    if len(values) < 2:
        return Interval(None, None)
    counts = resample_counts(len(values), draws, rng)
    column = np.asarray(values, np.float64)[:, None]
    return interval(resampled_means(column, counts)[:, 0], len(values), level)
