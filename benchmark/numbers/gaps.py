"""How far the worst value of a factor lies from the best, and how two models compare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmark.metrics import HIGHER_IS_BETTER, SET_LEVEL
from benchmark.numbers.bootstrap import generator_for, interval, resample_counts, resampled_means
from benchmark.numbers.results import Measured, Scored, Settings

MIN_PHOTOS = 10
SHUFFLES = 1000


def find_gaps(
    scored: Sequence[Scored], model: Measured, factors: Sequence[str], settings: Settings
) -> dict[str, dict[str, dict[str, Any]]]:
    """factor -> metric -> worst and best value, their distance, its interval, and chance.

    Values of fewer than 10 photos (for set-level metrics: below the floor) do not take part. The
    interval holds for the two values named. Since they were picked as extremes, a gap is above 0
    even where the factor does not matter: "by_chance" is the gap that shuffled labels stay below
    in 95 of 100 shuffles. FID has no gap: it has no interval.
    """
    return {factor: _factor_gaps(scored, model, factor, settings) for factor in factors}


def _factor_gaps(
    scored: Sequence[Scored], model: Measured, factor: str, settings: Settings
) -> dict[str, dict[str, Any]]:
    single = [s for s in scored if s.slice.fixed == (factor,)]
    metrics = [*model.columns, *(["kid"] if model.features is not None else [])]
    gaps = {}
    for metric in metrics:
        usable = [
            s
            for s in single
            if s.slice.n >= MIN_PHOTOS and s.metrics[model.name][metric]["value"] is not None
        ]
        if len(usable) < 2:
            empty = dict.fromkeys(("worst", "best", "gap", "low", "high"))
            gaps[metric] = {**empty, "note": "too few"}
            continue
        ranked = sorted(
            usable,
            key=lambda s, metric=metric: s.metrics[model.name][metric]["value"],
            reverse=HIGHER_IS_BETTER[metric],
        )
        best, worst = ranked[0], ranked[-1]
        distance = _value(worst, model, metric) - _value(best, model, metric)
        drawn = worst.draws[model.name][metric] - best.draws[model.name][metric]
        sign = -1.0 if HIGHER_IS_BETTER[metric] else 1.0
        bounds = interval(sign * drawn, min(worst.slice.n, best.slice.n))
        gaps[metric] = {
            "worst": worst.slice.values[factor],
            "best": best.slice.values[factor],
            "gap": sign * distance,
            "low": bounds.low,
            "high": bounds.high,
        }
        if metric not in SET_LEVEL:
            column = model.values[:, model.columns.index(metric)]
            groups = [s.slice.indices for s in usable]
            rng = generator_for(settings.seed, "shuffle", factor, *(len(g) for g in groups))
            gaps[metric]["by_chance"] = _chance(column, groups, rng)
    return gaps


def _value(scored: Scored, model: Measured, metric: str) -> float:
    return float(scored.metrics[model.name][metric]["value"])


def _chance(values: np.ndarray, groups: list[np.ndarray], rng: np.random.Generator) -> float:
    """The 95 % quantile of max - min of group means when values are dealt out at random."""
    pool = values[np.concatenate(groups)]
    starts = np.cumsum([0, *(len(g) for g in groups)])[:-1]
    sizes = np.array([len(g) for g in groups])
    ranges = [
        np.ptp(np.add.reduceat(rng.permutation(pool), starts) / sizes) for _ in range(SHUFFLES)
    ]
    return float(np.quantile(ranges, 0.95))


def compare_values(
    a: np.ndarray, b: np.ndarray, columns: Sequence[str], draws: int, *seed: object
) -> dict[str, dict[str, Any]]:
    """Paired comparison of two models on the same photos.

    Args:
        a, b: (n, k), row i of both the same photo, n >= 1.
        columns: the k metrics.

    Returns:
        metric -> difference a - b with its interval, and the share of photos on which a is better
        (ties count half) with its interval.
    """
    difference = a - b
    sign = np.array([1.0 if HIGHER_IS_BETTER[c] else -1.0 for c in columns])
    wins = (np.sign(sign * difference) + 1) / 2
    both = np.concatenate([difference, wins], axis=1)
    n, k = difference.shape
    drawn = None
    if n >= 2:
        drawn = resampled_means(both, resample_counts(n, draws, generator_for(*seed, n)))
    means = both.mean(0)
    result = {}
    for j, column in enumerate(columns):
        bounds = [interval(np.empty(0) if drawn is None else drawn[:, i], n) for i in (j, k + j)]
        result[column] = {
            "difference": float(means[j]),
            "low": bounds[0].low,
            "high": bounds[0].high,
            "wins": float(means[k + j]),
            "wins_low": bounds[1].low,
            "wins_high": bounds[1].high,
        }
    return result


def compare_models(
    scored: Sequence[Scored], first: Measured, other: Measured, settings: Settings
) -> list[dict[str, Any]]:
    """`first` against `other` on the whole set and on every value of every factor."""
    shared = [c for c in first.columns if c in other.columns]
    a = first.values[:, [first.columns.index(c) for c in shared]]
    b = other.values[:, [other.columns.index(c) for c in shared]]
    rows = []
    for s in scored:
        if len(s.slice.fixed) > 1 or s.slice.n == 0:
            continue
        index = s.slice.indices
        metrics = compare_values(
            a[index], b[index], shared, settings.draws, settings.seed, "compare", s.slice.name
        )
        rows.append(
            {
                "a": first.name,
                "b": other.name,
                "slice": s.slice.values,
                "n": s.slice.n,
                "metrics": metrics,
            }
        )
    return rows
