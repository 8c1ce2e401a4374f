"""Which face comes next: draws balanced over ethnicity x head pose, without any state.

Draw number k of a run is a pure function of (seed, k), so any process can make any draw, several
processes share the work by striding, and a resumed run sees exactly what it would have seen.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from torch.utils.data import Sampler

from uncover.errors import UncoverError
from uncover.faces import FaceRecord, pose_bin

MOST_FAVOURED = 20.0
Cell = tuple[str, str]


def cell(record: FaceRecord) -> Cell:
    """The (ethnicity, pose bin) a record counts under; missing labels count as "unknown"."""
    return record.ethnicity or "unknown", pose_bin(record.yaw)


def cell_weights(
    cells: Mapping[Cell, int], balance: float, favour: Mapping[str, float] | None = None
) -> dict[Cell, float]:
    """How often a photo of each cell is drawn, 1 on average over the photos.

    cells: number of photos in each. balance: 0 = every photo equally often, 1 = every (ethnicity,
    pose) cell equally often; in between a cell's share is proportional to n ** (1 - balance).
    favour: an ethnicity or a pose bin -> factor on how often its photos are drawn. No photo is
    drawn more than 20 times as often as the average, so that a cell of three is not learned by
    heart.
    """
    favour = favour or {}
    if not 0 <= balance <= 1:
        raise ValueError(f"balance must lie in 0..1, not {balance}")
    if unknown := sorted(set(favour) - {name for key in cells for name in key}):
        raise UncoverError(f"favour: there are no photos of {unknown[0]!r} to train on")
    total = sum(cells.values())
    factor = {key: math.prod(favour.get(name, 1.0) for name in key) for key in cells}
    raw = {key: factor[key] * n**-balance for key, n in cells.items()}
    mean = sum(raw[key] * n for key, n in cells.items()) / total
    capped = {key: min(value / mean, MOST_FAVOURED) for key, value in raw.items()}
    mean = sum(capped[key] * n for key, n in cells.items()) / total
    return {key: value / mean for key, value in capped.items()}


def draw_probabilities(
    records: Sequence[FaceRecord], balance: float, favour: Mapping[str, float] | None = None
) -> np.ndarray:
    """Probability of each record, float64 summing to 1; see `cell_weights`."""
    cells = [cell(record) for record in records]
    weights = cell_weights(Counter(cells), balance, favour)
    return np.array([weights[c] for c in cells]) / len(cells)


class StridedDraws(Sampler[int]):
    """Draw numbers start + rank, start + rank + world, ... below stop."""

    def __init__(self, start: int, stop: int, rank: int = 0, world: int = 1) -> None:
        self.range = range(start + rank, stop, world)

    def __iter__(self) -> Iterator[int]:
        return iter(self.range)

    def __len__(self) -> int:
        return len(self.range)
