"""Which face comes next: draws balanced over group x head pose x sharpness, without any state.

Draw number k of a run is a pure function of (seed, k), so any process can make any draw, several
processes share the work by striding, and a resumed run sees exactly what it would have seen.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from torch.utils.data import Sampler

from uncover.errors import UncoverError
from uncover.faces import UNKNOWN, FaceRecord, pose_bin, wide_group

MOST_FAVOURED = 20.0
SHARPNESS_BINS = ("soft", "middling", "sharp")
# Thirds of the 49,851 training photos of UTKFace, OMI, All-Age-Faces and FairFace together, so that
# a set's own softness does not decide: sharp are 20 % of FairFace, 22 % of UTKFace, 82 % of
# All-Age-Faces, all of OMI.
SHARPNESS_EDGES = (29.0, 88.0)


class Cell(NamedTuple):
    """What a photo counts under: its own ethnicity label, pose bin and sharpness bin."""

    ethnicity: str
    pose: str
    sharpness: str = UNKNOWN


@dataclass(frozen=True)
class Balance:
    """How often photos are drawn.

    cells: 0 = every photo equally often, 1 = every (ethnicity, pose) cell equally often; in between
      a cell's share is proportional to n ** (1 - cells).
    sharp: the same for soft, middling and sharp photos within each cell.
    groups: the same for the seven groups and "other" (`uncover.faces.wide_group`), as they come
      after the first two.
    favour: an ethnicity, a group, a pose bin or a sharpness bin -> factor on how often its photos
      are drawn.
    """

    cells: float = 0.5
    sharp: float = 0.0
    groups: float = 0.0
    favour: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shares = {"balance": self.cells, "sharp": self.sharp, "groups": self.groups}
        for name, value in shares.items():
            if not 0 <= value <= 1:
                raise UncoverError(f"{name} must lie in 0..1, not {value}")


def sharpness_bin(sharpness: float) -> str:
    """soft, middling or sharp; "unknown" for what is not finite."""
    if not math.isfinite(sharpness):
        return UNKNOWN
    return SHARPNESS_BINS[sum(sharpness >= edge for edge in SHARPNESS_EDGES)]


def cell(record: FaceRecord) -> Cell:
    """The cell a record counts under; missing labels count as "unknown"."""
    return Cell(record.ethnicity or UNKNOWN, pose_bin(record.yaw), sharpness_bin(record.sharpness))


def cell_weights(cells: Mapping[Cell, int], balance: Balance) -> dict[Cell, float]:
    """How often a photo of each cell is drawn, 1 on average over the photos.

    cells: number of photos in each. No photo is drawn more than 20 times as often as the average,
    so that a cell of three is not learned by heart.

    Raises UncoverError where `balance.favour` names what no photo has, or `balance.sharp` is asked
    of shards that do not tell sharpness.
    """
    if unknown := sorted(set(balance.favour) - {name for key in cells for name in _names(key)}):
        raise UncoverError(f"favour: there are no photos of {unknown[0]!r} to train on")
    if balance.sharp and all(key.sharpness == UNKNOWN for key in cells):
        raise UncoverError("sharp: these shards do not tell how sharp a photo is: pack them again")
    share = _as_balanced(cells, balance)
    raw = {
        key: share[key] / n * math.prod(balance.favour.get(name, 1.0) for name in _names(key))
        for key, n in cells.items()
    }
    total = sum(cells.values())
    mean = sum(raw[key] * n for key, n in cells.items()) / total
    capped = {key: min(value / mean, MOST_FAVOURED) for key, value in raw.items()}
    mean = sum(capped[key] * n for key, n in cells.items()) / total
    return {key: value / mean for key, value in capped.items()}


def _names(key: Cell) -> set[str]:
    return {*key, wide_group(key.ethnicity)}


def _as_balanced(cells: Mapping[Cell, int], balance: Balance) -> dict[Cell, float]:
    """Share of the draws of each cell, before favours, up to a common factor."""
    seen: dict[tuple[str, str], int] = defaultdict(int)
    for key, n in cells.items():
        seen[key[:2]] += n
    levelled: dict[tuple[str, str], float] = defaultdict(float)
    for key, n in cells.items():
        levelled[key[:2]] += n ** (1 - balance.sharp)
    share = {
        key: seen[key[:2]] ** (1 - balance.cells) * n ** (1 - balance.sharp) / levelled[key[:2]]
        for key, n in cells.items()
    }
    group: dict[str, float] = defaultdict(float)
    for key, value in share.items():
        group[wide_group(key.ethnicity)] += value
    return {
        key: value * group[wide_group(key.ethnicity)] ** -balance.groups
        for key, value in share.items()
    }


def draw_probabilities(records: Sequence[FaceRecord], balance: Balance) -> np.ndarray:
    """Probability of each record, float64 summing to 1; see `cell_weights`."""
    cells = [cell(record) for record in records]
    weights = cell_weights(Counter(cells), balance)
    return np.array([weights[c] for c in cells]) / len(cells)


class StridedDraws(Sampler[int]):
    """Draw numbers start + rank, start + rank + world, ... below stop."""

    def __init__(self, start: int, stop: int, rank: int = 0, world: int = 1) -> None:
        self.range = range(start + rank, stop, world)

    def __iter__(self) -> Iterator[int]:
        return iter(self.range)

    def __len__(self) -> int:
        return len(self.range)
