"""A block done and noted, a shard put together: each whole or not at all, in any process.

Finished blocks lie in DST/.uncover-scale until their shard is complete; then one small file per
shard stays there and says that it is done. Whoever is killed loses the block in hand.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any

from uncover.atomic import whole_file, write_atomically
from uncover.errors import UncoverError
from uncover.images import made_here, writable
from uncover.scale.shards import Block, Shard, blocks_of, key_of, picture_of
from uncover.scale.tables import append_tables, read_rows, write_rows
from uncover.scale.worker import Outcome, Uncover

PLACE = ".uncover-scale"
LINES = "uncover.jsonl"
SAID = "uncover.json"


@dataclass(frozen=True)
class Work:
    """What is asked for; small enough to be sent to every worker.

    Attributes:
        target: the folder of the results; every worker must reach it, and the source, by path.
        column: of Parquet files, the column with the photos.
        overwrite: also over files that were not made here.
        options: for `Uncover`, besides `column`.
        version: of the program; a new one does everything anew.
    """

    target: Path
    column: str = "image"
    overwrite: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    version: str = ""

    def worker(self) -> Uncover:
        """Load the networks. Raises as `Uncover` does."""
        return Uncover(column=self.column, **self.options)

    def pending(self, shard: Shard) -> list[Block]:
        """What is still to be done of a shard. Raises UncoverError: it cannot be read."""
        return [block for block in blocks_of(shard) if not self._note(block).exists()]

    def is_done(self, shard: Shard) -> bool:
        """Whether the shard was done before, with the same photos and options."""
        return self._receipt(shard).exists() and self._result(shard).exists()

    def check(self, shard: Shard) -> None:
        """Raise UncoverError where a shard's result would overwrite what others made."""
        result = self._result(shard)
        if self.overwrite or not result.exists():
            return
        ours = f"{_hash(shard.name)}-*"  # done, or being put together when it was killed
        if not any((self.target / PLACE).glob(ours)):
            raise UncoverError(
                f"{result} exists and is not a result of uncover scale: choose another folder, or "
                "give --overwrite"
            )

    def tidy(self) -> None:
        """Remove blocks of shards that are done: what a run leaves that is killed at their end."""
        place = self.target / PLACE
        if not place.is_dir():
            return
        names = [path.name for path in place.iterdir()]
        done = {name.removesuffix(".done") for name in names if name.endswith(".done")}
        for name in names:
            if not name.endswith(".done") and name.rpartition("-")[0] in done:
                (place / name).unlink(missing_ok=True)

    def do(self, block: Block, uncover: Uncover) -> Counter[str]:
        """Do a block and note it; returns how many photos have which status.

        Raises:
            UncoverError: the shard cannot be read, or there is no such column.
            OSError: the results cannot be written.
        """
        (self.target / PLACE).mkdir(parents=True, exist_ok=True)
        do = {"folder": self._do_folder, "tar": self._do_tar, "parquet": self._do_parquet}
        counts = Counter(do[block.shard.kind](block, uncover))
        write_atomically(self._note(block), json.dumps(counts).encode())
        return counts

    def finish(self, shard: Shard) -> Counter[str]:
        """Put a shard together whose blocks are all done, and forget the blocks.

        Raises OSError: it cannot be written; what is done stays.
        """
        blocks = list(blocks_of(shard))
        counts: Counter[str] = Counter()
        for block in blocks:
            counts.update(json.loads(self._note(block).read_text()))
        result = self._result(shard)
        result.parent.mkdir(parents=True, exist_ok=True)
        parts = [self._part(block) for block in blocks]
        with whole_file(result) as part:
            {"folder": _append, "tar": _append_tars, "parquet": append_tables}[shard.kind](
                parts, part
            )
        receipt = json.dumps({"shard": shard.name, "photos": counts})
        write_atomically(self._receipt(shard), receipt.encode())
        for block in blocks:
            for path in (self._part(block), self._note(block), self._begun(block)):
                path.unlink(missing_ok=True)
        return counts

    def before(self, shard: Shard) -> Counter[str]:
        """How many photos of a shard that is done have which status."""
        return Counter(json.loads(self._receipt(shard).read_text())["photos"])

    def _do_folder(self, block: Block, uncover: Uncover) -> list[str]:
        folder = self._result(block.shard).parent
        folder.mkdir(parents=True, exist_ok=True)
        sources = [block.shard.source / name for name, _ in block.items]
        targets = [folder / target for _, target in block.items]
        again = self.overwrite or self._begun(block).exists()
        foreign = [not again and path.exists() and not made_here(path) for path in targets]
        write_atomically(self._begun(block), b"")
        photos = [None if bad else _read(path) for path, bad in zip(sources, foreign, strict=True)]
        lines = []
        found = uncover.outcomes(photos, [path.name for path in targets])
        for source, target, bad, one in zip(sources, targets, foreign, found, strict=True):
            if bad:
                one = replace(one, reason=f"{target} exists and is not a result of uncover")
            if one.image is not None:
                with whole_file(target, sync=False) as part:
                    part.write_bytes(one.image)
            output = target.name if one.image is not None else None
            lines.append({"photo": source.name, "output": output, **_said(one)})
        text = "".join(json.dumps(line) + "\n" for line in lines)
        write_atomically(self._part(block), text.encode())
        return [line["status"] for line in lines]

    def _do_tar(self, block: Block, uncover: Uncover) -> list[str]:
        samples: dict[str, dict[str, bytes]] = {}
        with block.shard.source.open("rb") as file:
            for name, offset, size in block.items:
                file.seek(offset)
                samples.setdefault(key_of(name)[0], {})[name] = file.read(size)
        chosen = [picture_of(list(members)) for members in samples.values()]
        photos = [
            members[name] if name else None
            for name, members in zip(chosen, samples.values(), strict=True)
        ]
        names = [str(writable(name)) if name else "" for name in chosen]
        found = uncover.outcomes(photos, names)
        with whole_file(self._part(block)) as part, tarfile.open(part, "w") as archive:
            for (key, members), name, new, one in zip(
                samples.items(), chosen, names, found, strict=True
            ):
                for member, data in members.items():
                    if member != name and key_of(member)[1] != SAID:
                        _add(archive, member, data)
                if one.image is not None:
                    _add(archive, new, one.image)
                _add(archive, f"{key}.{SAID}", json.dumps(_said(one)).encode())
        return [one.status for one in found]

    def _do_parquet(self, block: Block, uncover: Uncover) -> list[str]:
        ((group, first, count),) = block.items
        table = read_rows(block.shard.source, group, first, count, self.column)
        columns = uncover({self.column: table[self.column].to_pylist()})
        with whole_file(self._part(block)) as part:
            write_rows(table, columns, self.column, part)
        return list(columns["status"])

    def _key(self, shard: Shard) -> str:
        meant = json.dumps([self.version, self.column, self.options], sort_keys=True, default=str)
        return f"{_hash(shard.name)}-{_hash(meant + shard.state)}"

    def _result(self, shard: Shard) -> Path:
        where = self.target / shard.name
        return where / LINES if shard.kind == "folder" else where

    def _part(self, block: Block) -> Path:
        return self._beside(block, "part")

    def _note(self, block: Block) -> Path:
        return self._beside(block, "json")

    def _begun(self, block: Block) -> Path:
        return self._beside(block, "begun")

    def _beside(self, block: Block, ending: str) -> Path:
        return self.target / PLACE / f"{self._key(block.shard)}-{block.number:06d}.{ending}"

    def _receipt(self, shard: Shard) -> Path:
        return self.target / PLACE / f"{self._key(shard)}.done"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:12]


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _said(one: Outcome) -> dict[str, Any]:
    values = asdict(one)
    del values["image"]
    return {**values, "faces": json.loads(one.faces)}


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    archive.addfile(member, BytesIO(data))


def _append(parts: Sequence[Path], target: Path) -> None:
    with target.open("wb") as file:
        for part in parts:
            file.write(part.read_bytes())


def _append_tars(parts: Sequence[Path], target: Path) -> None:
    with tarfile.open(target, "w") as archive:
        for member, data in _members(parts):
            archive.addfile(member, data)


def _members(parts: Sequence[Path]) -> Iterator[tuple[tarfile.TarInfo, Any]]:
    for part in parts:
        with tarfile.open(part) as archive:
            for member in archive:
                yield member, archive.extractfile(member)
