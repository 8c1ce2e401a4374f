"""Names that a terminal cannot show, pipes that close, and photos through pipes."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.uncover.cli_scene import SCENE, names
from uncover.commands.photos import FAILED, OK, USAGE, main

ROOT = Path(__file__).resolve().parents[3]
"""The checkout: what the process of its own imports from."""

pytestmark = pytest.mark.usefixtures("asked")

RUN = """
import sys
from tests.uncover.cli_scene import SceneDetector
from tests.uncover.fake_networks import make
from uncover.commands.photos import main
from uncover.pipeline import Uncoverer

def stand_in(source=None, **options):
    uncoverer = make()
    uncoverer.detector = SceneDetector()
    return uncoverer

Uncoverer.from_pretrained = staticmethod(stand_in)
sys.exit(main(sys.argv[1:]))
"""


def started(args: list[str | bytes], **options: Any) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own, with stand-ins for the networks."""
    env = options.pop("env", dict(os.environ)) | {"PYTHONPATH": str(ROOT)}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.run([sys.executable, "-c", RUN, *args], check=False, env=env, **streams)


def png() -> bytes:
    stream = io.BytesIO()
    Image.fromarray(SCENE).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "encoding"),
    [("写真.png".encode(), "cp1252"), (b"caf\xe9.png", "utf-8"), ("é\nb.png".encode(), "ascii")],
)
def test_any_name_can_be_printed(tmp_path: Path, name: bytes, encoding: str) -> None:
    for file in (name, b"z.png"):
        (Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + file))).write_bytes(png())
    env = os.environ | {"PYTHONIOENCODING": encoding}
    done = started([str(tmp_path), "-o", str(tmp_path / "out")], env=env)
    assert done.returncode == OK, done.stderr
    assert len(names(tmp_path / "out")) == 2
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("args", [[], ["--json"], ["--help"]])
def test_a_closed_pipe_ends_nothing(tmp_path: Path, args: list[str]) -> None:
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(png())
    read, write = os.pipe()
    os.close(read)
    done = started([str(tmp_path), "-o", str(tmp_path / "out"), *args], stdout=write)
    os.close(write)
    assert done.returncode == OK, done.stderr
    assert b"Traceback" not in done.stderr
    assert b"Broken" not in done.stderr
    if args != ["--help"]:
        assert len(names(tmp_path / "out")) == 3


def test_a_photo_through_pipes(tmp_path: Path, photo: Path) -> None:
    assert main([str(photo)]) == OK
    for args in (["-"], ["-", "-o", "-"]):
        done = started(list(args), input=png(), cwd=tmp_path)
        assert done.returncode == OK, done.stderr
        made = np.asarray(Image.open(io.BytesIO(done.stdout)))
        np.testing.assert_array_equal(
            made, np.asarray(Image.open(photo.with_name("photo_uncovered.png")))
        )
        assert b"1 face filled" in done.stderr
    done = started(["-", "-o", "x.jpg"], input=png(), cwd=tmp_path)
    assert Image.open(tmp_path / "x.jpg").format == "JPEG"


def test_nothing_on_standard_input_is_one_line() -> None:
    done = started(["-"], input=b"")
    assert done.returncode == FAILED
    assert done.stdout == b""
    assert b"standard input: the picture is empty" in done.stderr


@pytest.mark.parametrize(
    "args", [["-", "--json"], ["a.png", "b.png", "-o", "-"], ["-", "--mask", "-"]]
)
def test_what_cannot_share_a_pipe(args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(args) == USAGE
    assert capsys.readouterr().err.count("error:") == 1


def test_json_beside_a_photo_from_a_pipe(tmp_path: Path) -> None:
    done = started(["-", "-o", "x.png", "--json"], input=png(), cwd=tmp_path)
    assert json.loads(done.stdout)[0]["output"] == "x.png"


def test_an_address_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["https://example.org/a.jpg"]) == USAGE
    err = capsys.readouterr().err
    assert "https://example.org/a.jpg is an address: download the photo first" in err


@pytest.mark.parametrize("length", [243, 300])
def test_long_names(tmp_path: Path, length: int, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / ("n" * (length - 4) + ".png")
    if length < 255:
        path.write_bytes(png())
    assert main([str(path)]) == (OK if length < 255 else FAILED)
    err = capsys.readouterr().err
    assert "Traceback" not in err
    if length > 255:
        assert "File name too long" in err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    from uncover import __version__

    assert main(["--version"]) == OK
    assert capsys.readouterr().out == f"uncover {__version__}\n"


def test_help_is_grouped_and_short(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == OK
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) < 50
    groups = ["photos and results:", "what is painted:", "masks by hand:", "weights:"]
    assert [line for line in lines if line in groups] == groups
    assert main(["weights", "--help"]) == OK
    assert "pull|show|verify" in capsys.readouterr().out
