"""Near-duplicates within a set and across sets: of two alike, the one in test or val stays."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.prepare.cleaning import HASH_BYTES, near_duplicates
from training.prepare.measure import Measured
from uncover.errors import UncoverError
from uncover.faces import SPLITS

HASHES_NAME = "hashes.csv"
# Of two alike the one in test stays, then the one in val: what is scored was never trained on.
_RANK = {split: rank for rank, split in enumerate(reversed(SPLITS))}


def read_hashes(folder: Path) -> list[tuple[str, bytes]]:
    """(path, hash) of what a prepared folder keeps. Raises UncoverError where it has none."""
    path = folder / HASHES_NAME
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            found = [(row["path"], bytes.fromhex(row["hash"])) for row in csv.DictReader(stream)]
    except FileNotFoundError:
        raise UncoverError(f"{path} is not there; prepare {folder} without --no-clean") from None
    except (OSError, ValueError, KeyError) as error:
        raise UncoverError(f"{path} cannot be read: {error}") from error
    if any(len(code) != HASH_BYTES for _, code in found):
        raise UncoverError(f"{path} has a hash that is not of {HASH_BYTES} bytes")
    return found


@dataclass(frozen=True)
class Twins:
    """of: path -> the kept picture that it is a near-duplicate of. kept: (split, path, hash)."""

    of: dict[str, str]
    kept: list[tuple[str, str, str]]

    @classmethod
    def among(cls, parts: Iterable[Measured], against: Sequence[Path]) -> Twins:
        """Near-duplicates among measured pictures, and of those in earlier prepared folders."""
        rows = [
            (row[1], row[0], code)
            for part in parts
            for row, code in zip(part.rows, part.hashes, strict=True)
        ]
        earlier = [(f"{folder.name}/{p}", c) for folder in against for p, c in read_hashes(folder)]
        own = np.frombuffer(b"".join(bytes.fromhex(c) for *_, c in rows), np.uint8)
        others = np.frombuffer(b"".join(c for _, c in earlier), np.uint8)
        ranks = np.array([_RANK[split] for split, *_ in rows], int)
        twin = near_duplicates(own.reshape(-1, HASH_BYTES), ranks, others)
        names = [path for _, path, _ in rows] + [path for path, _ in earlier]
        of = {names[i]: names[k] for i, k in enumerate(twin) if k >= 0}
        return cls(of, [row for row, k in zip(rows, twin, strict=True) if k < 0])
