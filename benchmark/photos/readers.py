"""Label files and file names of face data sets, as plain rows."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np

from uncover.errors import UncoverError
from uncover.faces import UTKFACE_ETHNICITIES, ethnicity_label, fairface_folder
from uncover.images import walk

FORMATS = ("csv", "utkface", "fairface", "aflw2000")
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
SPLITS = ("train", "val", "test")
UTKFACE_NAME = re.compile(r"^(\d{1,3})_([01])_([0-4])_\d+")
_NOT_FACTORS = {
    *("path", "file", "split", "yaw", "pitch", "roll", "landmarks", "sha256", "identity"),
    *("width", "height", "sharpness", "age", "service_test"),
}


@dataclass(frozen=True, eq=False)
class Row:
    """name: path below the root. labels: column -> value as in the file."""

    name: str
    split: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    yaw: float | None = None
    landmarks: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class LabelTable:
    """rows of one data set. aligned: its photos show more than a face and need cropping."""

    name: str
    root: Path
    source: str
    rows: list[Row]
    aligned: bool = False


def read(source: Path, form: str = "auto") -> LabelTable:
    """Find out what `source` is and read its labels.

    Raises:
        UncoverError: absent, of no known form, or faulty; one line that names the culprit.
    """
    if not source.exists():
        raise UncoverError(f"{source} does not exist")
    if form == "auto":
        form = _recognise(source)
    if form not in FORMATS:
        raise UncoverError(f"--format {form} is unknown; there are: auto, {', '.join(FORMATS)}")
    reader: Callable[[Path], LabelTable] = {
        "csv": _read_csv,
        "utkface": _read_utkface,
        "fairface": _read_fairface,
        "aflw2000": _read_aflw2000,
    }[form]
    table = reader(source)
    if not table.rows:
        raise UncoverError(f"{table.source} lists no photo")
    return table


def _recognise(source: Path) -> str:
    if source.is_file():
        if source.suffix.lower() != ".csv":
            raise UncoverError(f"{source.name} is not a .csv label file")
        return "fairface" if source.name.startswith("fairface_label") else "csv"
    if any((source / name).is_file() for name in ("manifest.csv", "labels.csv")):
        return "csv"
    if any(source.glob("fairface_label_*.csv")):
        return "fairface"
    if any(source.glob("*.mat")):
        return "aflw2000"
    if any(UTKFACE_NAME.match(path.name) for path in _pictures(source)):
        return "utkface"
    raise UncoverError(
        f"{source} has no labels.csv or manifest.csv and is not UTKFace, FairFace or AFLW2000"
    )


def _pictures(folder: Path) -> Iterator[Path]:
    found = (place / name for place, names, _ in walk(folder) for name in names)
    return iter(sorted(path for path in found if path.suffix.lower() in SUFFIXES))


def _data_name(folder: Path) -> str:
    return folder.resolve().name


def read_table(file: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Column names and rows of a CSV, blanks around names forgiven; cells a row lacks are empty."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as handle:
            reader = csv.DictReader(handle, restkey="", restval="", skipinitialspace=True)
            reader.fieldnames = [name.strip() for name in reader.fieldnames or []]
            return list(reader.fieldnames), list(reader)
    except UnicodeDecodeError:
        raise UncoverError(
            f"{file.name} cannot be read as CSV: it is not UTF-8; save it as CSV in UTF-8"
        ) from None
    except (OSError, csv.Error) as error:
        raise UncoverError(f"{file.name} cannot be read as CSV: {error}") from error


def _read_csv(source: Path) -> LabelTable:
    """path[,split][,ethnicity][,yaw][,landmarks] and any further columns as factors."""
    file = source
    if source.is_dir():
        file = next(f for n in ("manifest.csv", "labels.csv") if (f := source / n).is_file())
    columns, records = read_table(file)
    path_column = next((c for c in ("path", "file") if c in columns), None)
    if path_column is None:
        raise UncoverError(f"{file.name} has no column path; it has: {', '.join(columns)}")
    root, aligned = _beside(file)
    rows = []
    for line, record in enumerate(records, start=2):
        name = record[path_column].strip()
        if not name:
            raise UncoverError(f"{file.name}, line {line}: the path is empty")
        labels = {c: record[c].strip().lower() for c in columns if c not in _NOT_FACTORS}
        rows.append(
            Row(
                str(PurePosixPath(name)),
                record.get("split", "").strip() or None,
                labels,
                _number(record.get("yaw", ""), f"{file.name}, line {line}: yaw"),
                _landmarks(record.get("landmarks", ""), f"{file.name}, line {line}"),
            )
        )
    return LabelTable(_data_name(root), root, file.name, rows, aligned)


def _beside(file: Path) -> tuple[Path, bool]:
    """Where the photos lie and whether they need cropping: as the prepare.json beside a manifest
    says, else beside the label file and not."""
    note = file.parent / "prepare.json"
    if file.name != "manifest.csv" or not note.is_file():
        return file.parent, False
    try:
        said = json.loads(note.read_text(encoding="utf-8"))
        return Path(said.get("root") or file.parent), said.get("aligned") is True
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise UncoverError(f"{note} cannot be read: {error}") from error


def _number(text: str, where: str) -> float | None:
    if not text.strip():
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise UncoverError(f"{where} is not a number: {text!r}") from error
    if not math.isfinite(value):
        raise UncoverError(f"{where} is not a finite number: {text!r}")
    return value


def _landmarks(text: str, where: str) -> np.ndarray | None:
    if not text.strip():
        return None
    try:
        points = np.array(text.split(), np.float32)
    except ValueError as error:
        raise UncoverError(f"{where}: landmarks are not numbers") from error
    if points.size != 136 or not np.isfinite(points).all():
        raise UncoverError(f"{where}: landmarks must be 136 finite numbers, not {points.size}")
    return points.reshape(68, 2)


def _read_utkface(source: Path) -> LabelTable:
    """[age]_[gender]_[race]_[date].jpg, perhaps below folders named train, val, test."""
    rows = []
    for path in _pictures(source):
        match = UTKFACE_NAME.match(path.name)
        if not match:
            continue
        name = path.relative_to(source).as_posix()
        labels = {
            "ethnicity": UTKFACE_ETHNICITIES[int(match[3])],
            "gender": "female" if match[2] == "1" else "male",
        }
        top = name.split("/")[0]
        rows.append(Row(name, top if top in SPLITS else None, labels))
    return LabelTable(_data_name(source), source, f"folder {source.name}", rows)


def _read_fairface(source: Path) -> LabelTable:
    """fairface_label_{train,val}.csv: file, age, gender, race, service_test."""
    files = [source] if source.is_file() else sorted(source.glob("fairface_label_*.csv"))
    if not files:
        raise UncoverError(f"{source} has no fairface_label_train.csv or fairface_label_val.csv")
    root = source.parent if source.is_file() else source
    prefix = fairface_folder(root)
    rows = []
    for file in files:
        columns, records = read_table(file)
        for needed in ("file", "race"):
            if needed not in columns:
                raise UncoverError(f"{file.name} has no column {needed}")
        split = file.stem.removeprefix("fairface_label_")
        for record in records:
            labels = {"ethnicity": ethnicity_label(record["race"])}
            if gender := record.get("gender", "").strip().lower():
                labels["gender"] = gender
            name = str(PurePosixPath(prefix + record["file"].strip()))
            rows.append(Row(name, split if split in SPLITS else None, labels))
    return LabelTable(_data_name(root), root, ", ".join(f.name for f in files), rows)


def _read_aflw2000(source: Path) -> LabelTable:
    """A .mat beside each photo: Pose_Para (pitch, yaw, roll in radians) and pt3d_68 (3, 68)."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    rows = []
    for path in sorted(source.glob("*.mat")):
        try:
            content = loadmat(path)
            yaw = float(np.degrees(np.ravel(content["Pose_Para"])[1]))
            points = np.asarray(content["pt3d_68"], np.float32)[:2].T
        except (OSError, ValueError, KeyError, IndexError, MatReadError, RuntimeError) as error:
            raise UncoverError(f"{path.name} is not an AFLW2000 label file: {error}") from error
        if points.shape != (68, 2):
            raise UncoverError(f"{path.name}: pt3d_68 has shape {points.T.shape}, not (2+, 68)")
        rows.append(Row(f"{path.stem}.jpg", None, {"ethnicity": "unknown"}, yaw, points))
    return LabelTable(_data_name(source), source, f"folder {source.name}", rows, aligned=True)
