"""Starting the page: what keeps it from starting is said in one line."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from page import launch
from tests.browser import stand_ins
from uncover.commands.photos import main


def test_a_taken_port_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = stand_ins.chosen(tmp_path / "weights")
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    monkeypatch.setattr(launch, "choose", lambda *args, **options: chosen)
    monkeypatch.setattr(launch.signal, "signal", lambda *args: None)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert launch.main(["--port", str(port)]) == 1
    *_, last = capsys.readouterr().err.splitlines()
    assert last.startswith("error: ")
    assert str(port) in last
    assert not list((tmp_path / "uploads").rglob("*.png"))


def test_no_unknown_option_starts_the_page(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", sys.argv)
    before = os.environ.get("GRADIO_TEMP_DIR")
    assert main(["page", "-o", "out"]) == 2
    assert capsys.readouterr().err.startswith("usage: uncover page")
    assert os.environ.get("GRADIO_TEMP_DIR") == before
