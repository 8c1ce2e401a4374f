"""The commands tell OpenMP to sleep sooner, before PyTorch comes, and leave what the user set."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from uncover.waiting import SPINS, wait_briefly

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("given", "spins"),
    [
        ({}, SPINS),
        ({"GOMP_SPINCOUNT": "7"}, "7"),
        ({"OMP_WAIT_POLICY": "active"}, None),
    ],
)
def test_what_the_user_has_set_stays(monkeypatch, given, spins) -> None:
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    before = os.environ.copy()
    wait_briefly()
    assert os.environ.get("GOMP_SPINCOUNT") == spins
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    assert os.environ.get("OMP_WAIT_POLICY") == before.get("OMP_WAIT_POLICY")


CODE = """
import importlib, os, sys

class Note:
    def find_spec(self, name, *rest):
        if name == "torch":
            print("spins:", os.environ.get("GOMP_SPINCOUNT"), file=sys.stderr)
            sys.meta_path.remove(self)

sys.meta_path.insert(0, Note())
"""


@pytest.mark.parametrize(
    "start",
    [
        "import app",
        "from uncover.commands.photos import main; main(['no-such-photo.jpg'])",
    ],
)
def test_it_is_said_before_pytorch_is_imported(start: str) -> None:
    given = {k: v for k, v in os.environ.items() if k not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    code = CODE + start + "; importlib.import_module('torch')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=given, capture_output=True, text=True
    )
    assert f"spins: {SPINS}" in done.stderr
