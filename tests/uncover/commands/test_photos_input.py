"""What `uncover` does with pictures of every kind, with files that are none, and with masks."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.uncover.broken_files import broken
from tests.uncover.cli_scene import BOX, SCENE, SceneDetector, names
from tests.uncover.fake_networks import draw_scene
from uncover.commands.photos import FAILED, GUESS, NO_FACE, OK, main

pytestmark = pytest.mark.usefixtures("asked")


BAD = ["empty", "text", "cut jpeg", "cut png", "cut webp", "cut gif", "huge", "large", "missing"]


def errors(said: str) -> list[str]:
    """The error lines among what was said, the progress bar left out."""
    return [line for line in said.replace("\r", "\n").split("\n") if "error:" in line]


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_one_line_and_the_others_are_done(
    photo: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = photo.with_name("bad.jpg")
    if kind != "missing":
        bad.write_bytes(broken(kind))
    out = photo.parent / "out"
    assert main([str(bad), str(photo), "-o", str(out)]) == FAILED
    assert names(out) == ["photo.png"]
    err = capsys.readouterr().err
    lines = errors(err)
    assert len(lines) == 1
    assert "bad.jpg" in lines[0]
    assert "Traceback" not in err


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_alone_leaves_nothing(tmp_path: Path, kind: str) -> None:
    bad = tmp_path / "bad.jpg"
    if kind != "missing":
        bad.write_bytes(broken(kind))
    before = names(tmp_path)
    assert main([str(bad)]) == FAILED
    assert names(tmp_path) == before


def test_all_kinds_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "in"
    source.mkdir()
    kinds = [kind for kind in BAD if kind != "missing"]
    for number, kind in enumerate(kinds):
        (source / f"{number}.jpg").write_bytes(broken(kind))
        Image.fromarray(SCENE).save(source / f"{number}.png")
    Image.new("RGB", (1, 1)).save(source / "z.png")
    assert main([str(source), "-o", str(tmp_path / "out")]) == FAILED
    assert names(tmp_path / "out") == [f"{number}.png" for number in range(len(kinds))]
    err = capsys.readouterr().err
    assert len(errors(err)) == len(kinds)
    assert f"17 photos: {len(kinds)} filled, 1 no face found, {len(kinds)} failed" in err


def test_a_folder_without_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    assert main([str(tmp_path / "in"), "-o", str(tmp_path / "out")]) == FAILED
    assert "folder without pictures" in capsys.readouterr().err
    assert names(tmp_path) == ["in"]


@pytest.mark.parametrize("size", [(1, 1), (100, 60)])
def test_no_face_has_its_own_exit_code(
    tmp_path: Path, size: tuple[int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", size, "grey").save(tmp_path / "wall.png")
    assert main([str(tmp_path / "wall.png")]) == NO_FACE
    out, err = capsys.readouterr()
    assert "no face found" in err
    assert GUESS not in err
    assert out == ""
    assert names(tmp_path) == ["wall.png"]


@pytest.mark.parametrize(
    ("label", "score", "says"),
    [
        ("without_mask", 0.9, "no masked face found"),
        ("with_mask", 0.4, "no face found\n"),
    ],
)
def test_nothing_to_fill_is_said_plainly(
    photo: Path,
    asked: dict[str, object],
    label: str,
    score: float,
    says: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked["detector"] = SceneDetector(label, score)
    wear = "bare" if label == "without_mask" else "worn"
    Image.fromarray(draw_scene([BOX], wear=wear)).save(photo)
    assert main([str(photo)]) == NO_FACE
    assert says in capsys.readouterr().err
    assert names(photo.parent) == ["photo.png"]


def test_mask_on_the_chin_needs_a_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(draw_scene([BOX], wear="chin")).save(tmp_path / "chin.png")
    assert main([str(tmp_path / "chin.png")]) == NO_FACE
    assert "--fill-chin" in capsys.readouterr().err
    assert main([str(tmp_path / "chin.png"), "--fill-chin"]) == OK


@pytest.mark.parametrize("mode", ["CMYK", "L", "LA", "RGBA", "P", "I;16", "F"])
def test_every_kind_of_picture_works(tmp_path: Path, mode: str) -> None:
    scene = Image.fromarray(SCENE)
    suffix = "tif" if mode in ("CMYK", "F") else "png"
    if mode == "I;16":
        image = Image.fromarray(np.asarray(scene.convert("L")).astype(np.uint16) * 257)
    elif mode == "F":
        image = Image.fromarray(np.asarray(scene.convert("L")).astype(np.float32) / 255)
    else:
        image = scene.quantize(64) if mode == "P" else scene.convert(mode)
    image.save(tmp_path / f"in.{suffix}")
    assert main([str(tmp_path / f"in.{suffix}"), "-o", str(tmp_path / f"out.{suffix}")]) == OK
    written = Image.open(tmp_path / f"out.{suffix}")
    assert (written.mode, written.size) == (mode, scene.size)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_a_colour_are_done_with_a_warning(
    tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"deep.{suffix}"
    cv2.imwrite(str(path), SCENE[..., ::-1].astype(np.uint16) * 257)
    assert main([str(path)]) == OK
    assert "warning: " in (err := capsys.readouterr().err)
    assert "16 bits per channel: 8 are used" in err
    assert (tmp_path / f"deep_uncovered.{suffix}").is_file()


@pytest.mark.parametrize("suffix", ["webp", "gif", "png", "tif"])
def test_of_an_animation_the_first_frame_is_done_with_a_warning(
    tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    scene, path = Image.fromarray(SCENE), tmp_path / f"a.{suffix}"
    lossless = {"lossless": True} if suffix == "webp" else {}
    scene.save(path, save_all=True, append_images=[scene.rotate(180)], **lossless)
    assert main([str(path)]) == OK
    assert "has 2 frames: only the first is used" in capsys.readouterr().err
    with Image.open(tmp_path / f"a_uncovered.{suffix}") as written:
        assert getattr(written, "n_frames", 1) == 1
        found = np.asarray(written.convert("RGB")).astype(int)
    assert np.abs(found[:25] - SCENE[:25]).mean() < 30
    if suffix != "gif":
        np.testing.assert_array_equal(found[:25], SCENE[:25])


def test_a_mask_paints_exactly_there(photo: Path) -> None:
    mask = np.zeros(SCENE.shape[:2], np.uint8)
    mask[80:120, 80:120] = 255
    Image.fromarray(mask).save(photo.with_name("mask.png"))
    out = photo.with_name("out.png")
    assert main([str(photo), "--mask", str(photo.with_name("mask.png")), "-o", str(out)]) == OK
    changed = (np.asarray(Image.open(out)) != SCENE).any(-1)
    assert changed.any()
    assert not changed[mask == 0].any()


def picture(size: tuple[int, int], value: int) -> bytes:
    """A grey PNG of one value."""
    stream = io.BytesIO()
    Image.new("L", size, value).save(stream, "png")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("mask", "says"),
    [
        (picture((200, 160), 0), "the mask is empty"),
        (picture((160, 200), 255), "the mask is 160x200 but the photo is 200x160"),
        (broken("empty"), "0 bytes"),
        (broken("text"), "not a picture"),
        (broken("cut png"), "damaged"),
        (broken("huge"), "is too large: shrink it"),
        (None, "does not exist"),
    ],
    ids=["black", "other size", "empty", "text", "cut", "huge", "missing"],
)
def test_bad_masks(
    photo: Path, mask: bytes | None, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if mask is not None:
        photo.with_name("mask.png").write_bytes(mask)
    before = names(photo.parent)
    assert main([str(photo), "--mask", str(photo.with_name("mask.png"))]) == FAILED
    err = capsys.readouterr().err
    assert says in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert names(photo.parent) == before
