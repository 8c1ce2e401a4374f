"""Label files and file names of face data sets, as plain rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np

from uncover import faces
from uncover.errors import UncoverError

FORMATS = ("csv", "utkface", "fairface", "aflw2000")
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
    if any(faces.utkface(path) for path in faces.pictures(source)):
        return "utkface"
    raise UncoverError(
        f"{source} has no labels.csv or manifest.csv and is not UTKFace, FairFace or AFLW2000"
    )


def _data_name(folder: Path) -> str:
    return folder.resolve().name


def _read_csv(source: Path) -> LabelTable:
    """path[,split][,ethnicity][,yaw][,landmarks] and any further columns as factors."""
    file = source
    if source.is_dir():
        file = next(f for n in ("manifest.csv", "labels.csv") if (f := source / n).is_file())
    table = faces.Table(file)
    path_column = next((c for c in ("path", "file") if c in table.columns), None)
    if path_column is None:
        raise UncoverError(f"{file.name} has no column path; it has: {', '.join(table.columns)}")
    factors = [column for column in table.columns if column not in _NOT_FACTORS]
    root, aligned = _beside(file)
    rows = []
    for line, record in table:
        name = record[path_column].strip()
        if not name:
            raise UncoverError(f"{file.name}, line {line}: the path is empty")
        labels = {column: _label(column, record[column]) for column in factors}
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


def _label(column: str, text: str) -> str:
    """A label as all of the project spells it; an empty one stays empty."""
    text = text.strip().lower()
    if text and column.endswith("ethnicity"):
        return faces.ethnicity_label(text)
    if text and column.endswith("gender"):
        return faces.gender_label(text)
    return text


def _beside(file: Path) -> tuple[Path, bool]:
    """Where the photos lie and whether they need cropping: as the prepare.json beside a manifest
    says, else beside the label file and not."""
    folder = file.parent
    if file.name != faces.MANIFEST_NAME or not (folder / faces.INFO_NAME).is_file():
        return folder, False
    said = faces.read_info(folder)
    return folder / str(said.get("root", ".")), said.get("aligned") is True


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
        return faces.parse_landmarks(text)
    except ValueError as error:
        raise UncoverError(f"{where}: landmarks: {error}") from error


def _read_utkface(source: Path) -> LabelTable:
    """[age]_[gender]_[race]_[date].jpg, perhaps below folders named train, val, test."""
    rows = [_row(face) for path in faces.pictures(source) if (face := faces.utkface(path))]
    return LabelTable(_data_name(source), source, f"folder {source.name}", rows)


def _read_fairface(source: Path) -> LabelTable:
    """fairface_label_{train,val}.csv: file, age, gender, race, service_test."""
    files = [source] if source.is_file() else faces.fairface_tables(source)
    rows = [_row(face) for file in files for face in faces.fairface(file)]
    root = source.parent if source.is_file() else source
    return LabelTable(_data_name(root), root, ", ".join(f.name for f in files), rows)


def _row(face: faces.PublicFace) -> Row:
    labels = {"ethnicity": face.ethnicity}
    if face.gender != faces.UNKNOWN:
        labels["gender"] = face.gender
    return Row(face.path, face.split, labels)


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
        rows.append(Row(f"{path.stem}.jpg", None, {"ethnicity": faces.UNKNOWN}, yaw, points))
    return LabelTable(_data_name(source), source, f"folder {source.name}", rows, aligned=True)
