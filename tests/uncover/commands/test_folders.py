"""Folders in folders, results that exist, and links."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.uncover.cli_scene import SCENE, names
from uncover.commands.photos import FAILED, OK, USAGE, main

pytestmark = pytest.mark.usefixtures("asked")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("a.png", "deep/b.png", "deep/deeper/c.jpg", ".hidden/d.png"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(SCENE).save(tmp_path / "in" / name)
    return tmp_path / "in"


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_sub_folders_keep_their_structure(tree: Path) -> None:
    assert main([str(tree), "--recursive"]) == OK
    assert files(tree.with_name("in_uncovered")) == ["a.png", "deep/b.png", "deep/deeper/c.jpg"]


def test_results_inside_the_folder_are_not_done_again(tree: Path) -> None:
    for _ in range(2):
        assert main([str(tree), "--recursive", "-o", str(tree / "out")]) == OK
        assert files(tree / "out") == ["a.png", "deep/b.png", "deep/deeper/c.jpg"]


def test_folders_that_link_to_each_other_are_done_once(tree: Path) -> None:
    (tree / "deep" / "loop").symlink_to(tree)
    assert main([str(tree), "--recursive"]) == OK
    assert len(files(tree.with_name("in_uncovered"))) == 3


def test_without_a_word_sub_folders_are_left_out_with_a_line(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tree)]) == OK
    assert files(tree.with_name("in_uncovered")) == ["a.png"]
    assert "1 sub-folders of" in (err := capsys.readouterr().err)
    assert "--recursive" in err
    (tree / "a.png").unlink()
    assert main([str(tree)]) == FAILED
    assert "without pictures at its top: --recursive" in capsys.readouterr().err


def test_heic_and_raw_in_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    heif = pytest.importorskip("pillow_heif")
    (tmp_path / "in").mkdir()
    heif.from_pillow(Image.fromarray(SCENE)).save(tmp_path / "in" / "IMG_1.HEIC", quality=95)
    Image.fromarray(SCENE).save(tmp_path / "in" / "raw.png")
    (tmp_path / "in" / "raw.png").rename(tmp_path / "in" / "no_ending")
    Image.fromarray(SCENE).save(tmp_path / "in" / "shot.tif")
    (tmp_path / "in" / "shot.tif").rename(tmp_path / "in" / "shot.NEF")
    assert main([str(tmp_path / "in")]) == OK
    assert names(tmp_path / "in_uncovered") == ["IMG_1.jpg", "no_ending.png"]
    assert "1 raw files" in capsys.readouterr().err
    assert main([str(tmp_path / "in" / "shot.NEF")]) == FAILED
    assert "shot.NEF is a raw file of a camera: develop it" in capsys.readouterr().err


@pytest.mark.parametrize("folder", [False, True])
def test_several_photos_do_not_make_a_folder_called_like_a_picture(
    tmp_path: Path, folder: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.png", "b.png"):
        Image.fromarray(SCENE).save(tmp_path / name)
    given = [str(tmp_path)] if folder else [str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    assert main([*given, "-o", str(tmp_path / "one.png")]) == USAGE
    assert names(tmp_path) == ["a.png", "b.png"]
    assert "several photos need a folder" in capsys.readouterr().err


def test_what_others_made_is_not_overwritten(
    photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = photo.with_name("photo_uncovered.png")
    Image.new("RGB", (9, 9)).save(target)
    assert main([str(photo)]) == FAILED
    assert Image.open(target).size == (9, 9)
    assert "--overwrite" in capsys.readouterr().err
    assert main([str(photo), "--overwrite"]) == OK
    assert Image.open(target).size == (200, 160)
    assert main([str(photo)]) == OK  # our own result is made anew


def test_through_a_link(photo: Path) -> None:
    (photo.parent / "there").mkdir()
    link = photo.with_name("link.png")
    link.symlink_to(photo.parent / "there" / "x.png")
    assert main([str(photo), "-o", str(link)]) == OK
    assert link.is_symlink()
    assert names(photo.parent / "there") == ["x.png"]
