"""What a benchmark was measured on, to hand on: names, sha256 and labels of photos, never photos.

A published manifest is a folder of labels.csv (path, sha256, split, labels, yaw, landmarks) and
manifest.json (`Manifest`). With it, who has the same photos gets the same benchmark, to the same
`data.sha256` in results.json.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from benchmark.photos.datasets import check_photos, choose_split
from benchmark.photos.readers import LabelTable, Row, read
from uncover.atomic import write_atomically
from uncover.errors import UncoverError
from uncover.faces import INFO_NAME, MANIFEST_NAME, SHA256, Table, write_info
from uncover.strict import from_dict, read_json, to_dict
from uncover.weights import hash_file

LABELS, MANIFEST = "labels.csv", "manifest.json"
FORMAT = "uncover-manifest/1"
LARGEST = 2**30


@dataclass(frozen=True)
class Manifest:
    """manifest.json. name: of the data set. splits: photos in each. aligned: the photos show more
    than a face and are cropped to it. labels_sha256: of labels.csv."""

    format: str
    name: str
    photos: int
    splits: dict[str, int]
    aligned: bool
    labels_sha256: str

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise ValueError(f"format is {self.format!r:.40}, this version reads {FORMAT!r}")


@dataclass(frozen=True)
class Compared:
    """Photos of a manifest held against a folder; names as in the manifest, in its order."""

    good: tuple[str, ...]
    missing: tuple[str, ...]
    differing: tuple[str, ...]


def write(source: Path, out: Path, form: str = "auto", split: str | None = None) -> Manifest:
    """Write labels.csv and manifest.json of a data set (of all its splits, or one) into `out`.

    Raises:
        UncoverError: unusable labels, or a photo that is absent or listed twice.
    """
    table = read(source, form)
    rows = table.rows if split is None else choose_split(table.rows, split, table.source)
    check_photos(table, rows)
    labels = sorted({column for row in rows for column in row.labels})
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("path", "sha256", "split", *labels, "yaw", "landmarks"))
    for row in tqdm(rows, "hashing", unit="photo", disable=None, leave=False):
        writer.writerow(_cells(table, row, labels))
    content = text.getvalue().encode()
    manifest = Manifest(
        FORMAT,
        table.name,
        len(rows),
        dict(sorted(Counter(row.split or "" for row in rows).items())),
        table.aligned,
        hashlib.sha256(content).hexdigest(),
    )
    write_atomically(out / LABELS, content)
    write_atomically(out / MANIFEST, _json(to_dict(manifest)))
    return manifest


def _cells(table: LabelTable, row: Row, labels: Iterable[str]) -> list[str]:
    """One line of labels.csv; numbers in full, so that what is read back is the same."""
    try:
        sha256 = hash_file(table.root / row.name)
    except OSError as error:
        raise UncoverError(f"{row.name} cannot be read: {error.strerror}") from error
    yaw = "" if row.yaw is None else repr(row.yaw)
    points = [] if row.landmarks is None else row.landmarks.ravel()
    landmarks = " ".join(f"{value:.9g}" for value in points)
    given = (row.labels.get(column, "") for column in labels)
    return [row.name, sha256, row.split or "", *given, yaw, landmarks]


def load(folder: Path) -> tuple[Manifest, dict[str, str]]:
    """Read and check a published manifest: what it is, and path -> sha256 of its photos.

    Raises:
        UncoverError: not a manifest, altered, or a path that leaves the photos' folder.
    """
    manifest = from_dict(Manifest, read_json(folder / MANIFEST), MANIFEST)
    if hash_file(folder / LABELS) != manifest.labels_sha256:
        raise UncoverError(f"{LABELS} is not the one that {MANIFEST} was written for: refused")
    read(folder / LABELS, "csv")
    hashes: dict[str, str] = {}
    for _, record in Table(folder / LABELS):
        name, sha256 = record.get("path", ""), record.get("sha256", "")
        if str(PurePosixPath(name)) != name or name.startswith("/") or ".." in name.split("/"):
            raise UncoverError(f"{LABELS}: {name!r} is not a plain path inside a folder: refused")
        if not SHA256.fullmatch(sha256):
            raise UncoverError(f"{LABELS}: {name} has no sha256")
        if name in hashes:
            raise UncoverError(f"{LABELS} has two photos of the name {name}")
        hashes[name] = sha256
    return manifest, hashes


def compare(hashes: dict[str, str], photos: Path) -> Compared:
    """Hold every photo of a manifest against the file of its name below `photos`."""
    good, missing, differing = [], [], []
    for name, sha256 in tqdm(hashes.items(), "checking", unit="photo", disable=None, leave=False):
        path = photos / name
        try:
            same = hash_file(path) == sha256 if path.is_file() else None
        except OSError:
            same = False
        (missing if same is None else good if same else differing).append(name)
    return Compared(tuple(good), tuple(missing), tuple(differing))


def install(
    folder: Path, manifest: Manifest, photos: Path, out: Path, keep: Sequence[str], origin: str
) -> None:
    """Write into `out` what `--data` reads: the rows of the photos in `keep`, and where they lie.

    Raises:
        UncoverError: `out` holds a prepared data set of another origin.
    """
    if (out / INFO_NAME).exists() and "manifest" not in read_json(out / INFO_NAME):
        raise UncoverError(f"{out} holds a prepared data set: choose another --out")
    kept = set(keep)
    table = Table(folder / LABELS)
    text = io.StringIO()
    writer = csv.DictWriter(text, table.columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(row for _, row in table if row["path"] in kept)
    note = {"root": str(photos.resolve()), "aligned": manifest.aligned, "manifest": origin}
    write_info(out, note)
    write_atomically(out / MANIFEST_NAME, text.getvalue().encode())


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
