"""Masks that are made by hand, and the mask that was found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.uncover.cli_scene import SCENE, names
from uncover.commands.photos import FAILED, OK, USAGE, main

pytestmark = pytest.mark.usefixtures("asked")


def test_the_mask_that_was_found_can_be_given_back(photo: Path) -> None:
    saved = photo.with_name("found.png")
    assert main([str(photo), "--save-mask", str(saved)]) == OK
    first = np.asarray(Image.open(photo.with_name("photo_uncovered.png")))
    mask = np.asarray(Image.open(saved))
    assert mask.shape == SCENE.shape[:2]
    assert set(np.unique(mask)) == {0, 255}
    assert not (first != SCENE).any(-1)[mask == 0].any()
    assert main([str(photo), "--mask", str(saved), "-o", str(photo.with_name("o.png"))]) == OK
    again = np.asarray(Image.open(photo.with_name("o.png")))
    assert not (again != SCENE).any(-1)[mask == 0].any()
    assert main([str(photo), "--save-mask", str(saved)]) == OK  # our own file


def test_a_mask_is_not_saved_over_what_others_made(photo: Path) -> None:
    before = photo.read_bytes()
    assert main([str(photo), "--save-mask", str(photo)]) == USAGE
    assert photo.read_bytes() == before
    assert main([str(photo), str(photo.parent), "--save-mask", "m.png"]) == USAGE
    assert main([str(photo), "--save-mask", "m.jpg"]) == USAGE


def inverted() -> np.ndarray:
    mask = np.full(SCENE.shape[:2], 255, np.uint8)
    mask[80:120, 80:120] = 0
    return mask


def beside() -> np.ndarray:
    mask = np.zeros(SCENE.shape[:2], np.uint8)
    mask[5:20, 170:195] = 255
    return mask


@pytest.mark.parametrize(("mask", "says"), [(inverted(), "what surrounds"), (beside(), "no face")])
def test_a_mask_that_looks_inverted_is_asked_about(
    photo: Path, mask: np.ndarray, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(mask).save(photo.with_name("m.png"))
    given = [str(photo), "--mask", str(photo.with_name("m.png")), "-o", str(photo.parent / "o.png")]
    assert main(given) == FAILED
    err = capsys.readouterr().err
    assert says in err
    assert "is it inverted" in err
    assert names(photo.parent) == ["m.png", "photo.png"]
    assert main([*given, "--force"]) == OK


def test_a_mask_of_the_whole_photo_without_a_face(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(SCENE[:, :150]).save(tmp_path / "p.png")  # the stand-in finds nothing in it
    mask = np.full((160, 150), 255, np.uint8)
    mask[:20, :20] = 0
    Image.fromarray(mask).save(tmp_path / "m.png")
    assert main([str(tmp_path / "p.png"), "--mask", str(tmp_path / "m.png")]) == FAILED
    assert "of the photo: is it inverted" in capsys.readouterr().err
