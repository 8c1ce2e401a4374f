"""Readers of face data sets: each walks its source in a fixed order and yields `SourceItem`s.

What they share is decided here too: how labels are spelled, and how pictures without a split of
their own are split. `FaceRecord` and `read_manifest` (the prepared side) are re-exported.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from training.prepare.tables import CSV_FIELDS, read_table
from uncover.errors import UncoverError
from uncover.faces import (
    SPLITS,
    UNKNOWN,
    UTKFACE_ETHNICITIES,
    UTKFACE_GENDERS,
    FaceRecord,
    ethnicity_label,
    fairface_folder,
    gender_label,
    iter_manifest,
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

AAF_LAST_WOMAN = 7380
TWICE = "listed more than once in the CSV"
PICTURE_SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"))


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


def walk_pictures(root: Path) -> Iterator[str]:
    """Relative paths of all pictures under root, sorted folder by folder; hidden ones left out.

    Folders that are links are followed. Raises UncoverError where a link leads back into a folder
    that holds it.
    """

    def walk(folder: Path, prefix: str, above: frozenset[Path]) -> Iterator[str]:
        real = folder.resolve()
        if real in above:
            raise UncoverError(f"{folder} is a link to a folder that holds it; remove the link")
        with os.scandir(folder) as entries:
            listed = sorted((entry.name, entry.is_dir()) for entry in entries)
        for name, is_folder in listed:
            if name.startswith("."):
                continue
            if is_folder:
                yield from walk(folder / name, f"{prefix}{name}/", above | {real})
            elif Path(name).suffix.lower() in PICTURE_SUFFIXES:
                yield prefix + name

    yield from walk(root, "", frozenset())


def _own_split(path: str) -> str | None:
    first = PurePosixPath(path).parts[0]
    return first if first in SPLITS and "/" in path else None


def utkface(root: Path, options: SourceOptions) -> Iterator[SourceItem]:
    """UTKFace: labels in the name, age_gender_race_date.jpg; split from folders train, val, test.

    Races are 0 white, 1 black, 2 asian, 3 indian, 4 other; genders 0 male, 1 female. There are no
    identities. Some original files lack the race; they are reported.
    """
    for path in walk_pictures(root):
        match = re.match(r"(\d{1,3})_([01])_([0-4])_", PurePosixPath(path).name)
        if match is None:
            yield SourceItem(path, problem="file name is not age_gender_race_date")
            continue
        years, sex, race = (int(group) for group in match.groups())
        yield SourceItem(
            path,
            split=_own_split(path),
            ethnicity=UTKFACE_ETHNICITIES[race],
            gender=UTKFACE_GENDERS[sex],
            age=years,
        )


def folder(root: Path, options: SourceOptions) -> Iterator[SourceItem]:
    """Any pictures: no labels; split from folders train, val, test at the top, if there are."""
    for path in walk_pictures(root):
        yield SourceItem(path, split=_own_split(path))


def vggface2(root: Path, options: SourceOptions) -> Iterator[SourceItem]:
    """VGGFace2: identity/picture, also under train, val, test; labels per identity from a CSV.

    The CSV (`labels`) has a column `identity` (or VGGFace2's own `Class_ID`) and any of ethnicity,
    gender. An identity that is not in it, like all without a CSV, is "unknown".
    """
    labels: dict[str, dict[str, str]] = {}
    if options.labels is not None:
        for _, row in read_table(options.labels, options.columns, required=("identity",)):
            labels[row["identity"].strip()] = row
    for path in walk_pictures(root):
        parts = PurePosixPath(path).parts
        split = _own_split(path)
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
    """FairFace: fairface_label_train.csv and fairface_label_val.csv beside folders train and val.

    Its seven labels are kept (`uncover.faces.FAIRFACE_ETHNICITIES`); an age range ("20-29", "more
    than 70") becomes its lower end. No identities. The photos may also lie in the one folder whose
    name starts with fairface-img-margin, as they are unpacked.
    """
    found = False
    prefix, seen = fairface_folder(root), set[str]()
    for split in ("train", "val"):
        table = root / f"fairface_label_{split}.csv"
        if not table.is_file():
            continue
        found = True
        needed = ("path", "age", "gender", "ethnicity")
        for _, row in read_table(table, options.columns, needed):
            years, path = re.search(r"\d+", row["age"]), prefix + row["path"].strip()
            problem = None if years else f"age '{row['age']}' is not a range"
            if path in seen:
                problem = TWICE
            seen.add(path)
            yield SourceItem(
                path,
                split=split,
                ethnicity=ethnicity_label(row["ethnicity"]),
                gender=gender_label(row["gender"]),
                age=int(years.group()) if years else None,
                problem=problem,
            )
    if not found:
        raise UncoverError(f"{root} holds neither fairface_label_train.csv nor _val.csv")


def aaf(root: Path, options: SourceOptions) -> Iterator[SourceItem]:
    """All-Age-Faces: number and age in the name, 01324A20.jpg; up to number 7380 women, then men.

    Mostly East Asian faces, but no ethnicity is given; split from folders train, val, test.
    """
    for path in walk_pictures(root):
        match = re.match(r"(\d{5})A(\d{2,3})\.", PurePosixPath(path).name)
        if match is None:
            yield SourceItem(path, problem="file name is not numberAage")
            continue
        number, years = int(match[1]), int(match[2])
        yield SourceItem(
            path,
            split=_own_split(path),
            gender="female" if number <= AAF_LAST_WOMAN else "male",
            age=years,
        )


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
