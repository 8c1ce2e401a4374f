"""Which face comes next: draws balanced over ethnicity x head pose, without any state.

Draw number k of a run is a pure function of (seed, k), so any process can make any draw, several
processes share the work by striding, and a resumed run sees exactly what it would have seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler

from uncover.records import FaceRecord

POSE_EDGES = (15.0, 30.0, 60.0)
"""Upper edges in degrees of |yaw| for the bins 0-15, 15-30, 30-60; what lies beyond is >60."""


def pose_bin(yaw: float) -> str:
    """The bin of a head's yaw in degrees: "0-15", "15-30", "30-60", ">60" or "unknown"."""
    if not np.isfinite(yaw):
        return "unknown"
    low = 0.0
    for high in POSE_EDGES:
        if abs(yaw) < high:
            return f"{low:.0f}-{high:.0f}"
        low = high
    return f">{low:.0f}"


def cell(record: FaceRecord) -> tuple[str, str]:
    """The (ethnicity, pose bin) a record counts under; missing labels count as "unknown"."""
    return record.ethnicity or "unknown", pose_bin(record.yaw)


def draw_probabilities(records: Sequence[FaceRecord], balance: float) -> np.ndarray:
    """Probability of each record, float64 summing to 1.

    balance: 0 = every photo equally often, 1 = every (ethnicity, pose) cell equally often; in
    between a cell's share is proportional to n ** (1 - balance). A photo is never drawn more than
    20 times as often as it would be at balance 0, so that a cell of three photos is not learned
    by heart.
    """
    if not 0 <= balance <= 1:
        raise ValueError(f"balance must lie in 0..1, not {balance}")
    cells = [cell(record) for record in records]
    counts = Counter(cells)
    weights = np.array([counts[c] ** -balance for c in cells], dtype=np.float64)
    weights /= weights.sum()
    limit = 20 / len(records)
    return np.minimum(weights, limit) / np.minimum(weights, limit).sum()


class StridedDraws(Sampler[int]):
    """Draw numbers start + rank, start + rank + world, ... below stop."""

    def __init__(self, start: int, stop: int, rank: int = 0, world: int = 1) -> None:
        self.range = range(start + rank, stop, world)

    def __iter__(self) -> Iterator[int]:
        return iter(self.range)

    def __len__(self) -> int:
        return len(self.range)
