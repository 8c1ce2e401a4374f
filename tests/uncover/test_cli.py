from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.uncover.fake_networks import draw_scene, make
from tests.uncover.test_images import broken
from uncover.cli import FAILED, GUESS, INTERRUPTED, NO_FACE, OK, USAGE, main
from uncover.errors import WeightsError
from uncover.pipeline import Uncoverer

BOX = (60, 30, 140, 135)
SCENE = draw_scene([BOX])


class SceneDetector:
    """Finds the drawn face where the photo has the scene's size."""

    def __init__(self, label: str = "with_mask", score: float = 0.9) -> None:
        self.found = make([BOX], [label], [score]).detector
        self.nothing = make().detector

    def detect(self, images: list[np.ndarray]) -> list[object]:
        scene = images[0].shape[:2] == SCENE.shape[:2]
        return (self.found if scene else self.nothing).detect(images)


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """Stand-ins instead of weights; what `from_pretrained` was asked for."""
    seen: dict[str, object] = {"detector": SceneDetector()}

    def from_pretrained(source: str | None = None, **options: object) -> Uncoverer:
        seen.update(source=source, **options)
        names = ("blend", "fill_chin", "min_score")
        uncoverer = make(**{name: options[name] for name in names})
        uncoverer.detector = seen["detector"]  # type: ignore[assignment]
        return uncoverer

    monkeypatch.setattr(Uncoverer, "from_pretrained", staticmethod(from_pretrained))
    return seen


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    Image.fromarray(SCENE).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


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


BAD = ["empty", "text", "cut jpeg", "cut png", "cut webp", "cut gif", "huge", "large", "missing"]


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
    lines = [line for line in err.replace("\r", "\n").split("\n") if "error:" in line]
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
        ("with_mask", 0.4, "no face found (1 doubtful"),
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
    assert main([str(photo)]) == NO_FACE
    assert says in capsys.readouterr().err
    assert names(photo.parent) == ["photo.png"]


def test_mask_on_the_chin_needs_a_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(draw_scene([BOX], wear="chin")).save(tmp_path / "chin.png")
    assert main([str(tmp_path / "chin.png")]) == NO_FACE
    assert "--fill-chin" in capsys.readouterr().err
    assert main([str(tmp_path / "chin.png"), "--fill-chin"]) == OK


@pytest.mark.parametrize("mode", ["CMYK", "L", "LA", "RGBA", "P", "I;16"])
def test_every_kind_of_picture_works(tmp_path: Path, mode: str) -> None:
    scene = Image.fromarray(SCENE)
    suffix = "tif" if mode == "CMYK" else "png"
    if mode == "I;16":
        image = Image.fromarray(np.asarray(scene.convert("L")).astype(np.uint16) * 257)
    else:
        image = scene.quantize(64) if mode == "P" else scene.convert(mode)
    image.save(tmp_path / f"in.{suffix}")
    assert main([str(tmp_path / f"in.{suffix}"), "-o", str(tmp_path / f"out.{suffix}")]) == OK
    written = Image.open(tmp_path / f"out.{suffix}")
    assert (written.mode, written.size) == (mode, scene.size)


def test_an_animation_is_done_with_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = Image.fromarray(SCENE)
    scene.save(tmp_path / "a.webp", save_all=True, append_images=[scene.rotate(90)], lossless=True)
    assert main([str(tmp_path / "a.webp")]) == OK
    assert "warning:" in capsys.readouterr().err


def test_a_mask_paints_exactly_there(photo: Path) -> None:
    mask = np.zeros(SCENE.shape[:2], np.uint8)
    mask[80:120, 80:120] = 255
    Image.fromarray(mask).save(photo.with_name("mask.png"))
    out = photo.with_name("out.png")
    assert main([str(photo), "--mask", str(photo.with_name("mask.png")), "-o", str(out)]) == OK
    changed = (np.asarray(Image.open(out)) != SCENE).any(-1)
    assert changed.any()
    assert not changed[mask == 0].any()


@pytest.mark.parametrize(
    ("size", "value", "says"),
    [((200, 160), 0, "empty"), ((160, 200), 255, "160x200"), (None, 0, "does not exist")],
)
def test_bad_masks(
    photo: Path,
    size: tuple[int, int] | None,
    value: int,
    says: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if size:
        Image.new("L", size, value).save(photo.with_name("mask.png"))
    before = names(photo.parent)
    assert main([str(photo), "--mask", str(photo.with_name("mask.png"))]) == FAILED
    assert says in capsys.readouterr().err
    assert names(photo.parent) == before


def test_json_is_one_document(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo.with_name("bad.jpg").write_bytes(b"no")
    Image.new("RGB", (50, 40)).save(photo.with_name("wall.png"))
    inputs = [str(photo), str(photo.with_name("bad.jpg")), str(photo.with_name("wall.png"))]
    assert main([*inputs, "--json", "-o", str(photo.parent / "out")]) == FAILED
    out, err = capsys.readouterr()
    done = json.loads(out)
    assert [entry["status"] for entry in done] == ["filled", "failed", "no_face"]
    assert [entry["input"] for entry in done] == inputs
    assert done[0]["output"].endswith("photo.png")
    assert done[1]["output"] is None
    assert "bad.jpg" in done[1]["error"]
    face = done[0]["faces"][0]
    assert face["label"] == "with_mask"
    assert {"box", "score", "polygon", "roll", "reason"} <= set(face)
    assert (done[0]["width"], done[0]["height"]) == (200, 160)
    assert GUESS in err


def test_options_reach_the_pipeline(photo: Path, asked: dict[str, object]) -> None:
    given = "--weights me/faces --revision v2 --device cpu --blend poisson --min-score 0.3"
    assert main([str(photo), *given.split(), "--fill-chin"]) == OK
    expected = {
        "source": "me/faces", "revision": "v2", "device": "cpu", "blend": "poisson",
        "min_score": 0.3, "fill_chin": True,
    }  # fmt: skip
    assert {key: asked[key] for key in expected} == expected


@pytest.mark.parametrize(
    "args",
    [
        [], ["--blend", "smear", "x.png"], ["x.png", "--min-score", "2"], ["x.png", "--nonsense"],
        ["x.png", "--min-score", "high"], ["x.png", "--device", "abacus"],
        ["x.png", "y.png", "--mask", "m.png"], ["x.png", "-o", "out.docx"],
    ],
)  # fmt: skip
def test_wrong_usage(args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(args) == USAGE
    err = capsys.readouterr().err.strip()
    assert err.startswith("error: ")
    assert "\n" not in err


def test_several_photos_cannot_go_into_one_file(photo: Path) -> None:
    taken = photo.with_name("taken.png")
    taken.write_bytes(b"mine")
    assert main([str(photo), str(photo.with_name("b.png")), "-o", str(taken)]) == USAGE
    assert taken.read_bytes() == b"mine"


def test_weights_that_do_not_load_are_one_line(
    photo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*args: object, **options: object) -> Uncoverer:
        raise WeightsError("no weights at x:\n train some")

    monkeypatch.setattr(Uncoverer, "from_pretrained", staticmethod(refuse))
    assert main([str(photo)]) == FAILED
    assert capsys.readouterr().err == "error: no weights at x: train some\n"


def test_a_fault_in_one_photo_does_not_stop_the_others(
    photo: Path, asked: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    class Faulty(SceneDetector):
        def detect(self, images: list[np.ndarray]) -> list[object]:
            if images[0].shape[0] == 13:
                raise RuntimeError("out of\nmemory")
            return super().detect(images)

    asked["detector"] = Faulty()
    Image.new("RGB", (13, 13)).save(photo.with_name("odd.png"))
    out = photo.parent / "out"
    assert main([str(photo.with_name("odd.png")), str(photo), "-o", str(out)]) == FAILED
    assert names(out) == ["photo.png"]
    assert "unexpected RuntimeError: out of memory" in capsys.readouterr().err


def test_ctrl_c_stops_cleanly(
    photo: Path, asked: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupted(SceneDetector):
        def detect(self, images: list[np.ndarray]) -> list[object]:
            raise KeyboardInterrupt

    asked["detector"] = Interrupted()
    assert main([str(photo)]) == INTERRUPTED
    assert names(photo.parent) == ["photo.png"]
    assert "interrupted" in capsys.readouterr().err


def test_an_unwritable_place_is_one_line(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(photo), "-o", str(photo / "below" / "x.png")]) == FAILED
    assert "error:" in capsys.readouterr().err


@pytest.mark.parametrize("args", [["--help"], [], ["x.png", "--blend", "smear"]])
def test_help_and_wrong_usage_load_no_torch(args: list[str]) -> None:
    code = (
        f"import sys; from uncover.cli import main; code = main({args!r}); "
        "assert 'torch' not in sys.modules; sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == (OK if args == ["--help"] else USAGE), done.stderr


@pytest.mark.parametrize("word", ["weights", "export"])
def test_other_commands_are_passed_on(
    tmp_path: Path, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from uncover import cli_weights

    seen: list[list[str]] = []
    monkeypatch.setattr(cli_weights, "main", lambda argv: seen.append(list(argv)) or 0)
    monkeypatch.chdir(tmp_path)
    assert main([word, "--flag"]) == OK
    assert seen == [[word, "--flag"]]
    (tmp_path / word).mkdir()
    Image.fromarray(SCENE).save(tmp_path / word / "a.png")
    assert main([word]) == OK
    assert (tmp_path / f"{word}_uncovered" / "a.png").exists()
    assert len(seen) == 1
    action = "verify" if word == "weights" else "onnx"
    assert main([word, action]) == OK  # the folder does not hide the whole command
    assert seen[1:] == [[word, action]]
