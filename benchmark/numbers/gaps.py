"""How far the worst value of a factor lies from the best, and how two models compare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmark.numbers.bootstrap import (
    generator_for,
    interval,
    resample_counts,
    resampled_means,
    weighted_means,
)
from benchmark.numbers.results import Measured, Scored, Settings
from uncover.scores import LIMIT, METRICS, TOO_FEW, badness

MIN_PHOTOS = 10
SHUFFLES = 1000
AT_ONCE = 50


def find_gaps(
    scored: Sequence[Scored], model: Measured, factors: Sequence[str], settings: Settings
) -> dict[str, dict[str, dict[str, Any]]]:
    """factor -> metric -> worst and best value, their distance, its interval, and chance.

    Values of fewer than 10 photos (for set-level metrics: below the floor) do not take part. The
    interval holds for the two values named. Since they were picked as extremes, a gap is above 0
    even where the factor does not matter: "by_chance" is the gap that shuffled labels stay below
    in 95 of 100 shuffles. Where 1 is good, the distance from 1 counts. FID has no gap, for it has
    no interval; nor has a limit such as identity, which is no success.
    """
    return {factor: _factor_gaps(scored, model, factor, settings) for factor in factors}


def _factor_gaps(
    scored: Sequence[Scored], model: Measured, factor: str, settings: Settings
) -> dict[str, dict[str, Any]]:
    single = [s for s in scored if s.slice.fixed == (factor,)]
    metrics = ["coverage", *model.columns, *model.judged]
    metrics += ["kid"] if model.features is not None else []
    gaps = {}
    for metric in (m for m in metrics if METRICS[m].aim != LIMIT):
        usable = [
            s
            for s in single
            if _photos(s, metric) >= MIN_PHOTOS
            and s.metrics[model.name][metric]["value"] is not None
        ]
        if len(usable) < 2:
            empty = dict.fromkeys(("worst", "best", "gap", "low", "high"))
            gaps[metric] = {**empty, "note": TOO_FEW}
            continue
        bad = {id(s): float(badness(metric, _value(s, model, metric))) for s in usable}
        ranked = sorted(usable, key=lambda s: bad[id(s)])
        best, worst = ranked[0], ranked[-1]
        drawn = _difference(worst, best, model, metric)
        bounds = interval(drawn, min(_photos(worst, metric), _photos(best, metric)))
        gaps[metric] = {
            "worst": worst.slice.values[factor],
            "best": best.slice.values[factor],
            "gap": bad[id(worst)] - bad[id(best)],
            "low": bounds.low,
            "high": bounds.high,
        }
        if metric in model.columns:
            column = model.values[:, model.columns.index(metric)]
            groups = [column[s.slice.indices] for s in usable]
            rng = generator_for(settings.seed, "shuffle", factor, *(len(g) for g in groups))
            groups = [group[~np.isnan(group)] for group in groups]
            gaps[metric]["by_chance"] = _chance(metric, groups, rng)
    return gaps


def _photos(scored: Scored, metric: str) -> int:
    return scored.slice.of if metric == "coverage" else scored.slice.n


def _value(scored: Scored, model: Measured, metric: str) -> float:
    return float(scored.metrics[model.name][metric]["value"])


def _difference(worst: Scored, best: Scored, model: Measured, metric: str) -> np.ndarray:
    """How much worse one slice is than the other, in every resample that both have."""
    pair = [badness(metric, s.draws[model.name][metric]) for s in (worst, best)]
    both = min(len(drawn) for drawn in pair)
    return np.asarray(pair[0][:both] - pair[1][:both])


def _chance(metric: str, groups: list[np.ndarray], rng: np.random.Generator) -> float:
    """The 95 % quantile of the gap between groups when values are dealt out at random."""
    pool = np.concatenate(groups)
    starts = np.cumsum([0, *(len(g) for g in groups)])[:-1]
    sizes = np.array([len(g) for g in groups])
    ranges = []
    for _ in range(SHUFFLES // AT_ONCE):
        dealt = np.stack([rng.permutation(pool) for _ in range(AT_ONCE)])
        if METRICS[metric].middle:
            parts = np.split(dealt, starts[1:], axis=1)
            found = np.stack([np.median(part, axis=1) for part in parts], axis=1)
        else:
            found = np.add.reduceat(dealt, starts, axis=1) / sizes
        ranges.append(np.ptp(badness(metric, found), axis=1))
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
        (ties count half) with its interval. Photos that one of the two has no value for do not
        take part; where 1 is good, the nearer to it is better.
    """
    difference = a - b
    worse = [badness(c, a[:, j]) - badness(c, b[:, j]) for j, c in enumerate(columns)]
    wins = (1 - np.sign(np.stack(worse, 1))) / 2
    both = np.concatenate([difference, wins], axis=1)
    n, k = difference.shape
    there = ~np.isnan(both)
    counts = resample_counts(n, draws, generator_for(*seed, n)) if n >= 2 else None
    drawn = None if counts is None else resampled_means(np.where(there, both, 0.0), counts)
    result = {}
    for j, column in enumerate(columns):
        kept = there[:, j]
        if not kept.any():
            continue
        bounds = []
        for i in (j, k + j):
            if counts is None or drawn is None:
                bounds.append(interval(np.empty(0), n))
            elif kept.all():
                bounds.append(interval(drawn[:, i], n))
            else:
                few = weighted_means(both[kept, i], counts[:, kept])
                bounds.append(interval(few, int(kept.sum())))
        result[column] = {
            "difference": float(both[kept, j].mean()),
            "low": bounds[0].low,
            "high": bounds[0].high,
            "wins": float(both[kept, k + j].mean()),
            "wins_low": bounds[1].low,
            "wins_high": bounds[1].high,
        }
    return result


def compare_models(
    scored: Sequence[Scored], first: Measured, other: Measured, settings: Settings
) -> list[dict[str, Any]]:
    """`first` against `other` on the whole set and on every value of every factor."""
    shared = [c for c in first.columns if c in other.columns and METRICS[c].aim != LIMIT]
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
