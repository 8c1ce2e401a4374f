"""The manifest: one row per usable face of a prepared data set, written once and read strictly.

`training.prepare` and `uncover.faces.drawn` write it; training and the benchmark read it.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from uncover.atomic import whole_file, write_atomically
from uncover.errors import UncoverError

MANIFEST_NAME = "manifest.csv"
FAILED_NAME = "failed.csv"
INFO_NAME = "prepare.json"
MANIFEST_VERSION = 1

MANIFEST_COLUMNS = (
    "path",
    "split",
    "identity",
    "ethnicity",
    "gender",
    "age",
    "yaw",
    "pitch",
    "roll",
    "sharpness",
    "width",
    "height",
    "sha256",
    "landmarks",
)
SPLITS = ("train", "val", "test")

_LABEL = re.compile(r"[a-z0-9][a-z0-9_+-]*")
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, eq=False)
class FaceRecord:
    """One face of a prepared data set.

    `path` is relative to the data set's root and `file` is the whole path. Pixel figures
    (`landmarks`, `width`, `height`) hold for the upright picture, EXIF orientation applied.
    `yaw`, `pitch`, `roll` are degrees (`uncover.faces.landmarks.head_pose`); prepare.json says
    whether they were given or estimated. `sharpness` is the variance of the Laplacian at 200 px.
    Labels are the data set's, lower-case; "unknown" where it has none; `identity` is "" where it
    has none.
    """

    path: str
    file: Path
    split: str
    identity: str
    ethnicity: str
    gender: str
    age: int | None
    yaw: float
    pitch: float
    roll: float
    sharpness: float
    width: int
    height: int
    sha256: str
    landmarks: np.ndarray  # float32 (68, 2)

    def to_row(self) -> list[str]:
        """The record as a manifest row, cells in the order of MANIFEST_COLUMNS."""
        return [
            self.path,
            self.split,
            self.identity,
            self.ethnicity,
            self.gender,
            "" if self.age is None else str(self.age),
            f"{self.yaw:.1f}",
            f"{self.pitch:.1f}",
            f"{self.roll:.1f}",
            f"{self.sharpness:.1f}",
            str(self.width),
            str(self.height),
            self.sha256,
            " ".join(f"{value:.1f}" for value in self.landmarks.ravel()),
        ]


def _finite(text: str, low: float, high: float) -> float:
    value = float(text)
    if not (math.isfinite(value) and low <= value <= high):
        raise ValueError(f"{text} is not within {low:g}..{high:g}")
    return value


def _match(pattern: re.Pattern[str], text: str, what: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError(f"'{text}' is not {what}")
    return text


def parse_landmarks(text: str) -> np.ndarray:
    """float32 (68, 2) from a manifest's cell. Raises ValueError: not 136 finite numbers."""
    values = np.array(text.split(), dtype=np.float32)
    if values.size != 136 or not np.isfinite(values).all():
        raise ValueError(f"expected 136 finite numbers, found {values.size}")
    return values.reshape(68, 2)


def parse_row(row: dict[str, str], root: Path) -> FaceRecord:
    """A record from a manifest row {column: cell}. Raises ValueError naming the bad column."""
    column = "path"
    try:
        relative = row["path"]
        if not relative or relative.startswith("/") or ".." in relative.split("/"):
            raise ValueError(f"'{relative}' is not a relative path inside the root")
        fields: dict[str, Any] = {}
        for column, read in _READERS.items():
            fields[column] = read(row[column])
    except ValueError as error:
        raise ValueError(f"column {column}: {error}") from error
    return FaceRecord(path=relative, file=root / relative, **fields)


def _split(text: str) -> str:
    if text not in SPLITS:
        raise ValueError(f"'{text}' is not one of {', '.join(SPLITS)}")
    return text


_READERS: dict[str, Callable[[str], Any]] = {
    "split": _split,
    "identity": str,
    "ethnicity": lambda text: _match(_LABEL, text, "a lower-case label"),
    "gender": lambda text: _match(_LABEL, text, "a lower-case label"),
    "age": lambda text: int(_finite(text, 0, 150)) if text else None,
    "yaw": lambda text: _finite(text, -180, 180),
    "pitch": lambda text: _finite(text, -180, 180),
    "roll": lambda text: _finite(text, -180, 180),
    "sharpness": lambda text: _finite(text, 0, 1e9),
    "width": lambda text: int(_finite(text, 1, 1e6)),
    "height": lambda text: int(_finite(text, 1, 1e6)),
    "sha256": lambda text: _match(SHA256, text, "a SHA-256"),
    "landmarks": parse_landmarks,
}


def read_info(folder: Path | str) -> dict[str, object]:
    """prepare.json of a prepared folder. Raises UncoverError when it is absent or not readable."""
    path = Path(folder) / INFO_NAME
    try:
        info = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UncoverError(
            f"{folder} is not a prepared data set ({INFO_NAME} is missing); "
            "make one with: python -m training.prepare"
        ) from None
    except (OSError, ValueError) as error:
        raise UncoverError(f"{path} cannot be read: {error}") from error
    if not isinstance(info, dict) or info.get("version") != MANIFEST_VERSION:
        raise UncoverError(f"{path} is not of version {MANIFEST_VERSION}; prepare the data again")
    return info


def iter_manifest(folder: Path | str, split: str | None = None) -> Iterator[FaceRecord]:
    """Records of a prepared folder one by one, in file order, those of `split` or all.

    Raises UncoverError, naming file and line, for a header or value that is not as it should be.
    """
    if split is not None and split not in SPLITS:
        raise UncoverError(f"unknown split '{split}'; choose one of {', '.join(SPLITS)}")
    folder = Path(folder)
    root = folder / str(read_info(folder).get("root", "."))
    if not root.is_dir():
        raise UncoverError(
            f"the pictures of {folder} should lie in {root}, which is not there; "
            f"prepare again or mend 'root' in {folder / INFO_NAME}"
        )
    path = folder / MANIFEST_NAME
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            reader = csv.reader(stream)
            header = tuple(next(reader, ()))
            if header != MANIFEST_COLUMNS:
                raise UncoverError(
                    f"{path} has columns {_on_one_line(','.join(header))}; "
                    f"expected {','.join(MANIFEST_COLUMNS)}"
                )
            for cells in reader:
                if len(cells) != len(MANIFEST_COLUMNS):
                    raise UncoverError(
                        f"{path} line {reader.line_num}: {len(cells)} cells, "
                        f"expected {len(MANIFEST_COLUMNS)}"
                    )
                row = dict(zip(MANIFEST_COLUMNS, cells, strict=True))
                if split is not None and row["split"] != split and row["split"] in SPLITS:
                    continue
                try:
                    yield parse_row(row, root)
                except ValueError as error:
                    told = _on_one_line(str(error))
                    raise UncoverError(f"{path} line {reader.line_num}: {told}") from error
    except FileNotFoundError:
        raise UncoverError(f"{path} is missing; prepare the data again") from None
    except (UnicodeDecodeError, csv.Error) as error:
        told = _on_one_line(str(error))
        raise UncoverError(f"{path} is not a readable CSV: {told}") from error


def _on_one_line(text: str) -> str:
    """Cells may hold line breaks."""
    return " ".join(text.split())


def read_manifest(folder: Path | str, split: str | None = None) -> list[FaceRecord]:
    """All records of a prepared folder, or those of `split`; see `iter_manifest`."""
    return list(iter_manifest(folder, split))


def write_rows(path: Path, header: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Write a CSV (UTF-8, "\\n"), all or nothing."""
    with whole_file(path) as part, part.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write_info(folder: Path, info: dict[str, object]) -> None:
    """Write prepare.json (with the version), all or nothing."""
    text = json.dumps({"version": MANIFEST_VERSION, **info}, indent=2, ensure_ascii=False)
    write_atomically(folder / INFO_NAME, (text + "\n").encode())
