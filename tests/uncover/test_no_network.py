"""Nothing asks the network at run time unless it is told to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(600)
ROOT = Path(__file__).parents[2]
GUARD = """\
import os, sys
def refuse(event, given):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        asked = given[1][0] if event == "socket.connect" else given[0]
        if asked not in ALLOWED:
            print("the network was asked:", asked, file=sys.stderr, flush=True)
            os._exit(1)
sys.addaudithook(refuse)
"""
PAGE = """
import urllib.request
from page.launch import build, serve
from page.visit import choose
page = build(choose(None, None, device="cpu", backend="torch"))
_, address, _ = serve(page, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
assert b"uncover" in urllib.request.urlopen(address).read()
page.close(verbose=False)
os._exit(0)
"""
ALONE = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}


def guarded(code: str, cwd: Path, *allowed: str | None) -> subprocess.CompletedProcess[str]:
    """A program in which every connection ends it, but to addresses that are allowed."""
    env = {**ALONE, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", GUARD.replace("ALLOWED", repr(allowed)) + code]
    with (cwd / "said").open("w+") as said:  # no pipe: gradio's helpers would hold it open
        done = subprocess.run(command, cwd=cwd, env=env, stdout=said, stderr=said)
        said.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, stderr=said.read())


def test_the_guard_notices(tmp_path: Path) -> None:
    for host in ("127.0.0.1", "uncover.invalid"):
        code = f"import urllib.request; urllib.request.urlopen('http://{host}:9')"
        assert "the network was asked" in guarded(code, tmp_path).stderr


def test_a_photo_is_painted_without_the_network(tmp_path: Path) -> None:
    shutil.copy(ROOT / "assets" / "astronaut_masked.jpg", tmp_path / "photo.jpg")
    code = "from uncover.commands import main; sys.exit(main(['photo.jpg']))"
    done = guarded(code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "photo_uncovered.jpg").is_file()


def test_the_page_speaks_to_nobody_but_its_visitors(tmp_path: Path) -> None:
    done = guarded(PAGE, tmp_path, "127.0.0.1", "localhost", None)
    assert done.returncode == 0, done.stderr
