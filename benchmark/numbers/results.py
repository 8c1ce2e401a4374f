"""From values per photo to numbers per slice, each with its interval.

Pure arithmetic on arrays: no photo, model or network is touched here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import stats

from benchmark.metrics import auc, frechet_distance, paired_kid
from benchmark.numbers.bootstrap import (
    LEVEL,
    generator_for,
    interval,
    resample_counts,
    resampled_means,
    resampled_medians,
    weighted_means,
)
from benchmark.numbers.slices import Slice
from uncover.scores import METRICS, TOO_FEW

FID_SUBSETS = 5
NO_VALUES = "no values"
MIN_JUDGED = 10
"""Photos that a slice needs for C2ST: the classifier has learned on the whole set."""


@dataclass(frozen=True, eq=False)
class Measured:
    """One model's values.

    columns, values: metrics with a value per photo, float64 (n, k); NaN where a photo gives none.
    features: rows (n, d) for FID and KID, or None. judged: set metric -> how much bare faces and
    fills look like fills, (n,) each. beside: metric -> name and values (n,) of what is shown
    beside it. notes: metric -> why it is not there at all. filled: bool (n,), photos that were
    filled; None is all of them.
    """

    name: str
    columns: tuple[str, ...]
    values: np.ndarray
    features: np.ndarray | None = None
    judged: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    beside: dict[str, tuple[str, np.ndarray]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    filled: np.ndarray | None = None

    def filled_of(self, indices: np.ndarray) -> np.ndarray:
        """bool (len(indices),): which of these photos were filled."""
        if self.filled is None:
            return np.ones(len(indices), bool)
        return np.asarray(self.filled[indices])


@dataclass(frozen=True)
class Settings:
    """draws: resamples. floor: photos that set-level metrics need. seed: of all resampling."""

    draws: int = 2000
    floor: int = 50
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Scored:
    """A slice's metrics, model -> metric -> entry, and the bootstrap draws behind them."""

    slice: Slice
    metrics: dict[str, dict[str, dict[str, Any]]]
    draws: dict[str, dict[str, np.ndarray]] = field(repr=False)


def score_slices(
    slices: Sequence[Slice],
    models: Sequence[Measured],
    real: np.ndarray | None,
    settings: Settings,
) -> list[Scored]:
    """Every metric of every model on every slice.

    Args:
        real: feature rows (n, d) of the bare faces, or None without set-level metrics.
    """
    sizes = matched_sizes(slices, settings.floor)
    return [_score_slice(s, models, real, settings, sizes.get(s.fixed)) for s in slices]


def matched_sizes(slices: Sequence[Slice], floor: int) -> dict[tuple[str, ...], int]:
    """Factors -> the n at which their slices' FID is taken: the smallest that reaches the floor."""
    sizes: dict[tuple[str, ...], int] = {}
    for s in slices:
        if s.n >= floor:
            sizes[s.fixed] = min(s.n, sizes.get(s.fixed, s.n))
    return sizes


def common_size(slices: Sequence[Slice], floor: int) -> int | None:
    """The smallest slice that reaches the floor: KID's common subset size."""
    return min((s.n for s in slices if s.n >= floor), default=None)


def _score_slice(
    part: Slice,
    models: Sequence[Measured],
    real: np.ndarray | None,
    settings: Settings,
    matched: int | None,
) -> Scored:
    metrics: dict[str, dict[str, dict[str, Any]]] = {m.name: {} for m in models}
    draws: dict[str, dict[str, np.ndarray]] = {m.name: {} for m in models}
    rng = generator_for(settings.seed, "slice", part.name, part.n)
    counts = resample_counts(part.n, settings.draws, rng) if part.n >= 2 else None
    for model in models:
        found, drawn = metrics[model.name], draws[model.name]
        filled = model.filled_of(part.indices)
        found["coverage"], drawn["coverage"] = _coverage(int(filled.sum()), part, settings)
        values = model.values[part.indices]
        columns = _resampled(model.columns, values, counts)
        for k, column in enumerate(model.columns):
            found[column], drawn[column] = _column(column, values[:, k], columns[k], part)
            if column in model.beside:
                name, beside = model.beside[column]
                found[column][name] = _beside(column, beside[part.indices], counts, part)
        weights = None if counts is None else counts[:, filled]
        for metric, (bare, painted) in model.judged.items():
            pair = bare[part.indices][filled], painted[part.indices][filled]
            found[metric], drawn[metric] = _c2st(*pair, weights)
        for metric, note in model.notes.items():
            found[metric] = _empty(note)
        if real is not None and model.features is not None:
            rows = real[part.indices][filled], model.features[part.indices][filled]
            found["fid"] = _fid(*rows, part, matched, settings)
            found["kid"], drawn["kid"] = _kid(*rows, weights, settings.floor)
    return Scored(part, metrics, draws)


def _resampled(
    columns: Sequence[str], values: np.ndarray, counts: np.ndarray | None
) -> list[np.ndarray]:
    """Each column's statistic, mean or median, in every resample; empty where there is none."""
    if counts is None:
        return [np.empty(0)] * len(columns)
    whole = ~np.isnan(values).any(0)
    means = resampled_means(np.where(whole, values, 0.0), counts)
    found = []
    for k, column in enumerate(columns):
        there = ~np.isnan(values[:, k])
        if METRICS[column].middle:
            found.append(resampled_medians(values[there, k], counts[:, there]))
        elif whole[k]:
            found.append(means[:, k])
        else:
            found.append(weighted_means(values[there, k], counts[:, there]))
    return found


def middle_of(metric: str, values: np.ndarray) -> float:
    """A slice's value of a metric from the values of its photos (n,), n >= 1: mean or median."""
    return float(np.median(values) if METRICS[metric].middle else values.mean())


def _column(
    column: str, values: np.ndarray, drawn: np.ndarray, part: Slice
) -> tuple[dict[str, Any], np.ndarray]:
    there = values[~np.isnan(values)]
    if not len(there):
        return _empty("no photos" if part.n == 0 else NO_VALUES), np.empty(0)
    return _entry(middle_of(column, there), drawn, len(there)), drawn


def _beside(
    column: str, values: np.ndarray, counts: np.ndarray | None, part: Slice
) -> dict[str, Any]:
    drawn = _resampled([column], values[:, None], counts)[0]
    return _column(column, values, drawn, part)[0]


def _coverage(filled: int, part: Slice, settings: Settings) -> tuple[dict[str, Any], np.ndarray]:
    """The share of a slice's photos that were scored, with Wilson's interval."""
    if not part.of:
        return _empty("no photos"), np.empty(0)
    bounds = stats.binomtest(filled, part.of).proportion_ci(LEVEL, method="wilson")
    rng = generator_for(settings.seed, "coverage", part.name, part.of, filled)
    share = filled / part.of
    drawn = rng.binomial(part.of, share, settings.draws) / part.of
    return {"value": share, "low": float(bounds.low), "high": float(bounds.high)}, drawn


def _c2st(
    real: np.ndarray, fake: np.ndarray, counts: np.ndarray | None
) -> tuple[dict[str, Any], np.ndarray]:
    there = ~np.isnan(real) & ~np.isnan(fake)
    if counts is None or there.sum() < MIN_JUDGED:
        return _empty(TOO_FEW), np.empty(0)
    value = float(auc(real[there], fake[there])[0])
    drawn = auc(real[there], fake[there], counts[1:, there])
    return _entry(value, drawn, int(there.sum())), drawn


def _entry(value: float, drawn: np.ndarray, n: int) -> dict[str, Any]:
    bounds = interval(drawn, n)
    return {"value": value, "low": bounds.low, "high": bounds.high}


def _empty(note: str) -> dict[str, Any]:
    return {"value": None, "low": None, "high": None, "note": note}


def _kid(
    real: np.ndarray, fake: np.ndarray, counts: np.ndarray | None, floor: int
) -> tuple[dict[str, Any], np.ndarray]:
    n = len(real)
    if counts is None or n < floor:
        return _empty(TOO_FEW), np.empty(0)
    drawn = paired_kid(real, fake, counts)
    return _entry(float(drawn[0]), drawn[1:], n), drawn[1:]


def _fid(
    real: np.ndarray, fake: np.ndarray, part: Slice, matched: int | None, settings: Settings
) -> dict[str, Any]:
    """FID at the matched n, the mean over a few subsets; no interval, for resampling biases it."""
    n = len(real)
    if matched is None or n < settings.floor:
        return _empty(TOO_FEW)
    matched = min(matched, n)
    rng = generator_for(settings.seed, "fid", part.name, n, matched)
    if matched == n:
        value = frechet_distance(real, fake)
    else:
        chosen = [rng.permutation(n)[:matched] for _ in range(FID_SUBSETS)]
        value = float(np.mean([frechet_distance(real[c], fake[c]) for c in chosen]))
    return {"value": value, "low": None, "high": None, "n": matched, "note": "biased"}
