"""Public face sets: names and label files, read once for training and benchmark."""

from __future__ import annotations

from pathlib import Path

from benchmark.photos import readers
from training.prepare.readers import SourceOptions, open_source
from uncover.faces import pictures


def test_walk_is_sorted_and_takes_pictures_only(tmp_path: Path) -> None:
    names = ("b/2.PNG", "b/1.jpg", "a.jpeg", "z.txt", ".x.jpg", ".parts/1.jpg", "b/c/d.webp")
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert list(pictures(tmp_path)) == ["a.jpeg", "b/1.jpg", "b/2.PNG", "b/c/d.webp"]


def test_training_and_benchmark_call_the_same_face_by_the_same_labels(tmp_path: Path) -> None:
    rows = [("East Asian", "Male"), ("Latino_Hispanic", "Female"), ("Middle Eastern", "M")]
    for name, columns in (
        ("csv", "path,ethnicity,gender"),
        ("fairface", "file,race,gender,age"),
    ):
        folder = tmp_path / name
        (folder / "train").mkdir(parents=True)
        table = "labels.csv" if name == "csv" else "fairface_label_train.csv"
        lines = [f"train/{i}.jpg,{group},{sex},20-29" for i, (group, sex) in enumerate(rows)]
        lines = [line.rsplit(",", 1)[0] for line in lines] if name == "csv" else lines
        (folder / table).write_text("\n".join([columns, *lines]) + "\n")
        told = {
            row.name: (row.labels["ethnicity"], row.labels["gender"])
            for row in readers.read(folder).rows
        }
        taught = {
            item.path: (item.ethnicity, item.gender)
            for item in open_source(name, folder, SourceOptions())
        }
        assert told == taught
        assert list(told.values()) == [
            ("east-asian", "male"),
            ("latino", "female"),
            ("middle-eastern", "male"),
        ]
