"""Data folders made of drawn faces, for the tests."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image

from uncover.faces.drawn import draw_face

COLUMNS = ("path", "split", "ethnicity", "gender", "yaw", "landmarks")


def label_rows(count: int, split: str = "test", first: int = 0) -> list[dict[str, str]]:
    """Rows of a labels.csv for drawn faces, landmarks included."""
    rows = []
    for i in range(first, first + count):
        face = draw_face(i, 128)
        points = " ".join(f"{v:.1f}" for v in np.ravel(face.landmarks))
        rows.append(
            {
                "path": f"{split}/{i}.png",
                "split": split,
                "ethnicity": face.ethnicity,
                "gender": face.gender,
                "yaw": f"{face.yaw:.1f}",
                "landmarks": points,
            }
        )
    return rows


def write_folder(folder: Path, count: int, train: int = 0) -> Path:
    """A folder with labels.csv, `count` test photos and `train` training photos."""
    rows = label_rows(count) + label_rows(train, "train", 500)
    for row in rows:
        path = folder / row["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw_face(int(path.stem), 128).image).save(path)
    write_labels(folder / "labels.csv", rows)
    return folder


def write_labels(
    file: Path, rows: list[dict[str, str]], columns: tuple[str, ...] = COLUMNS
) -> None:
    """Write rows as CSV."""
    with file.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
