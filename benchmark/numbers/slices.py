"""Which photos belong to which slice: every value of a factor, and every crossing of factors."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from uncover.errors import UncoverError
from uncover.faces import POSE_BINS, UNKNOWN, pose_name
from uncover.scores import ALL

MAX_VALUES = 24

Factors = Mapping[str, Sequence[str]]
"""factor name -> the value of each photo, in the photos' order."""


@dataclass(frozen=True)
class Slice:
    """values: factor -> value or "all", in the order asked for. indices: the photos, ascending.
    lost: how many more photos belong here that could not be measured."""

    values: dict[str, str]
    indices: np.ndarray
    lost: int = 0

    @property
    def n(self) -> int:
        return len(self.indices)

    @property
    def of(self) -> int:
        """All photos of the slice, with those that could not be measured."""
        return self.n + self.lost

    @property
    def fixed(self) -> tuple[str, ...]:
        """The factors that this slice holds at one value."""
        return tuple(f for f, value in self.values.items() if value != ALL)

    @property
    def name(self) -> str:
        """Such as "ethnicity=asian, pose=30-60", or "all"."""
        return ", ".join(f"{f}={self.values[f]}" for f in self.fixed) or ALL


def values_of(factor: str, column: Sequence[str]) -> list[str]:
    """The values of a factor in the order they are shown.

    All four pose bins are listed, photos or none, since what was not tested is worth saying.

    Raises:
        UncoverError: the column has too many values to be a factor.
    """
    found = set(column)
    if factor == "pose":
        return [*POSE_BINS, *([UNKNOWN] if UNKNOWN in found else [])]
    if len(found) > MAX_VALUES:
        raise UncoverError(
            f"slice {factor} has {len(found)} values; a factor may have {MAX_VALUES} at most"
        )
    return sorted(found, key=lambda value: (value in (UNKNOWN, "other"), value))


def make_slices(factors: Factors, lost: Factors | None = None) -> list[Slice]:
    """The whole set, then every value of every factor, then every crossing.

    A crossing without a photo is listed with n = 0.

    Args:
        factors: of the photos that were measured.
        lost: of those that were not. One whose head pose is unknown counts in slices of any pose
            alone.
    """
    names = list(factors)
    columns = {f: np.asarray(factors[f], dtype=object) for f in names}
    gone = {f: np.asarray((lost or {}).get(f, ()), dtype=object) for f in names}
    values = {f: values_of(f, [*factors[f], *_labelled(f, gone[f])]) for f in names}
    count = len(next(iter(columns.values()))) if names else 0
    missing = len(next(iter(gone.values()))) if names else 0
    slices = []
    for size in range(len(names) + 1):
        for chosen in itertools.combinations(names, size):
            for combination in itertools.product(*(values[f] for f in chosen)):
                fixed = dict(zip(chosen, combination, strict=True))
                inside, outside = np.ones(count, dtype=bool), np.ones(missing, dtype=bool)
                for factor, value in fixed.items():
                    inside &= columns[factor] == value
                    outside &= gone[factor] == value
                chosen_values = {f: fixed.get(f, ALL) for f in names}
                slices.append(Slice(chosen_values, np.flatnonzero(inside), int(outside.sum())))
    return slices


def _labelled(factor: str, column: np.ndarray) -> list[str]:
    """The values of photos that were not measured which make slices of their own."""
    own = ("pose", "mask_type")
    return [v for v in column.tolist() if v != UNKNOWN or factor not in own]


def parse_where(text: str | None) -> dict[str, set[str]]:
    """Read "ethnicity=asian,pose=30-60"; several values of a factor are joined with "|".

    Raises:
        UncoverError: not of that form.
    """
    wanted: dict[str, set[str]] = {}
    for part in (text or "").split(","):
        if not part.strip():
            continue
        factor, sign, value = part.partition("=")
        if not sign or not factor.strip() or not value.strip():
            raise UncoverError(f"--where {text}: write factor=value[,factor=value], not {part!r}")
        names = {v.strip() for v in value.split("|")}
        if factor.strip() == "pose":
            names = {pose_name(v) for v in names}
        wanted.setdefault(factor.strip(), set()).update(names)
    return wanted


def select(factors: Factors, wanted: Mapping[str, set[str]], count: int) -> np.ndarray:
    """Indices of the photos that `--where` keeps.

    Raises:
        UncoverError: an unknown factor or value, or nothing is left.
    """
    keep = np.ones(count, dtype=bool)
    for factor, values in wanted.items():
        if factor not in factors:
            raise UncoverError(
                f"--where names the unknown factor {factor}; there are: {', '.join(factors)}"
            )
        known = values_of(factor, factors[factor])
        if strange := sorted(values - set(known)):
            raise UncoverError(
                f"--where: {factor} has no value {strange[0]}; there are: {', '.join(known)}"
            )
        keep &= np.isin(np.asarray(factors[factor], dtype=str), sorted(values))
    if not keep.any():
        text = ", ".join(f"{f}={'|'.join(sorted(v))}" for f, v in wanted.items())
        raise UncoverError(f"the slice {text} is empty: no photo has these labels together")
    return np.flatnonzero(keep)
