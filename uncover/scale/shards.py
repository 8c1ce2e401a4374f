"""What there is to do: shards (folders, tars, Parquet files), and the blocks they are done in."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from uncover.errors import UncoverError
from uncover.images import READABLE, is_file, walk, writable

Kind = Literal["folder", "tar", "parquet"]
ENDINGS: dict[str, Kind] = {".tar": "tar", ".parquet": "parquet"}
ROWS = 64
"""Photos in a block: what is lost at most when a worker is killed, a few seconds of work."""


@dataclass(frozen=True)
class Shard:
    """One folder, tar or Parquet file.

    Attributes:
        source: where it lies.
        name: where it lies below the folder that was asked for; "" for that folder itself.
        state: changes when the shard does.
    """

    source: Path
    name: str
    kind: Kind
    state: str


@dataclass(frozen=True)
class Block:
    """Some photos of a shard, done together.

    Attributes:
        items: of a folder (file name, name of the result); of a tar (name, offset, size) of
            every member of its samples; of a Parquet file one (row group, first row, rows).
    """

    shard: Shard
    number: int
    items: tuple[tuple[Any, ...], ...]


def find_shards(source: Path) -> list[Shard]:
    """The shards of a folder and its sub-folders, or the one that a file is.

    Hidden names are left out, and tars and Parquet files lie beside pictures as they like.

    Raises:
        UncoverError: there is nothing to do.
    """
    if source.is_file():
        kind = ENDINGS.get(source.suffix.lower())
        if kind is None:
            raise UncoverError(f"{source} is no folder, .tar or .parquet file")
        return [Shard(source, source.name, kind, _state([source]))]
    if not source.is_dir():
        raise UncoverError(f"{source} does not exist")
    found: list[Shard] = []
    for here, names, _ in walk(source):
        files = [here / name for name in names]
        for file in files:
            kind = ENDINGS.get(file.suffix.lower())
            if kind is not None:
                found.append(Shard(file, str(file.relative_to(source)), kind, _state([file])))
        pictures = [file for file in files if file.suffix.lower() in READABLE]
        if pictures:
            name = "" if here == source else str(here.relative_to(source))
            found.append(Shard(here, name, "folder", _state(pictures)))
    if not found:
        raise UncoverError(f"{source} holds no pictures, .tar or .parquet files")
    return found


def blocks_of(shard: Shard, rows: int = ROWS) -> Iterator[Block]:
    """The shard in blocks of at most `rows` photos, always the same ones.

    Raises:
        UncoverError: the file is damaged.
    """
    items = {"folder": _pictures, "tar": _samples, "parquet": _row_ranges}[shard.kind]
    group: list[tuple[Any, ...]] = []
    number = photos = 0
    for sample in items(shard, rows):
        group += sample
        photos += 1
        if photos == rows or shard.kind == "parquet":
            yield Block(shard, number, tuple(group))
            group, number, photos = [], number + 1, 0
    if group:
        yield Block(shard, number, tuple(group))


def key_of(member: str) -> tuple[str, str]:
    """Of a tar's member the sample it belongs to and what of it: WebDataset's rule, at the first
    dot of the file's name."""
    folder, slash, name = member.rpartition("/")
    key, _, ending = name.partition(".")
    return folder + slash + key, ending


def picture_of(members: list[str]) -> str | None:
    """The member of a sample that is its photo: the first that is called like a picture."""
    return next((name for name in members if Path(name).suffix.lower() in READABLE), None)


def _state(files: list[Path]) -> str:
    lines = [f"{file.name} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files]
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _pictures(shard: Shard, rows: int) -> Iterator[list[tuple[Any, ...]]]:
    taken: set[str] = set()
    files = [p for p in sorted(shard.source.iterdir()) if p.name[0] != "." and is_file(p)]
    names = [p.name for p in files if p.suffix.lower() in READABLE]
    plain = {name for name in names if writable(name).name == name}
    for name in names:
        target = writable(name)
        if name not in plain and (target.name in plain or target.name in taken):
            target = Path(name + target.suffix)  # a.heic beside a.jpg
        taken.add(target.name)
        yield [(name, target.name)]


def _samples(shard: Shard, rows: int) -> Iterator[list[tuple[Any, ...]]]:
    last = None
    group: list[tuple[Any, ...]] = []
    try:
        with tarfile.open(shard.source) as archive:
            for member in archive:
                if not member.isfile():
                    continue
                key = key_of(member.name)[0]
                if group and key != last:
                    yield group
                    group = []
                last = key
                group.append((member.name, member.offset_data, member.size))
    except (tarfile.TarError, OSError, EOFError) as error:
        raise UncoverError(f"{shard.source}: not a plain tar, or damaged: {error}") from None
    if group:
        yield group


def _row_ranges(shard: Shard, rows: int) -> Iterator[list[tuple[Any, ...]]]:
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(shard.source) as file:
            counts = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    except (ArrowException, OSError) as error:
        raise UncoverError(f"{shard.source}: not a Parquet file, or damaged: {error}") from None
    for group, count in enumerate(counts):
        for first in range(0, count, rows):
            yield [(group, first, min(rows, count - first))]
