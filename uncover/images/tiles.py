"""Contact sheets: pictures of one size side by side, row by row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def tiled(tiles: Sequence[NDArray[np.uint8]], columns: int, grey: int = 0) -> NDArray[np.uint8]:
    """The tiles as one picture, uint8 (rows * h, columns * w, 3).

    Args:
        tiles: uint8 (h, w, 3) RGB, all of one size; at least one.
        columns: tiles in a row.
        grey: level of what stays empty in the last row.
    """
    empty = np.full(tiles[0].shape, grey, np.uint8)
    every = [*tiles, *[empty] * (-len(tiles) % columns)]
    rows = [np.hstack(every[i : i + columns]) for i in range(0, len(every), columns)]
    return np.vstack(rows)
