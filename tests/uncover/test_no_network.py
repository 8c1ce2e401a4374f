"""Nothing asks the network at run time unless it is told to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
GUARD = """\
import socket, sys
def refuse(*asked, **more):
    sys.exit(f"the network was asked: {asked}")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
"""
ALONE = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}


def guarded(code: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A program in which every connection ends it."""
    env = {**ALONE, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", GUARD + code]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)


def test_the_guard_notices(tmp_path: Path) -> None:
    code = "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9')"
    assert "the network was asked" in guarded(code, tmp_path).stderr


def test_a_photo_is_painted_without_the_network(tmp_path: Path) -> None:
    shutil.copy(ROOT / "assets" / "astronaut_masked.jpg", tmp_path / "photo.jpg")
    code = "from uncover.commands import main; sys.exit(main(['photo.jpg']))"
    done = guarded(code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "photo_uncovered.jpg").is_file()
