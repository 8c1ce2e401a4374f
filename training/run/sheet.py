"""Contact sheets of a run: pictures side by side, for the run's own folder only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from uncover.atomic import write_atomically
from uncover.images import tiled


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
    sheet = tiled(tiles, columns, grey)
    _, data = cv2.imencode(path.suffix, cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
    write_atomically(path, data.tobytes())
