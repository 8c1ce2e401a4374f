"""What a metric's module gives a run: values, or rows of numbers, for the fills of one photo."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Scorer(Protocol):
    """Values per photo. `key` names the exact computation: equal keys, equal values.

    columns: the metrics, one a value; empty where a row is not a value yet, as features are not.
    of_truth: whether the bare faces get rows as well, to compare the fills' with.
    """

    key: str
    columns: tuple[str, ...]
    of_truth: bool

    def score(
        self,
        truth: np.ndarray,
        hole: np.ndarray,
        fills: list[np.ndarray],
        landmarks: np.ndarray | None = None,
    ) -> np.ndarray:
        """Compare fills of one photo with its bare face.

        Args:
            truth: uint8 (S, S, 3), the bare face.
            hole: bool (S, S), the pixels that were painted.
            fills: uint8 (S, S, 3) each.
            landmarks: float32 (68, 2) of the bare face in pixels of the pictures.

        Returns:
            float64 (len(fills), len(columns) or the row's width); NaN for a value that this photo
            does not give.
        """
        ...
