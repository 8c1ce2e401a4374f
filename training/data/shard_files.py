"""Shards as files: their index, what is in them, from a folder or by URL."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from http.client import HTTPException
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import cv2
import numpy as np

from training.data.faces import StoredFace
from training.run import INDEX_NAME, SHARDS_NAME, is_url
from uncover.errors import UncoverError
from uncover.faces import parse_row

VERSION = 1
PAUSES = (1.0, 5.0, 30.0)  # seconds before a shard is asked for again


@dataclass(frozen=True)
class Shard:
    """One tar file: its name, how many samples and bytes it holds, and their SHA-256."""

    file: str
    split: str
    samples: int
    size: int
    sha256: str


def need_webdataset() -> Any:
    """The package. Raises UncoverError where it is not installed."""
    try:
        import webdataset
    except ImportError as error:
        raise UncoverError(
            "shards need the package webdataset: python -m pip install webdataset psutil"
        ) from error
    return webdataset


@dataclass(frozen=True)
class ShardIndex:
    """What index.json says. base: folder or URL of the shards, without a "/" at its end.

    sources: names of the data sets. cells: "ethnicity\\tpose bin\\tsharpness bin" -> training
    photos.
    """

    base: str
    resolution: int
    sources: tuple[str, ...]
    cells: dict[str, int]
    shards: tuple[Shard, ...]

    def of(self, split: str) -> list[Shard]:
        """The shards of a split."""
        return [shard for shard in self.shards if shard.split == split]

    def where(self, shard: Shard) -> str:
        """Path or URL of a shard."""
        return f"{self.base}/{shard.file}" if self.base else shard.file

    def check_size(self, size: int) -> None:
        """Raises UncoverError when the shards hold too little of a photo for crops of this side."""
        if size > self.resolution:
            raise UncoverError(
                f"the shards were packed for crops of {self.resolution} px, not {size}: pack the "
                f"data again with --resolution {size}"
            )

    def summary(self) -> dict[str, Any]:
        """As `training.data.opening.data_summary`: what a run was trained on."""
        table: dict[str, dict[str, int]] = {}
        for key, count in sorted(self.cells.items()):
            ethnicity, pose, *_ = key.split("\t")
            poses = table.setdefault(ethnicity, {})
            poses[pose] = poses.get(pose, 0) + count
        photos = sum(self.cells.values())
        return {"sources": list(self.sources), "photos": photos, "by_ethnicity_and_pose": table}


def read_index(source: str | Path) -> ShardIndex:
    """The index of a folder of shards, of a prepared folder that holds one, or of a URL.

    source: may also name the index.json itself.

    Raises UncoverError when there is none or it is not as it should be.
    """
    base = str(source).rstrip("/").removesuffix(f"/{INDEX_NAME}")
    if not is_url(base) and (Path(base) / SHARDS_NAME / INDEX_NAME).is_file():
        base = str(Path(base) / SHARDS_NAME)
    where = f"{base}/{INDEX_NAME}"
    try:
        data = json.loads(_read(where, PAUSES[:1]))
        if data["version"] != VERSION:
            raise UncoverError(f"{where} is of version {data['version']}: pack the data again")
        shards = tuple(Shard(**entry) for entry in data["shards"])
        plain = all(Path(shard.file).name == shard.file and shard.samples > 0 for shard in shards)
        if not plain or not any(shard.split == "train" for shard in shards):
            raise UncoverError(f"{where} names no usable shards: pack the data again")
        cells = {str(key): int(count) for key, count in data["cells"].items()}
        return ShardIndex(base, int(data["resolution"]), (str(data["source"]),), cells, shards)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UncoverError(f"{where} is not an index of shards ({error})") from error


def join_indexes(indexes: Sequence[ShardIndex]) -> ShardIndex:
    """Several sets of shards as one; the validation shards are the first set's that has any."""
    if len(indexes) == 1:
        return indexes[0]
    cells: Counter[str] = Counter()
    shards: list[Shard] = []
    for index in indexes:
        cells.update(index.cells)
        known = {shard.split for shard in shards}
        for shard in index.shards:
            if shard.split == "train" or "val" not in known:
                shards.append(replace(shard, file=index.where(shard)))
    resolution = min(index.resolution for index in indexes)
    sources = tuple(name for index in indexes for name in index.sources)
    return ShardIndex("", resolution, sources, dict(sorted(cells.items())), tuple(shards))


def read_shard(index: ShardIndex, shard: Shard) -> list[StoredFace]:
    """All faces of a shard, undecoded: see `decoded`.

    Raises UncoverError when it is missing or does not hold what the index says.
    """
    webdataset = need_webdataset()
    where = index.where(shard)
    data = _read(where, PAUSES)
    if len(data) != shard.size:
        raise UncoverError(f"{where} has {len(data)} bytes, not {shard.size}: fetch it again")
    source = [{"url": where, "stream": BytesIO(data)}]
    groups = webdataset.tariterators.group_by_keys(
        webdataset.tariterators.tar_file_expander(source)
    )
    faces = []
    for sample in groups:
        try:
            record = parse_row(json.loads(sample["json"]), Path(index.base))
            faces.append(
                StoredFace(np.frombuffer(sample["img"], np.uint8), record.landmarks, record)
            )
        except (KeyError, ValueError) as error:
            raise UncoverError(f"{where} sample {sample['__key__']}: {error}") from error
    if len(faces) != shard.samples:
        raise UncoverError(f"{where} holds {len(faces)} faces, not {shard.samples}: pack it again")
    return faces


def decoded(face: StoredFace) -> StoredFace:
    """The face with its picture as uint8 RGB. Raises UncoverError when it is damaged."""
    bgr = cv2.imdecode(face.image, cv2.IMREAD_COLOR)
    if bgr is None:
        raise UncoverError(f"{face.record.path} in a shard cannot be decoded: pack the data again")
    return StoredFace(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), face.landmarks, face.record)


def val_faces(index: ShardIndex, limit: int | None) -> list[StoredFace]:
    """Decoded validation faces, `limit` at most, always the same ones.

    Raises UncoverError when the shards hold none.
    """
    found: list[StoredFace] = []
    for shard in index.of("val"):
        found += sorted(read_shard(index, shard), key=lambda face: face.record.sha256)
        if limit is not None and len(found) >= limit:
            break
    if not found:
        names = ", ".join(index.sources)
        raise UncoverError(f"{names}: no val shards: prepare the data with a val split")
    return [decoded(face) for face in found[:limit]]


def _read(where: str, pauses: Sequence[float] = ()) -> bytes:
    """A file's bytes; what a server failed to send is asked for again after each pause."""
    if is_url(where):
        for pause in pauses:
            try:
                return _fetched(where)
            except HTTPError as error:
                if error.code < 500:
                    break
            except (OSError, HTTPException):
                pass  # a run of days outlives a server's hiccup
            time.sleep(pause)
    try:
        return _fetched(where) if is_url(where) else Path(where).read_bytes()
    except (URLError, HTTPException) as error:
        reason = getattr(error, "reason", None) or type(error).__name__
        raise UncoverError(f"{where} cannot be fetched: {reason}") from error
    except OSError as error:
        raise UncoverError(f"{where} cannot be read: {error.strerror or error}") from error


def _fetched(url: str) -> bytes:
    with urlopen(url, timeout=60) as answer:
        return bytes(answer.read())
