"""What visitors send does not stay."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import gradio as gr
import pytest

from page.visit.uploads import keep_sweeping, own_upload_folder, sweep

ROOT = Path(__file__).parents[3]


def test_old_files_go_and_fresh_and_kept_ones_stay(tmp_path: Path) -> None:
    for name in ("a/photo.png", "a/b/result.png", "c/example.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    assert sweep(tmp_path, 60) == 0
    assert sweep(tmp_path, -1, {str(tmp_path / "c/example.png")}) == 2
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))
    assert left == ["c", "c/example.png"]
    assert tmp_path.is_dir()


def test_fresh_uploads_go_while_what_lay_there_before_stays(tmp_path: Path) -> None:
    (tmp_path / "own.jpg").write_bytes(b"x")
    keep_sweeping(tmp_path, -1, every=0.01)
    (tmp_path / "photo.png").write_bytes(b"x")
    for _ in range(3000):
        if not (tmp_path / "photo.png").exists():
            break
        time.sleep(0.01)
    assert not (tmp_path / "photo.png").exists()
    assert (tmp_path / "own.jpg").exists()


def test_own_folder_is_gradio_s_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "above"))
    folder = own_upload_folder()
    assert folder.parent == (tmp_path / "above").resolve()
    assert gr.utils.get_upload_folder() == str(folder)


def test_own_folder_ends_with_the_program(tmp_path: Path) -> None:
    code = (
        "from page.visit.uploads import own_upload_folder as own\n"
        "folder = own(); (folder / 'photo.png').write_bytes(b'x')\n"
        "print(folder, folder.is_dir())"
    )
    environment = os.environ | {"GRADIO_TEMP_DIR": str(tmp_path / "above")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True
    )
    folder, there = done.stdout.split()
    assert there == "True"
    assert Path(folder).parent == (tmp_path / "above").resolve()
    assert not Path(folder).exists()
