"""The built wheel, installed into a bare environment, works from any folder without a network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import time
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

from tests.browser.load import free_port

pytest.importorskip("setuptools", reason="it builds the wheel")
ROOT = Path(__file__).parents[2]
PARTS = (
    "uncover", "page", "training", "benchmark", "weights", "assets", "pyproject.toml", "setup.py",
    "MANIFEST.in", "requirements.txt", "README.md", "LICENSE",
)  # fmt: skip
MOST_MIB = 40
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the tree so that nothing is left in it."""
    copy = tmp_path_factory.mktemp("tree")
    junk = shutil.ignore_patterns("__pycache__")
    for name in PARTS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=junk)
        else:
            shutil.copy(ROOT / name, copy / name)
    code = "from setuptools import build_meta; print(build_meta.build_wheel('dist'))"
    subprocess.run([sys.executable, "-c", code], cwd=copy, check=True, capture_output=True)
    (built,) = (copy / "dist").glob("uncover-*.whl")
    return built


@pytest.fixture(scope="module")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The python of an environment with the wheel, and this one's libraries but not its uncover."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    own = subprocess.run([python, "-c", where], capture_output=True, text=True, check=True).stdout
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(own.strip())
    (Path(own.strip()) / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    return python


def command(python: Path, *args: str) -> list[str]:
    """The `uncover` command, by the entry point that the wheel names."""
    code = (
        "import sys; from importlib.metadata import entry_points as all\n"
        "(point,) = {one.value: one for one in all(group='console_scripts', name='uncover')}"
        ".values(); sys.exit(point.load()())"
    )
    return [str(python), "-c", code, *args]


@pytest.fixture
def away(tmp_path: Path) -> Path:
    """Another folder, with a masked photo in it."""
    shutil.copy(ROOT / "assets" / "astronaut_masked.jpg", tmp_path / "photo.jpg")
    return tmp_path


ALONE = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "UNCOVER", "GRADIO"))}
ALONE["HF_HUB_OFFLINE"] = "1"


def test_it_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size <= MOST_MIB * 2**20


def test_a_photo_is_painted_by_the_command_and_from_python(bare: Path, away: Path) -> None:
    # In one process: most of the time goes into imports.
    code = (
        "from importlib.metadata import entry_points as all\n"
        "(point,) = {one.value: one for one in all(group='console_scripts', name='uncover')}"
        ".values()\n"
        "assert point.load()(['photo.jpg']) == 0\n"
        "import uncover; from uncover import Uncoverer\n"
        "print(uncover.__file__, len(Uncoverer.from_pretrained()('photo.jpg').filled))"
    )
    done = subprocess.run(
        [bare, "-c", code], cwd=away, env=ALONE, check=True, capture_output=True, text=True
    )
    assert (away / "photo_uncovered.jpg").is_file()
    file, filled = done.stdout.split()[-2:]
    assert Path(file).is_relative_to(bare.parents[1])
    assert filled == "1"


def test_the_page_is_served(bare: Path, away: Path) -> None:
    port = free_port()
    # A folder of that name changes nothing: photos in it are meant by ./page.
    (away / "page").mkdir()
    page = subprocess.Popen(command(bare, "page", "--port", str(port)), cwd=away, env=ALONE)
    try:
        address = f"http://127.0.0.1:{port}/config"
        for _ in range(1200):
            try:
                config = urllib.request.urlopen(address, timeout=10).read().decode()
                break
            except OSError:
                assert page.poll() is None, "the page ended"
                time.sleep(0.1)
        assert "Add a photo of someone in a mask" in config
        assert "A drawn face with glasses" in config
    finally:
        page.terminate()
        page.wait(timeout=60)
