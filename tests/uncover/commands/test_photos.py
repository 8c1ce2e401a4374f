"""The options of `uncover`, its messages and its exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.uncover.cli_scene import BOX, SCENE, SceneDetector, names
from tests.uncover.fake_networks import FakeDetector
from uncover.commands.photos import FAILED, GUESS, INTERRUPTED, OK, USAGE, main
from uncover.errors import WeightsError
from uncover.pipeline import Uncoverer

pytestmark = pytest.mark.usefixtures("asked")


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


def test_doubtful_finds_are_told_to_programs_alone(
    photo: Path, asked: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    labels, scores = ["with_mask", "with_mask", "without_mask"], [0.9, 0.3, 0.4]
    boxes = [BOX, (5, 100, 45, 150), (150, 5, 195, 60)]
    asked["detector"] = FakeDetector(boxes, labels, scores)
    assert main([str(photo), "--overwrite"]) == OK
    assert "(1 face filled)" in capsys.readouterr().out
    assert main([str(photo), "--overwrite", "--json"]) == OK
    faces = json.loads(capsys.readouterr().out)[0]["faces"]
    assert [face["doubtful"] for face in faces] == [False, True, True]


def test_options_reach_the_pipeline(photo: Path, asked: dict[str, object]) -> None:
    given = "--weights me/faces --revision v2 --device cpu --blend poisson --min-score 0.3"
    assert main([str(photo), *given.split(), "--fill-chin", "--fill-any"]) == OK
    expected = {
        "source": "me/faces", "revision": "v2", "device": "cpu", "blend": "poisson",
        "min_score": 0.3, "fill_chin": True, "fill_any": True,
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


@pytest.mark.parametrize("args", [["--help"], [], ["x.png", "--blend", "smear"]])
def test_help_and_wrong_usage_load_no_torch(args: list[str]) -> None:
    code = (
        f"import sys; from uncover.commands.photos import main; code = main({args!r}); "
        "assert 'torch' not in sys.modules; sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == (OK if args == ["--help"] else USAGE), done.stderr


@pytest.mark.parametrize("word", ["weights", "export"])
def test_other_commands_are_passed_on(
    tmp_path: Path, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from uncover.commands import weights as cli_weights

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
