"""What `make` installs: which build of PyTorch, and from where."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

import install

LISTED = """torchvision (0.29.2)
Available versions: 0.29.2, 0.28.0+cpu, 0.28.0, 0.27.1+cpu, 0.27.1
  INSTALLED: 0.27.0+cpu
"""


class Pip:
    """Stands in for `subprocess.run`: what an index lists, and which torch it would install."""

    def __init__(self, listed: str, torch: str, installs: dict[str, int]) -> None:
        self.listed, self.torch, self.installs = listed, torch, installs
        self.commands: list[list[str]] = []
        self.folders: list[object] = []

    def __call__(self, command: list[str], **options: object) -> SimpleNamespace:
        self.commands.append(command)
        if "-e" in command:
            self.folders.append(options.get("cwd"))
        out, code = "", 0
        if "versions" in command:
            out = self.listed
        elif "--report" in command:
            names = {"torchvision": "0.28.0+cpu", "torch": self.torch}
            parts = [{"metadata": {"name": n, "version": v}} for n, v in names.items()]
            out = json.dumps({"install": parts})
        elif "config" in command:
            out = ":env:.find-links='/wheels'\nglobal.index-url='https://x/simple'\n"
        elif "install" in command:
            code = self.installs["uv" if Path(command[0]).name == "uv" else "pip"]
        return SimpleNamespace(stdout=out, returncode=code)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """A machine with such an index, with or without uv and a GPU; runs `install` and tells how."""
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.touch()

    def go(listed=LISTED, torch="2.13.0+cpu", has_uv=False, gpu=False, **codes: int):
        pip = Pip(listed, torch, {"uv": 0, "pip": 0} | codes)
        monkeypatch.setattr(subprocess, "run", pip)
        monkeypatch.setattr(install, "has_gpu", lambda: gpu)
        monkeypatch.setattr(install.shutil, "which", lambda name: "/bin/uv" if has_uv else None)
        code = install.main([os.path.relpath(tmp_path), "dev"])
        assert set(pip.folders) == {Path(install.__file__).parent}
        return code, [c for c in pip.commands if "install" in c and "--report" not in c]

    return go


def test_the_cpu_build_is_taken_where_both_packages_have_one(machine, capsys) -> None:
    code, ((*command,),) = machine()
    assert code == 0
    assert command[-4:] == ["-e", ".[dev]", "torchvision==0.28.0+cpu", "torch==2.13.0+cpu"]
    assert "1.5 GB on disk" in capsys.readouterr().out


@pytest.mark.parametrize(
    "index",
    [
        {"listed": LISTED.replace("+cpu", "")},  # torch for the CPU alone is of no use
        {"listed": ""},
        {"torch": "2.13.0"},
        {"gpu": True},
    ],
)
def test_the_plain_build_is_taken_elsewhere(machine, capsys, index) -> None:
    code, (command,) = machine(**index)
    assert code == 0
    assert command[-4:] == ["--config-settings", "editable_mode=compat", "-e", ".[dev]"]
    assert "6 GB on disk" in capsys.readouterr().out


def test_uv_is_tried_first_with_pips_own_indexes(machine) -> None:
    code, (command,) = machine(has_uv=True)
    assert code == 0
    assert command[0] == "/bin/uv"
    text = " ".join(command)
    assert "--find-links /wheels" in text
    assert "--index-url https://x/simple" in text


def test_pip_goes_on_where_uv_fails(machine) -> None:
    code, commands = machine(has_uv=True, uv=2)
    assert code == 0
    assert [Path(command[0]).name for command in commands] == ["uv", "python"]


def test_a_failure_is_an_error(machine, capsys) -> None:
    code, _ = machine(pip=1)
    assert code == 1
    assert capsys.readouterr().err.startswith("error: ")


def test_from_another_folder_it_installs_its_own_checkout(machine, monkeypatch, tmp_path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    code, ((*command,),) = machine()
    assert code == 0
    assert command[0] == str(tmp_path / "bin" / "python")
