from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from uncover import revision


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *words], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "uncover").mkdir()
    (tmp_path / "uncover" / "a.py").write_text("x = 1\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    monkeypatch.setattr(revision, "__file__", str(tmp_path / "uncover" / "revision.py"))
    return tmp_path


def test_the_commit_is_named_and_what_differs_from_it(checkout: Path) -> None:
    git(checkout, "tag", "-am", "v1", "v1")
    commit = git(checkout, "rev-parse", "HEAD")
    (checkout / "untracked").touch()
    assert revision.git_revision() == commit
    (checkout / "uncover" / "a.py").write_text("x = 2\n")
    assert revision.git_revision() == f"{commit}-dirty"


def test_code_installed_inside_somebody_elses_checkout_has_none(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = checkout / "venv" / "uncover" / "revision.py"
    monkeypatch.setattr(revision, "__file__", str(inside))
    assert revision.git_revision() is None
