from __future__ import annotations

import json

import numpy as np
import pytest

from uncover.errors import UncoverError
from uncover.faces.drawn import write_drawn_faces
from uncover.faces.manifest import MANIFEST_COLUMNS, iter_manifest, parse_row, read_manifest


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_drawn_faces(tmp_path_factory.mktemp("drawn"), 3, size=32)


@pytest.fixture
def copy(folder, tmp_path):
    for name in ("manifest.csv", "prepare.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    return tmp_path


def edit_row(folder, column, value):
    path = folder / "manifest.csv"
    lines = path.read_text().splitlines()
    cells = lines[2].split(",")
    cells[MANIFEST_COLUMNS.index(column)] = value
    lines[2] = ",".join(cells)
    path.write_text("\n".join(lines) + "\n")


def test_a_row_survives_the_round_trip(folder):
    for record in read_manifest(folder):
        row = dict(zip(MANIFEST_COLUMNS, record.to_row(), strict=True))
        again = parse_row(row, folder)
        assert again.to_row() == record.to_row()
        assert again.file == record.file
        assert again.age is None
        assert again.landmarks.dtype == np.float32


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("path", "/etc/passwd"),
        ("path", "../x.png"),
        ("path", ""),
        ("split", "dev"),
        ("split", ""),
        ("ethnicity", ""),
        ("ethnicity", "White"),
        ("gender", ""),
        ("age", "old"),
        ("age", "-3"),
        ("yaw", ""),
        ("yaw", "nan"),
        ("pitch", "200"),
        ("roll", "x"),
        ("sharpness", "-1"),
        ("width", "0"),
        ("height", "inf"),
        ("sha256", "abc"),
        ("landmarks", "1.0 2.0"),
        ("landmarks", ""),
        ("landmarks", " ".join(["nan"] * 136)),
    ],
)
def test_a_bad_value_is_named(copy, column, value):
    edit_row(copy, column, value)
    with pytest.raises(UncoverError, match=rf"manifest.csv line 3: column {column}: ") as error:
        read_manifest(copy)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("manifest.csv", lambda text: text.replace("yaw", "yow", 1), "has columns"),
        ("manifest.csv", lambda text: "", "has columns"),
        ("manifest.csv", lambda text: text + "a,b\n", "line 5: 2 cells"),
        ("prepare.json", lambda text: "{", "cannot be read"),
        ("prepare.json", lambda text: "[]", "not of version 1"),
        ("prepare.json", lambda text: text.replace('"version": 1', '"version": 2'), "version 1"),
        ("prepare.json", lambda text: json.dumps({"version": 1, "root": "/no/x"}), "not there"),
    ],
)
def test_a_bad_file_is_named(copy, name, change, message):
    (copy / name).write_text(change((copy / name).read_text()))
    with pytest.raises(UncoverError, match=message) as error:
        read_manifest(copy)
    assert "\n" not in str(error.value)


def test_what_is_absent_is_named(copy, tmp_path):
    with pytest.raises(UncoverError, match="unknown split 'dev'"):
        read_manifest(copy, "dev")
    (copy / "manifest.csv").unlink()
    with pytest.raises(UncoverError, match=r"manifest\.csv is missing"):
        read_manifest(copy)
    with pytest.raises(UncoverError, match="not a prepared data set"):
        read_manifest(tmp_path / "nowhere")


def test_records_come_one_by_one(copy):
    edit_row(copy, "yaw", "x")
    records = iter_manifest(copy)
    assert next(records).split == "train"
    with pytest.raises(UncoverError, match="line 3"):
        next(records)


def test_a_line_break_in_a_cell_does_not_break_the_error(copy):
    path = copy / "manifest.csv"
    path.write_text('"pa\nth"' + path.read_text().removeprefix("path"))
    with pytest.raises(UncoverError, match="has columns pa th,") as caught:
        list(iter_manifest(copy))
    assert "\n" not in str(caught.value)
