"""Contact sheets of a run: pictures side by side, for the run's own folder only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from uncover.atomic import write_atomically


def write_sheet(path: Path, tiles: Sequence[np.ndarray], columns: int, grey: int = 0) -> None:
    """Tiles row by row as one picture; nothing is written where there are none.

    Args:
        path: the file, in a folder that is made if need be; its ending says the format.
        tiles: uint8 (h, w, 3) RGB, all of one size.
        columns: tiles in a row.
        grey: level of what stays empty in the last row.
    """
    if not tiles:
        return
    empty = np.full(tiles[0].shape, grey, np.uint8)
    every = [*tiles, *[empty] * (-len(tiles) % columns)]
    rows = [np.hstack(every[i : i + columns]) for i in range(0, len(every), columns)]
    _, data = cv2.imencode(path.suffix, cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))
    write_atomically(path, data.tobytes())
