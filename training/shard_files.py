"""Shards as files: their index, what is in them, from a folder or by URL."""

from __future__ import annotations

import json
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import cv2
import numpy as np

from training.faces import StoredFace
from training.pack import INDEX_NAME, SHARDS_NAME, VERSION, Shard, need_webdataset
from uncover.errors import UncoverError
from uncover.records import parse_row


@dataclass(frozen=True)
class ShardIndex:
    """What index.json says. base: folder or URL of the shards, without a "/" at its end.

    cells: "ethnicity\\tpose bin" -> training photos.
    """

    base: str
    resolution: int
    source: str
    cells: dict[str, int]
    shards: tuple[Shard, ...]

    def of(self, split: str) -> list[Shard]:
        """The shards of a split."""
        return [shard for shard in self.shards if shard.split == split]

    def summary(self) -> dict[str, Any]:
        """As `training.data.data_summary`: what a run was trained on."""
        table: dict[str, dict[str, int]] = {}
        for key, count in sorted(self.cells.items()):
            ethnicity, _, pose = key.partition("\t")
            table.setdefault(ethnicity, {})[pose] = count
        photos = sum(self.cells.values())
        return {"sources": [self.source], "photos": photos, "by_ethnicity_and_pose": table}


def is_url(text: str) -> bool:
    """Whether shards are asked for over the network."""
    return text.startswith(("http://", "https://"))


def read_index(source: str | Path) -> ShardIndex:
    """The index of a folder of shards, of a prepared folder that holds one, or of a URL.

    Raises UncoverError when there is none or it is not as it should be.
    """
    base = str(source).rstrip("/")
    if not is_url(base) and (Path(base) / SHARDS_NAME / INDEX_NAME).is_file():
        base = str(Path(base) / SHARDS_NAME)
    where = f"{base}/{INDEX_NAME}"
    try:
        data = json.loads(_read(where))
        if data["version"] != VERSION:
            raise UncoverError(f"{where} is of version {data['version']}: pack the data again")
        shards = tuple(Shard(**entry) for entry in data["shards"])
        plain = all(Path(shard.file).name == shard.file and shard.samples > 0 for shard in shards)
        if not plain or not any(shard.split == "train" for shard in shards):
            raise UncoverError(f"{where} names no usable shards: pack the data again")
        cells = {str(key): int(count) for key, count in data["cells"].items()}
        return ShardIndex(base, int(data["resolution"]), str(data["source"]), cells, shards)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UncoverError(f"{where} is not an index of shards ({error})") from error


def read_shard(index: ShardIndex, shard: Shard) -> list[StoredFace]:
    """All faces of a shard, undecoded: see `decoded`.

    Raises UncoverError when it is missing or does not hold what the index says.
    """
    webdataset = need_webdataset()
    where = f"{index.base}/{shard.file}"
    data = _read(where)
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
        raise UncoverError(f"{index.base} has no val shards: prepare the data with a val split")
    return [decoded(face) for face in found[:limit]]


def _read(where: str) -> bytes:
    try:
        if is_url(where):
            with urlopen(where, timeout=60) as answer:
                return bytes(answer.read())
        return Path(where).read_bytes()
    except URLError as error:
        raise UncoverError(f"{where} cannot be fetched: {error.reason}") from error
    except OSError as error:
        raise UncoverError(f"{where} cannot be read: {error.strerror or error}") from error
