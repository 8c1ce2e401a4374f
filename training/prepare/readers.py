"""Readers of face data sets: each walks its source in a fixed order and yields `SourceItem`s.

What they share is decided here too: how labels are spelled, and how pictures without a split of
their own are split. `FaceRecord` and `read_manifest` (the prepared side) are re-exported.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from training.prepare.tables import CSV_FIELDS, read_table
from uncover import faces
from uncover.errors import UncoverError
from uncover.faces import (
    SPLITS,
    UNKNOWN,
    FaceRecord,
    PublicFace,
    ethnicity_label,
    gender_label,
    iter_manifest,
    own_split,
    pictures,
    read_manifest,
)

__all__ = [
    "FORMATS",
    "FaceRecord",
    "SourceItem",
    "SourceOptions",
    "hash_split",
    "iter_manifest",
    "open_source",
    "read_manifest",
]

TWICE = "listed more than once in the CSV"


@dataclass(frozen=True)
class SourceItem:
    """A picture as its data set describes it, before it is opened.

    `path` is relative to the data set's root, with "/". `split` is None where the data set has no
    split. `pose` holds the angles that are given: {"yaw": degrees, ...}. `problem` is a reason to
    leave the picture out that is known already (a bad label), else None.
    """

    path: str
    split: str | None = None
    identity: str = ""
    ethnicity: str = UNKNOWN
    gender: str = UNKNOWN
    age: int | None = None
    pose: Mapping[str, float] = field(default_factory=dict)
    problem: str | None = None


@dataclass(frozen=True)
class SourceOptions:
    """What a reader may need beside the folder.

    `labels`: CSV with labels (csv: one row per picture; vggface2: one row per identity).
    `columns`: for CSVs, our field -> the file's column, e.g. {"ethnicity": "race7"}.
    """

    labels: Path | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


def hash_split(key: str, val_share: float, test_share: float) -> str:
    """train, val or test for a key (identity, or a picture's SHA-256): always the same one."""
    place = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") / 2**64
    if place < test_share:
        return "test"
    return "val" if place < test_share + val_share else "train"


def _named(
    root: Path, read: Callable[[str], PublicFace | None], names: str
) -> Iterator[SourceItem]:
    """Pictures whose labels stand in their names; names: what they should look like."""
    for path in pictures(root):
        face = read(path)
        yield SourceItem(path, problem=f"file name is not {names}") if face is None else _item(face)


def _item(face: PublicFace) -> SourceItem:
    return SourceItem(
        face.path, face.split, ethnicity=face.ethnicity, gender=face.gender, age=face.age
    )


def utkface(root: Path, options: SourceOptions) -> Iterator[SourceItem]:
    """UTKFace (`uncover.faces.utkface`): labels in the name, no identities."""
    return _named(root, faces.utkface, "age_gender_race_date")


def aaf(root: Path, options: SourceOptions) -> Iterator[SourceItem]:
    """All-Age-Faces (`uncover.faces.all_age_faces`): labels in the name, no ethnicities."""
    return _named(root, faces.all_age_faces, "numberAage")


def folder(root: Path, options: SourceOptions) -> Iterator[SourceItem]:
    """Any pictures: no labels; split from folders train, val, test at the top, if there are."""
    for path in pictures(root):
        yield SourceItem(path, split=own_split(path))


def vggface2(root: Path, options: SourceOptions) -> Iterator[SourceItem]:
    """VGGFace2: identity/picture, also under train, val, test; labels per identity from a CSV.

    The CSV (`labels`) has a column `identity` (or VGGFace2's own `Class_ID`) and any of ethnicity,
    gender. An identity that is not in it, like all without a CSV, is "unknown".
    """
    labels: dict[str, dict[str, str]] = {}
    if options.labels is not None:
        for _, row in read_table(options.labels, options.columns, required=("identity",)):
            labels[row["identity"].strip()] = row
    for path in pictures(root):
        parts = PurePosixPath(path).parts
        split = own_split(path)
        inner = parts[1:] if split else parts
        if len(inner) != 2:
            yield SourceItem(path, problem="not in a folder that names its identity")
            continue
        row = labels.get(inner[0], {})
        yield SourceItem(
            path,
            split=split,
            identity=inner[0],
            ethnicity=ethnicity_label(row.get("ethnicity", "")),
            gender=gender_label(row.get("gender", "")),
        )


def fairface(root: Path, options: SourceOptions) -> Iterator[SourceItem]:
    """FairFace (`uncover.faces.fairface`): its seven labels, no identities."""
    theirs = {"path": "file", "ethnicity": "race"}
    columns = {"age": "age", "gender": "gender"}  # both are needed here
    columns |= {theirs.get(ours, ours): column for ours, column in options.columns.items()}
    seen = set[str]()
    for table in faces.fairface_tables(root):
        for face in faces.fairface(table, columns):
            problem = "its age is not a range" if face.age is None else None
            if face.path in seen:
                problem = TWICE
            seen.add(face.path)
            yield replace(_item(face), problem=problem)


def csv_labels(root: Path, options: SourceOptions) -> Iterator[SourceItem]:
    """A CSV with a column path and any of the other `CSV_FIELDS`.

    A given angle is kept; columns perceived_ethnicity and perceived_gender are taken too.
    """
    seen: set[str] = set()
    for number, row in read_table(
        options.labels or root / "labels.csv", options.columns, ("path",)
    ):
        path = row["path"].strip()
        try:
            if not path:
                raise ValueError("no path in the CSV")
            item = _csv_item(path, row)
        except ValueError as error:
            item = SourceItem(path or f"line {number}", problem=str(error))
        if path in seen:
            item = SourceItem(path, problem=TWICE)
        seen.add(path)
        yield item


def _csv_item(path: str, row: Mapping[str, str]) -> SourceItem:
    numbers: dict[str, float] = {}
    for name in ("age", "yaw", "pitch", "roll"):
        text = row.get(name, "").strip()
        if name not in row or (name == "age" and not text):
            continue
        try:
            numbers[name] = float(text)
        except ValueError:
            raise ValueError(f"{name} '{text}' in the CSV is not a number") from None
        low, high = (0, 150) if name == "age" else (-180, 180)
        if not low <= numbers[name] <= high:
            raise ValueError(f"{name} '{text}' in the CSV is not within {low}..{high}")
    split = row.get("split", "").strip() or None
    if split is not None and split not in SPLITS:
        raise ValueError(f"split '{split}' in the CSV is not one of {', '.join(SPLITS)}")
    years = numbers.pop("age", None)
    return SourceItem(
        path,
        split=split,
        identity=row.get("identity", "").strip(),
        ethnicity=ethnicity_label(row.get("ethnicity", "")),
        gender=gender_label(row.get("gender", "")),
        age=None if years is None else int(years),
        pose=numbers,
    )


Reader = Callable[[Path, SourceOptions], Iterator[SourceItem]]
FORMATS: dict[str, Reader] = {
    "utkface": utkface,
    "fairface": fairface,
    "vggface2": vggface2,
    "folder": folder,
    "aaf": aaf,
    "csv": csv_labels,
}


def open_source(name: str, root: Path, options: SourceOptions) -> Iterator[SourceItem]:
    """The pictures of a data set in a fixed order. Raises UncoverError for a bad source."""
    if name not in FORMATS:
        raise UncoverError(f"unknown format '{name}'; choose one of {', '.join(FORMATS)}")
    if not root.is_dir():
        raise UncoverError(f"{root} is not a folder")
    unknown = sorted(set(options.columns) - set(CSV_FIELDS))
    if unknown:
        raise UncoverError(f"unknown field '{unknown[0]}'; choose one of {', '.join(CSV_FIELDS)}")
    return FORMATS[name](root, options)
