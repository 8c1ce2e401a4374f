"""From values per photo to numbers per slice, each with its interval.

Pure arithmetic on arrays: no photo, model or network is touched here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmark.metrics.fid import fid
from benchmark.metrics.kid import paired_kid
from benchmark.numbers.bootstrap import generator_for, interval, resample_counts, resampled_means
from benchmark.numbers.slices import Slice

FID_SUBSETS = 5
TOO_FEW = "too few"


@dataclass(frozen=True, eq=False)
class Measured:
    """One model's values: columns of values (n, k), and feature rows (n, d) or None."""

    name: str
    columns: tuple[str, ...]
    values: np.ndarray
    features: np.ndarray | None = None


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
        values = model.values[part.indices]
        means = None if counts is None else resampled_means(values, counts)
        for k, column in enumerate(model.columns):
            if part.n == 0:
                metrics[model.name][column] = _empty("no photos")
                continue
            drawn = np.empty(0) if means is None else means[:, k]
            draws[model.name][column] = drawn
            metrics[model.name][column] = _entry(float(values[:, k].mean()), drawn, part.n)
        if real is not None and model.features is not None:
            pair = real[part.indices], model.features[part.indices]
            kid, kid_draws = _kid(*pair, counts, part.n, settings.floor)
            metrics[model.name]["fid"] = _fid(*pair, part, matched, settings)
            metrics[model.name]["kid"] = kid
            draws[model.name]["kid"] = kid_draws
    return Scored(part, metrics, draws)


def _entry(value: float, drawn: np.ndarray, n: int) -> dict[str, Any]:
    bounds = interval(drawn, n)
    return {"value": value, "low": bounds.low, "high": bounds.high}


def _empty(note: str) -> dict[str, Any]:
    return {"value": None, "low": None, "high": None, "note": note}


def _kid(
    real: np.ndarray, fake: np.ndarray, counts: np.ndarray | None, n: int, floor: int
) -> tuple[dict[str, Any], np.ndarray]:
    if counts is None or n < floor:
        return _empty(TOO_FEW), np.empty(0)
    drawn = paired_kid(real, fake, counts)
    return _entry(float(drawn[0]), drawn[1:], n), drawn[1:]


def _fid(
    real: np.ndarray, fake: np.ndarray, part: Slice, matched: int | None, settings: Settings
) -> dict[str, Any]:
    """FID at the matched n, the mean over a few subsets; no interval, for resampling biases it."""
    if matched is None or part.n < settings.floor:
        return _empty(TOO_FEW)
    rng = generator_for(settings.seed, "fid", part.name, part.n, matched)
    if matched == part.n:
        value = fid(real, fake)
    else:
        chosen = [rng.permutation(part.n)[:matched] for _ in range(FID_SUBSETS)]
        value = float(np.mean([fid(real[c], fake[c]) for c in chosen]))
    return {"value": value, "low": None, "high": None, "n": matched, "note": "biased"}
