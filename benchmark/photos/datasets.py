"""The photos under test, their labels and what is known about them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from benchmark.photos import readers
from benchmark.photos.readers import LabelTable, Row
from uncover.errors import UncoverError
from uncover.faces import UNKNOWN, draw_face
from uncover.images import read_image

PERCEIVED = "perceived_"
DRAWN_TRAIN_SEED = 1_000_000


@dataclass(frozen=True, eq=False)
class Photo:
    """One bare face.

    name: path below the data's folder, with "/". labels: factor -> value. yaw: degrees, or None
    to have it estimated. landmarks: float32 (68, 2) in photo pixels, or None to have them found.
    Without a path it is the drawn face of `drawn_seed`.
    """

    name: str
    path: Path | None = None
    labels: dict[str, str] = field(default_factory=dict)
    yaw: float | None = None
    landmarks: np.ndarray | None = None
    drawn_seed: int = 0

    def content(self) -> bytes:
        """The bytes that name the photo: the file's, or a drawn face's pixels."""
        if self.path is None:
            return self.read().tobytes()
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise UncoverError(f"{self.name} cannot be read: {error.strerror}") from error

    def read(self) -> np.ndarray:
        """uint8 (H, W, 3) RGB, EXIF orientation applied.

        Raises:
            UncoverError: not a picture.
        """
        if self.path is None:
            return _drawn_pixels(self.drawn_seed)
        return read_image(self.path).rgb

    @cached_property
    def sha256(self) -> str:
        """Of `content`; taken once."""
        return hashlib.sha256(self.content()).hexdigest()


@dataclass(frozen=True, eq=False)
class DataSet:
    """Photos with the factors they can be sliced by.

    perceived: factors whose labels are what raters perceived. aligned: the photos need cropping
    to the face. source: where the labels come from, for error messages. twice: names of photos
    left out because their very bytes stand under another name.
    """

    name: str
    split: str | None
    photos: tuple[Photo, ...]
    factors: tuple[str, ...]
    perceived: tuple[str, ...] = ()
    has_yaw: bool = False
    aligned: bool = False
    source: str = "the data"
    twice: tuple[str, ...] = ()

    def column(self, factor: str) -> list[str]:
        """The label of each photo.

        Raises:
            UncoverError: the labels have no such column.
        """
        if factor not in self.factors:
            have = ", ".join((*self.factors, "pose", "mask_type"))
            raise UncoverError(f"unknown slice {factor}: {self.source} has only {have}")
        return [photo.labels[factor] for photo in self.photos]

    def only(self, indices: Sequence[int]) -> DataSet:
        """The same with some of the photos."""
        return replace(self, photos=tuple(self.photos[i] for i in indices))

    def limited(self, most: int | None) -> DataSet:
        """The same with at most so many photos, chosen by content; None is no limit."""
        if not most or most >= len(self.photos):
            return self
        ranked = sorted(range(len(self.photos)), key=lambda i: self.photos[i].sha256)
        return self.only(sorted(ranked[:most]))


def load_or_draw(
    source: Path | None, drawn_faces: int | None, split: str | None = None, form: str = "auto"
) -> DataSet:
    """What `--data` or `--drawn` names; the photos of `load`, or so many drawn faces.

    Raises:
        UncoverError: as `load`.
    """
    if source is None:
        return drawn(drawn_faces or 0)
    return load(source, split, form)


def load(source: Path, split: str | None = None, form: str = "auto") -> DataSet:
    """Read a folder or a label file; of equal photos under several names the first stays.

    Args:
        source: a folder with labels.csv or manifest.csv, that file, or a folder of UTKFace,
            FairFace or AFLW2000 as its authors publish it.
        split: which split; None takes "test" where there is one, else "val", else all.
        form: "auto" or one of `readers.FORMATS`.

    Raises:
        UncoverError: unusable labels, absent photos, a photo listed twice; names the culprit.
    """
    table = readers.read(source, form)
    rows = choose_split(table.rows, split, table.source)
    check_photos(table, rows)
    columns = sorted({column for row in rows for column in row.labels})
    names = {c: c.removeprefix(PERCEIVED) for c in columns}
    photos = tuple(
        Photo(
            row.name,
            table.root / row.name,
            {names[c]: row.labels.get(c) or UNKNOWN for c in columns},
            row.yaw,
            row.landmarks,
        )
        for row in rows
    )
    first = {photo.sha256: photo for photo in reversed(photos)}
    kept = tuple(photo for photo in photos if first[photo.sha256] is photo)
    return DataSet(
        name=table.name,
        split=rows[0].split,
        photos=kept,
        factors=tuple(sorted(set(names.values()))),
        perceived=tuple(sorted(names[c] for c in columns if c.startswith(PERCEIVED))),
        has_yaw=any(row.yaw is not None for row in rows),
        aligned=table.aligned,
        source=table.source,
        twice=tuple(photo.name for photo in photos if first[photo.sha256] is not photo),
    )


def drawn(count: int, first: int = 0) -> DataSet:
    """Drawn faces with exact landmarks: a benchmark anywhere, of the machinery, not of people."""
    photos = []
    for i in range(count):
        face = draw_face(first + i)
        labels = {"ethnicity": face.ethnicity}
        photos.append(
            Photo(f"drawn-{i:05d}", None, labels, float(face.yaw), face.landmarks, first + i)
        )
    return DataSet(
        "drawn faces", None, tuple(photos), ("ethnicity",), has_yaw=True, source="drawn faces"
    )


@lru_cache(maxsize=256)
def _drawn_pixels(seed: int) -> np.ndarray:
    pixels = np.ascontiguousarray(draw_face(seed).image)
    pixels.flags.writeable = False
    return pixels


def choose_split(rows: list[Row], split: str | None, source: str) -> list[Row]:
    """The rows of one split: the named one, or test, or val, or all where there are no splits."""
    known = sorted({row.split for row in rows if row.split})
    if not known:
        if split:
            raise UncoverError(f"--split {split}: {source} has no split column")
        return rows
    if split is None:
        split = next((s for s in ("test", "val") if s in known), known[0])
    chosen = [row for row in rows if row.split == split]
    if not chosen:
        raise UncoverError(f"--split {split}: {source} has only {', '.join(known)}")
    return chosen


def check_photos(table: LabelTable, rows: list[Row]) -> None:
    """Raise UncoverError if a photo is listed twice or is not there; names the culprit."""
    seen: set[str] = set()
    for row in rows:
        if row.name in seen:
            raise UncoverError(f"{table.source} has two photos of the name {row.name}")
        seen.add(row.name)
    if missing := [row.name for row in rows if not (table.root / row.name).is_file()]:
        raise UncoverError(
            f"{table.source} names {missing[0]}, which is not in {table.root.name}"
            + (f" ({len(missing)} photos are absent)" if len(missing) > 1 else "")
        )
