"""Folders of pictures, walked in a fixed order, links and all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def walk(folder: Path, not_into: Path | None = None) -> Iterator[tuple[Path, list[str], int]]:
    """Each folder, the names of its files in order, and how many sub-folders it has.

    Links are followed, and every folder is entered once, so links that lead back end nothing.
    Hidden names are left out, and the folder `not_into`.
    """
    barred = {os.path.realpath(not_into)} if not_into is not None else set()
    seen = {os.path.realpath(folder)}
    for place, below, names in os.walk(folder, followlinks=True):
        below[:] = sorted(name for name in below if name[0] != ".")
        real = {name: os.path.realpath(os.path.join(place, name)) for name in below}  # noqa: PTH118
        below[:] = [name for name in below if real[name] not in seen | barred]
        seen |= {real[name] for name in below}
        here = Path(place)
        files = [n for n in sorted(names) if n[0] != "." and is_file(here / n)]
        yield here, files, len(below)


def is_file(path: Path) -> bool:
    """Whether a file lies there; at a name that cannot be, none does."""
    try:
        return path.is_file()
    except OSError:
        return False
