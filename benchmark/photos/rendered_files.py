"""A rendered set as PNG files: saved once, used by any number of runs and by other programs.

The folder holds index.csv and, per photo, ID-face.png, ID-masked.png and ID-hole.png (white where
to paint).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from benchmark.photos.datasets import DataSet
from benchmark.photos.rendered import Case, Cases, Lost, Rendered, mask_style
from uncover.atomic import write_atomically
from uncover.errors import UncoverError
from uncover.faces import UNKNOWN, pose_bin

INDEX = "index.csv"
COLUMNS = ("id", "photo_sha256", "pixels", "yaw", "mask_type", "seed", "name", "landmarks")


def save(folder: Path, cases: Cases, seed: int, progress: Iterable[Case] | None = None) -> None:
    """Write all pictures and then the index."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for case in progress or cases.cases:
        rendered = cases.render(case)
        hole = rendered.hole.astype(np.uint8) * 255
        pictures = {"face": rendered.truth, "masked": rendered.masked, "hole": hole}
        for kind, picture in pictures.items():
            _write_png(folder / f"{case.id}-{kind}.png", picture)
        yaw = "" if case.yaw is None else repr(float(case.yaw))
        kind = case.labels["mask_type"]
        points = [] if rendered.landmarks is None else rendered.landmarks.ravel()
        places = " ".join(repr(float(v)) for v in points)
        rows.append(
            (case.id, case.sha256, rendered.digest, yaw, kind, seed, case.photo.name, places)
        )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    write_atomically(folder / INDEX, text.getvalue().encode())


def load(folder: Path, data: DataSet, seed: int) -> Cases:
    """The saved cases of the photos in `data`, matched by content.

    Raises:
        UncoverError: no rendered set, or one that lacks a photo of the data.
    """
    try:
        with (folder / INDEX).open(newline="", encoding="utf-8") as handle:
            rows = {row["photo_sha256"]: row for row in csv.DictReader(handle)}
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise UncoverError(f"{folder} is no rendered set: {INDEX} cannot be read") from error
    cases, places = [], {}
    lost: list[Lost] = []
    for photo in data.photos:
        sha256 = photo.sha256
        row = rows.get(sha256)
        if row is None:
            labels = {**photo.labels, "pose": pose_bin(photo.yaw), "mask_type": UNKNOWN}
            lost.append(Lost(photo.name, labels, "not in the rendered set"))
            continue
        if row["seed"] != str(seed):
            raise UncoverError(f"{folder} was rendered with --seed {row['seed']}, not {seed}")
        yaw = photo.yaw if photo.yaw is not None else float(row["yaw"] or "nan")
        labels = {**photo.labels, "pose": pose_bin(yaw), "mask_type": row["mask_type"]}
        style = replace(mask_style(sha256, seed), kind=row["mask_type"], cut="")
        cases.append(Case(row["id"], photo, sha256, labels, yaw, style, pixels=row["pixels"]))
        points = np.array((row.get("landmarks") or "").split(), np.float32)
        places[row["id"]] = points.reshape(68, 2) if points.size == 136 else None
    if not cases:
        raise UncoverError(f"{folder} holds none of the {len(lost)} photos; first: {lost[0].name}")

    def render(case: Case) -> Rendered:
        face = _read_png(folder / f"{case.id}-face.png")
        masked = _read_png(folder / f"{case.id}-masked.png")
        hole = _read_png(folder / f"{case.id}-hole.png")[..., 0] > 127
        rendered = Rendered(face, masked, hole, places[case.id])
        if rendered.digest != case.pixels:
            raise UncoverError(f"{folder}: the pictures of {case.photo.name} were changed")
        return rendered

    return Cases(cases, lost, "given" if data.has_yaw else "estimated", render)


def _write_png(path: Path, picture: np.ndarray) -> None:
    if picture.ndim == 3:
        picture = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(".png", picture)
    if not done:
        raise UncoverError(f"{path} cannot be written as PNG")
    write_atomically(path, data.tobytes())


def _read_png(path: Path) -> np.ndarray:
    data = np.fromfile(path, np.uint8) if path.is_file() else np.empty(0, np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    if picture is None:
        raise UncoverError(f"{path} is missing or cannot be read")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
