"""Where `uncover` puts its results, and what it never overwrites."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.uncover.cli_scene import BOX, SCENE, names
from tests.uncover.fake_networks import make
from uncover.commands.photos import FAILED, GUESS, OK, USAGE, main

pytestmark = pytest.mark.usefixtures("asked")


def test_one_photo_beside_itself(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(photo)]) == OK
    out, err = capsys.readouterr()
    assert "photo_uncovered.png (1 face filled)" in out
    assert err.count(GUESS) == 1
    written = np.asarray(Image.open(photo.with_name("photo_uncovered.png")))
    assert written.shape == SCENE.shape
    mask = make([BOX]).detect(SCENE)[0].mask
    np.testing.assert_array_equal(written[~mask], SCENE[~mask])
    assert (written[mask] != SCENE[mask]).any()


@pytest.mark.parametrize(
    ("out", "written"),
    [
        ("there.jpg", "there.jpg"), ("folder", "folder/photo.png"),
        ("new/deep/x.webp", "new/deep/x.webp"), ("a.b/", "a.b/photo.png"),
    ],
)  # fmt: skip
def test_where_the_result_goes(photo: Path, out: str, written: str) -> None:
    if out.endswith("/"):
        (photo.parent / out).mkdir()
    assert main([str(photo), "-o", str(photo.parent / out)]) == OK
    assert (photo.parent / written).is_file()


def test_a_folder_in_a_folder_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for name in ("a.png", "b.jpg", "C.TIF", "e.ppm"):
        Image.fromarray(SCENE).save(source / name)
    Image.fromarray(SCENE[:100]).save(source / "empty_street.png")
    (source / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    (source / "notes.txt").write_text("not a picture")
    (source / ".hidden.jpg").write_bytes(b"")
    assert main([str(source), "-o", str(tmp_path / "out")]) == FAILED
    assert names(tmp_path / "out") == ["C.TIF", "a.png", "b.jpg", "e.png"]
    err = capsys.readouterr().err
    assert "6 photos: 4 filled, 1 no face found, 1 failed; 4 faces in all" in err
    assert "1 other files" in err
    assert "photo" in err.split("\r")[-1]
    assert err.count("error:") == 1


def test_default_output_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Image.fromarray(SCENE).save(tmp_path / "in" / "a.png")
    assert main([str(tmp_path / "in")]) == OK
    assert names(tmp_path / "in_uncovered") == ["a.png"]


def test_several_folders_keep_their_names(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        Image.fromarray(SCENE).save(tmp_path / folder / "a.png")
    assert main([str(tmp_path / "one"), str(tmp_path / "two"), "-o", str(tmp_path / "out")]) == OK
    assert (tmp_path / "out" / "one" / "a.png").exists()
    assert (tmp_path / "out" / "two" / "a.png").exists()


def test_equal_names_never_overwrite_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        Image.fromarray(SCENE).save(tmp_path / folder / "a.png")
        paths.append(str(tmp_path / folder / "a.png"))
    assert main([*paths, paths[0], "-o", str(tmp_path / "out")]) == FAILED
    assert names(tmp_path / "out") == ["a.png"]
    assert "would overwrite that of" in capsys.readouterr().err


@pytest.mark.parametrize("out", ["photo.png", "."])
def test_an_input_is_never_overwritten(
    photo: Path, out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = photo.read_bytes()
    assert main([str(photo), "-o", str(photo.parent / out)]) == FAILED
    assert photo.read_bytes() == before
    assert "would overwrite" in capsys.readouterr().err


def test_several_photos_cannot_go_into_one_file(photo: Path) -> None:
    taken = photo.with_name("taken.png")
    taken.write_bytes(b"mine")
    assert main([str(photo), str(photo.with_name("b.png")), "-o", str(taken)]) == USAGE
    assert taken.read_bytes() == b"mine"


def test_an_unwritable_place_is_one_line(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(photo), "-o", str(photo / "below" / "x.png")]) == FAILED
    assert "error:" in capsys.readouterr().err
