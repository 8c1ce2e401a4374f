"""Values and features kept on disk, so that a second run does not compute them again.

A table is a folder of small .npz parts, each written under another name and moved into place, so
a killed run leaves whole parts and several processes can add to one table. Only numbers are kept,
never pictures.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from benchmark.digests import digest
from uncover.atomic import whole_file


def default_folder() -> Path:
    """$UNCOVER_BENCHMARK_CACHE, or a folder in the user's cache."""
    named = os.environ.get("UNCOVER_BENCHMARK_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "uncover" / "benchmark"


class Table:
    """Rows of one width, by id. Parts that cannot be read are ignored and computed again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._rows: dict[str, np.ndarray] = {}
        self._seen: set[str] = set()
        self.refresh()

    def refresh(self) -> None:
        """Read the parts that were added since."""
        if not self.folder.is_dir():
            return
        for part in sorted(self.folder.glob("*.npz")):
            if part.name in self._seen:
                continue
            self._seen.add(part.name)
            try:
                with np.load(part, allow_pickle=False) as data:
                    ids, rows = data["ids"], data["rows"]
            except (OSError, ValueError, KeyError, zipfile.BadZipFile):
                continue
            self._rows.update(zip((str(i) for i in ids), rows, strict=True))

    def __contains__(self, row_id: str) -> bool:
        return row_id in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def missing(self, ids: Iterable[str]) -> list[str]:
        """Those of `ids` that have no row, in order."""
        return [i for i in ids if i not in self._rows]

    def get(self, ids: Sequence[str]) -> np.ndarray:
        """(len(ids), width) rows, in order; KeyError for one that is missing."""
        return np.stack([self._rows[i] for i in ids])

    def get_or_nan(self, ids: Sequence[str], width: int | None = None) -> np.ndarray:
        """As `get`; a row of NaN for one that is missing.

        Args:
            width: of the rows; None takes it from those that are there (0 for none).
        """
        there = [self._rows[i] for i in ids if i in self._rows]
        wide = width if width is not None else len(there[0]) if there else 0
        kind = there[0].dtype if there else np.float64
        rows = np.full((len(ids), wide), np.nan, kind)
        for place, i in enumerate(ids):
            if i in self._rows:
                rows[place] = self._rows[i]
        return rows

    def add(self, ids: Sequence[str], rows: np.ndarray) -> None:
        """Keep rows (len(ids), width), at once and on disk."""
        if not len(ids):
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"{digest(*ids)}.npz"
        with whole_file(self.folder / name, sync=False) as part, part.open("wb") as file:
            np.savez(file, ids=np.array(ids), rows=rows)
        self._seen.add(name)
        self._rows.update(zip(ids, rows, strict=True))
